"""The page's modules for sound and events, each tested by itself in the browser."""

import io
import json
import math
import wave
from array import array
from base64 import b64decode, b64encode
from itertools import pairwise

from tests.web.conftest import Open

RATE = 24_000


def sine(hertz: float, seconds: float, rate: int, level: float = 0.5) -> list[float]:
    return [level * math.sin(2 * math.pi * hertz * n / rate) for n in range(round(seconds * rate))]


def rms(samples: list[float]) -> float:
    return math.sqrt(sum(sample * sample for sample in samples) / len(samples))


async def test_pieces_of_speech_are_played_without_gaps(open_page: Open) -> None:
    """A tone that arrives in pieces is played without a gap, sample by sample."""
    page = await open_page(microphone=False)
    tone = array("h", (round(32767 * sample) for sample in sine(440, 0.5, RATE)))
    cuts = [0, 1, 700, 701, 4801, 9000, len(tone)]
    pieces = [b64encode(tone[a:b].tobytes()).decode() for a, b in pairwise(cuts)]

    heard = await page.evaluate(
        f"""(async () => {{
            const {{ Player }} = await import("/player.js");
            const context = new OfflineAudioContext(1, {RATE}, {RATE});
            const player = new Player(context);
            for (const piece of {json.dumps(pieces)}) player.play(piece);
            return [...(await context.startRendering()).getChannelData(0)];
        }})()"""
    )

    begin = next(n for n, sample in enumerate(heard) if sample) - 1
    played = heard[begin : begin + len(tone)]
    assert max(abs(sample - value / 32768) for sample, value in zip(played, tone, strict=True)) < 1e-3
    assert not any(heard[begin + len(tone) :])


async def test_the_microphone_is_resampled(open_page: Open) -> None:
    """A tone within the new band keeps its level; one beyond it is removed, without aliasing."""
    page = await open_page(microphone=False)

    async def resampled(hertz: float, rate: int) -> list[float]:
        made = await page.evaluate(
            f"""(async () => {{
                const {{ Resampler }} = await import("/resampler.js");
                const resampler = new Resampler({rate}, 16000);
                const samples = Float32Array.from({json.dumps(sine(hertz, 0.5, rate))});
                const made = [];
                for (let at = 0; at < samples.length; at += 128) {{
                    made.push(...resampler.feed(samples.slice(at, at + 128)));
                }}
                return [...made, ...resampler.finish()];
            }})()"""
        )
        assert abs(len(made) - 8000) <= 1
        return [sample / 32767 for sample in made[500:-500]]

    for rate in (44_100, 48_000):
        assert abs(20 * math.log10(rms(await resampled(1000, rate)) / rms(sine(1000, 0.5, rate)))) < 0.1
        assert 20 * math.log10(rms(await resampled(9000, rate)) / 0.35) < -50
    assert abs(rms(await resampled(1000, 16_000)) / 0.3535 - 1) < 0.01


async def test_a_recording_is_a_wav(open_page: Open) -> None:
    """Python's `wave` reads the recording's rate, format and samples."""
    page = await open_page(microphone=False)
    encoded = await page.evaluate(
        """(async () => {
            const { wav } = await import("/wav.js");
            const blob = wav([Int16Array.of(1, -2), Int16Array.of(300)], 16000);
            return btoa(String.fromCharCode(...new Uint8Array(await blob.arrayBuffer())));
        })()"""
    )
    with wave.open(io.BytesIO(b64decode(encoded))) as read:
        assert (read.getnchannels(), read.getsampwidth(), read.getframerate()) == (1, 2, 16_000)
        assert array("h", read.readframes(9)).tolist() == [1, -2, 300]


async def test_events_are_read_however_they_are_split(open_page: Open) -> None:
    """Events are parsed byte by byte, with either line end, comments, multi-line data and an unfinished end."""
    page = await open_page(microphone=False)
    stream = (
        'event: a\r\nid: 0\r\ndata: {"type": "a"}\r\n\r\n'
        ': the session lasts\n\ndata: {"type":\ndata: "ü"}\n\nid: 3\n\ndata: {"type": "cut'
    )
    found = await page.evaluate(
        f"""(async () => {{
            const {{ documents }} = await import("/events.js");
            const bytes = new TextEncoder().encode({json.dumps(stream)});
            const body = new ReadableStream({{
                start(controller) {{
                    for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
                    controller.close();
                }},
            }});
            const found = [];
            for await (const document of documents(new Response(body))) found.push(document.type);
            return found;
        }})()"""
    )
    assert found == ["a", "ü"]
