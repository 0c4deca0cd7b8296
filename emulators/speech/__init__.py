"""An emulator of the Speech service that the Speech SDK works against unmodified."""

from emulators.speech.server import speech_app

__all__ = ["speech_app"]
