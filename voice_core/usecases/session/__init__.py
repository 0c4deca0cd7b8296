"""A session: a WebRTC connection with its turns."""
