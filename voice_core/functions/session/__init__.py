"""/session: WebRTC, and its data channel."""
