"""DNSMOS P.835 of speech: how good listeners would find it overall, 1 to 5, without a reference.

The model and the polynomial for its output are those of Microsoft's DNS Challenge (Reddy and others, 2022), in the
package `speechmos`. Only its file is used: its code imports librosa, which it does not declare, for other scores.
"""

import importlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.figures import BenchmarkFailed

RATE = 16_000
"""Hertz of the model."""
WINDOW_SECONDS = 9.01
"""Sound that the model hears at once. It hears windows at intervals of a second; shorter sound is repeated."""
OVERALL = np.poly1d([-0.06766283, 1.11546468, 0.04602535])
MODEL = Path("dnsmos_models", "sig_bak_ovr.onnx")


@cache
def overall_mos(pcm: bytes) -> float:
    """The score of mono 16-bit *pcm* at `RATE`, the mean of its windows.

    Raises:
        BenchmarkFailed: a package is missing.
    """
    sound = np.frombuffer(pcm, "<i2") / np.float32(32768)
    size = int(WINDOW_SECONDS * RATE)
    while sound.size < size:
        sound = np.append(sound, sound)
    starts = range(0, sound.size - size + 1, RATE)
    return float(np.mean([_score(sound[start : start + size]) for start in starts]))


def _score(window: NDArray[np.floating[Any]]) -> float:
    _, _, overall = _session().run(None, {"input_1": window[np.newaxis, :].astype(np.float32)})[0][0]
    return float(OVERALL(overall))


@cache
def _session() -> Any:
    package = find_spec("speechmos")
    if package is None or package.origin is None or find_spec("onnxruntime") is None:
        raise BenchmarkFailed("DNSMOS needs speechmos and onnxruntime: make .venv-3.13/dev.done .venv-3.13/neural.done")
    runtime = importlib.import_module("onnxruntime")
    return runtime.InferenceSession(str(Path(package.origin).parent / MODEL), providers=["CPUExecutionProvider"])
