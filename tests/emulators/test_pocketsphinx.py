"""PocketSphinx's result for a phrase depends on that phrase alone."""

import json
import wave
from pathlib import Path
from typing import Any

import pytest

from emulators.speech.recognizers.sphinx_worker import BEGIN, FINISH, SOUND, Worker

SAMPLE = Path(__file__).parents[2] / "samples" / "hello.wav"
MESSAGE_BYTES = 3200
PHRASES = ["hello", "weather"]


def _sample() -> tuple[int, bytes]:
    with wave.open(str(SAMPLE)) as clip:
        return clip.getframerate(), clip.readframes(clip.getnframes())


def _heard(worker: Worker, rate: int, pcm: bytes, message_bytes: int = MESSAGE_BYTES) -> dict[str, Any]:
    worker.result(BEGIN, json.dumps({"rate": rate, "phrases": PHRASES}).encode())
    for start in range(0, len(pcm), message_bytes):
        worker.result(SOUND, pcm[start : start + message_bytes])
    return worker.result(FINISH, b"")


def test_earlier_phrases_do_not_change_the_result() -> None:
    """The same audio gives the same words with the same confidence, whatever the process recognised before."""
    rate, pcm = _sample()
    worker = Worker()
    first = _heard(worker, rate, pcm)
    _heard(worker, rate, pcm[len(pcm) // 4 * 2 :])
    assert first["words"]
    assert _heard(worker, rate, pcm) == first


@pytest.mark.parametrize("message_bytes", [2, 1_000_000])
def test_message_size_does_not_change_the_result(message_bytes: int) -> None:
    """The same audio gives the same words with the same confidence, however it is divided into messages."""
    rate, pcm = _sample()
    pcm = pcm[: 3 * rate]
    worker = Worker()
    assert _heard(worker, rate, pcm, message_bytes) == _heard(worker, rate, pcm)
