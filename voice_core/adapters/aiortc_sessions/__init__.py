"""Sessions over WebRTC, by aiortc.

It sends no sooner and hears no later than the packets allow: the microphone is read from the packets themselves, and
the reply leaves as Opus of our own making, so that neither waits in a buffer or a thread of aiortc's.
"""
