"""The recordings of people, and the spelling in which their words are compared."""

import io
import tarfile
from hashlib import sha256
from pathlib import Path

import pytest

from benchmarks.figures import BenchmarkFailed
from benchmarks.real_speech import archives
from benchmarks.real_speech.__main__ import LEAST, Trial, figure
from benchmarks.real_speech.catalogue import Recording, Source, sources
from benchmarks.real_speech.normalisation import normalised_words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Mr. Dashwood", "mister dashwood"),
        ("We’re going to cancel, it's cancelled.", "we are gonna cancel it's canceled"),
        ("for 2020", "for twenty twenty"),
        ("since 1905 and 1800", "since nineteen oh five and eighteen hundred"),
        ("press 1 for 2,020 items", "press one for twenty twenty items"),
        ("uh [cough] yeah <noise> so", "Yeah, so"),
        ("ill-disposed", "ill disposed"),
        ("105 of 42 in 2007", "one hundred five of forty two in two thousand seven"),
        ("007", "zero zero seven"),
    ],
)
def test_spelling_is_no_error(one: str, other: str) -> None:
    """Numbers, titles, contractions, hesitations, hyphens and British spelling compare as equal."""
    assert normalised_words(one) == normalised_words(other)


@pytest.mark.parametrize(("one", "other"), [("brother's", "brothers"), ("he had", "he has"), ("here's", "here are")])
def test_other_words_stay_different(one: str, other: str) -> None:
    """Two words that are heard differently are not made equal."""
    assert normalised_words(one) != normalised_words(other)


def test_the_catalogue_has_enough_people() -> None:
    """Its words, speakers and sources are at least those of the target, and no file occurs twice."""
    catalogue = sources()
    recordings = [recording for source in catalogue for recording in source.recordings]

    assert len(catalogue) >= LEAST["sources"]
    assert len({speaker for source in catalogue for speaker in source.speakers}) >= LEAST["speakers"]
    assert sum(len(normalised_words(recording.text)) for recording in recordings) >= LEAST["words"]
    assert len({recording.file for recording in recordings}) == len(recordings)
    assert all(source.licence and source.texts for source in catalogue)


def test_a_refused_recording_counts_as_misheard() -> None:
    """All words of a recording that the product refused are errors."""
    recordings = Recording("a.wav", "ten of clubs", "one"), Recording("b.wav", "five five")
    source = _source(b"", recordings)

    members = figure("all", {source: [Trial(recordings[0], None), Trial(recordings[1], "five")]}).members()

    assert members["errors"] == 4
    assert members["wer_percent"] == 80.0
    assert members["failed"] == 1
    assert members["speakers"] == 1


def test_recordings_come_out_of_an_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A recording without a header gets one, and other files of the archive are left out."""
    package = _package({"top/data/one.wav": b"RIFF", "top/data/two.raw": bytes(320), "top/code.py": b"1"})
    source = _source(package, (Recording("data/one.wav", "one"), Recording("data/two.raw", "two")))
    monkeypatch.setattr(archives, "FOLDER", tmp_path)
    tmp_path.joinpath("numbers-1.0").write_bytes(package)

    files = archives.contents(source)

    assert files["data/one.wav"] == b"RIFF"
    assert files["data/two.raw"].startswith(b"RIFF")
    assert files["data/two.raw"].endswith(bytes(320))
    assert files.keys() == {"data/one.wav", "data/two.raw"}


def test_a_changed_archive_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An archive with another SHA-256 than the catalogue's is deleted, and the run fails."""
    monkeypatch.setattr(archives, "FOLDER", tmp_path)
    tmp_path.joinpath("numbers-1.0").write_bytes(b"changed")

    with pytest.raises(BenchmarkFailed, match="SHA-256"):
        archives.archive(_source(b"expected", ()))

    assert not list(tmp_path.iterdir())


def _source(package: bytes, recordings: tuple[Recording, ...]) -> Source:
    return Source(
        name="numbers",
        registry="pypi-sdist",
        package="numbers",
        version="1.0",
        sha256=sha256(package).hexdigest(),
        licence="MIT",
        texts="here",
        recordings=recordings,
    )


def _package(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as package:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            package.addfile(member, io.BytesIO(data))
    return buffer.getvalue()
