"""Recordings of one or several kinds, one after the other, as recorders in slices send them."""

from collections.abc import Callable

from tests.hygiene.structure.aac_streams import adts, amr, latm
from tests.hygiene.structure.aiff import aiff, au
from tests.hygiene.structure.caf import caf
from tests.hygiene.structure.draw import Draw
from tests.hygiene.structure.flac import flac
from tests.hygiene.structure.matroska import matroska
from tests.hygiene.structure.mp4 import mp4
from tests.hygiene.structure.mpeg_audio import mp3
from tests.hygiene.structure.ogg import ogg
from tests.hygiene.structure.wav import wav, wave64

FORMATS: tuple[Callable[[Draw], bytes], ...] = (
    *(mp4, matroska, ogg, flac, wav, wave64, caf, aiff, au, mp3, adts, latm, amr),
)


def joined_recordings(draw: Draw) -> bytes:
    """Mostly slices of one format; the later ones are sometimes without their beginning."""
    same = draw.choice(FORMATS) if draw.likely(0.7) else None
    slices = [(same or draw.choice(FORMATS))(draw) for _ in range(draw.choice((2, 2, 3, 5)))]
    beginning = draw.choice((0, 0, 0, 44, 200))
    return slices[0] + b"".join(draw.choice((b"", b"", bytes(7))) + later[beginning:] for later in slices[1:])
