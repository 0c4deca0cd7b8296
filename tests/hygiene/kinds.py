"""The kinds of generated input, each with its door."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.hygiene.doors import recordings, requests, sessions, texts
from tests.hygiene.doors.recordings import Door, decoded_by_processes
from tests.hygiene.structure.aac_streams import adts, amr, latm
from tests.hygiene.structure.aiff import aiff, au
from tests.hygiene.structure.caf import caf
from tests.hygiene.structure.flac import flac
from tests.hygiene.structure.joined_recordings import joined_recordings
from tests.hygiene.structure.matroska import matroska
from tests.hygiene.structure.mp4 import mp4
from tests.hygiene.structure.mpeg_audio import mp3
from tests.hygiene.structure.ogg import ogg
from tests.hygiene.structure.wav import wav, wave64


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of input."""

    door: Door
    weight: int = 2
    """Its share of a run: more for those that cost little."""
    from_service: bool = False
    """Whether a service sends it, so that a failure of that service is the right error."""


KINDS: Mapping[str, Kind] = {
    "mp4": Kind(decoded_by_processes(mp4), 4),
    "matroska": Kind(decoded_by_processes(matroska), 4),
    "ogg": Kind(decoded_by_processes(ogg)),
    "flac": Kind(decoded_by_processes(flac)),
    "wav": Kind(decoded_by_processes(wav)),
    "wave64": Kind(decoded_by_processes(wave64)),
    "caf": Kind(decoded_by_processes(caf)),
    "aiff": Kind(decoded_by_processes(aiff)),
    "au": Kind(decoded_by_processes(au), 1),
    "mp3": Kind(decoded_by_processes(mp3)),
    "adts": Kind(decoded_by_processes(adts)),
    "latm": Kind(decoded_by_processes(latm)),
    "amr": Kind(decoded_by_processes(amr), 1),
    "joined": Kind(decoded_by_processes(joined_recordings), 1),
    "damaged": Kind(recordings.damaged_recording, 3),
    "base64": Kind(recordings.text, 2),
    "json": Kind(requests.json_body, 8),
    "form": Kind(requests.form_body, 6),
    "pcm": Kind(requests.raw_body, 3),
    "headers": Kind(requests.header_fields, 8),
    "language": Kind(requests.language, 6),
    "principal": Kind(requests.principal, 6),
    "offer": Kind(sessions.answered_offer, 2),
    "fragment": Kind(sessions.trickled_fragment, 6),
    "rtp": Kind(sessions.microphone, 3),
    "rtcp": Kind(sessions.network_reports, 6),
    "stun": Kind(sessions.connectivity_checks, 6),
    "sctp": Kind(sessions.association, 6),
    "message": Kind(sessions.message, 8),
    "reply": Kind(texts.reply, 1, from_service=True),
    "text": Kind(texts.text, 8),
    "captions": Kind(texts.captions, 8),
}
"""By name; the same names are options of `fuzz`."""


def plan(names: Sequence[str] = ()) -> list[str]:
    """The kinds of consecutive inputs, which are repeated: those in *names*, or all of them by their weights."""
    if names:
        return list(names)
    most = max(kind.weight for kind in KINDS.values())
    return [name for turn in range(most) for name, kind in KINDS.items() if turn < kind.weight]
