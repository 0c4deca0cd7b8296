"""Sessions over WebRTC, with aiortc.

No audio waits in a buffer or a thread of aiortc's: received audio is read from the packets themselves, and the reply is
encoded as Opus here.
"""
