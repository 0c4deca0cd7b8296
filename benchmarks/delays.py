"""How long the scripted services take, and what that makes the fastest turn there can be."""

from typing import Any

from emulators.speech.scripted import SECONDS_PER_WORD

HEARD = "what is the weather like"
SENTENCES = (
    "It is a fine day and the sun is out so we can go out.",
    "The wind is low and the sky is as blue as it can be today.",
    "If you go to the sea at six or so you may see a boat.",
    "Put on a hat if you do go out as the sun is hot now.",
)
REPLY = " ".join(SENTENCES)
"""Four sentences of 15 tokens: a token is a word, in both scripted assistants."""

FINAL_SECONDS = 0.2
"""From the end of the utterance to the transcript."""
FIRST_TOKEN_SECONDS = 0.3
TOKENS_PER_SECOND = 50.0
FIRST_SPEECH_SECONDS = 0.12
"""From a sentence to its first chunk."""
REAL_TIME_FACTOR = 20.0
"""Pace of the speech after its first chunk."""
SPEECH_SECONDS = 3.6
"""How long the whole reply sounds."""
EMULATED_REAL_TIME_FACTOR = REAL_TIME_FACTOR * SECONDS_PER_WORD * len(REPLY.split()) / SPEECH_SECONDS
"""The emulator's tone has the pace of ordinary speech, four times as long: at this pace it is made in the same time."""

STREAMED_MS = 1000 * (FINAL_SECONDS + FIRST_TOKEN_SECONDS + 14 / TOKENS_PER_SECOND + FIRST_SPEECH_SECONDS)
"""To the first sound when the first sentence is spoken as soon as its 15th token is there."""


WRITTEN_SECONDS = FIRST_TOKEN_SECONDS + 59 / TOKENS_PER_SECOND
SEQUENTIAL_MS = 1000 * (FINAL_SECONDS + WRITTEN_SECONDS + FIRST_SPEECH_SECONDS + SPEECH_SECONDS / REAL_TIME_FACTOR)
"""To the first sound when all is heard, then all is written, then all is spoken."""


EMULATED: dict[str, dict[str, list[dict[str, Any]]]] = {
    "speech": {
        "stt": [{"text": HEARD, "first_seconds": FINAL_SECONDS, "repeat": True}],
        "tts": [
            {
                "tone": True,
                "first_seconds": FIRST_SPEECH_SECONDS,
                "real_time_factor": EMULATED_REAL_TIME_FACTOR,
                "repeat": True,
            }
        ],
    },
    "openai": {
        "chat": [
            {
                "text": REPLY,
                "first_seconds": FIRST_TOKEN_SECONDS,
                "tokens_per_second": TOKENS_PER_SECOND,
                "repeat": True,
            }
        ]
    },
}
"""The same for the emulators."""

AT_ONCE: dict[str, dict[str, list[dict[str, Any]]]] = {
    "speech": {"stt": [{"text": HEARD, "repeat": True}], "tts": [{"tone": True, "repeat": True}]},
    "openai": {"chat": [{"text": " ".join(SENTENCES[:2]), "repeat": True}]},
}
"""Emulators that cost as little as they can."""
