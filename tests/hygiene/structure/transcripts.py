"""Transcripts with times, as recognition returns them for a clip."""

from tests.hygiene.structure.draw import Draw
from voice_core.domain.speech import TimedPhrase, TimedWord


def transcript(draw: Draw) -> list[TimedPhrase]:
    """Phrases whose words and times follow one another, or overlap, or are missing."""
    phrases, now = [], 0
    for _ in range(draw.choice((0, 1, 3, draw.count(40)))):
        now += draw.choice((0, 100, 2_000, draw.number(24))) if draw.likely(0.9) else -draw.number(12)
        words = [draw.text(draw.choice((8, 8, 60))) for _ in range(draw.count(60))]
        timed, begin = [], now
        for word in words:
            end = now + draw.choice((0, 200, 200, 9_000))
            timed.append(TimedWord(word, now, end))
            now = end
        text = draw.choice((" ", "", "\u3000")).join(words)
        text = text if draw.likely(0.8) else draw.choice((text.upper(), "", draw.text(300), " " * draw.count(200)))
        known = tuple(timed) if draw.likely(0.8) else ()
        phrases.append(TimedPhrase(text, begin, max(begin, now), draw.choice(("en-US", "ja-JP", "")), None, known))
    return phrases
