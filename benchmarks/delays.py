"""The delays of the scripted services, and the fastest possible turn that follows from them."""

from typing import Any

from emulators.speech.scripted_recognition import SECONDS_PER_WORD

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
"""Time from the end of the utterance to the transcript."""
FIRST_TOKEN_SECONDS = 0.3
TOKENS_PER_SECOND = 50.0
FIRST_SPEECH_SECONDS = 0.12
"""Time from a sentence to its first chunk of speech."""
REAL_TIME_FACTOR = 20.0
"""Pace of the speech after its first chunk."""
SPEECH_SECONDS = 3.6
"""Length of the complete reply's speech."""
EMULATED_REAL_TIME_FACTOR = REAL_TIME_FACTOR * SECONDS_PER_WORD * len(REPLY.split()) / SPEECH_SECONDS
"""Real-time factor for the emulator: its tone is four times as long, at the pace of ordinary speech, and must take the
same time."""

STREAMED_MS = 1000 * (FINAL_SECONDS + FIRST_TOKEN_SECONDS + 14 / TOKENS_PER_SECOND + FIRST_SPEECH_SECONDS)
"""Time to the first sound when the first sentence is synthesised as soon as its 15th token has arrived."""


WRITTEN_SECONDS = FIRST_TOKEN_SECONDS + 59 / TOKENS_PER_SECOND
SEQUENTIAL_MS = 1000 * (FINAL_SECONDS + WRITTEN_SECONDS + FIRST_SPEECH_SECONDS + SPEECH_SECONDS / REAL_TIME_FACTOR)
"""Time to the first sound when recognition, assistant and synthesis run one after the other, each to its end."""


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
"""The same delays as scripts of the emulators."""

AT_ONCE: dict[str, dict[str, list[dict[str, Any]]]] = {
    "speech": {"stt": [{"text": HEARD, "repeat": True}], "tts": [{"tone": True, "repeat": True}]},
    "openai": {"chat": [{"text": " ".join(SENTENCES[:2]), "repeat": True}]},
}
"""Scripts with which the emulators respond at once and cost as little CPU as possible."""
