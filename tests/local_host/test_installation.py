"""The neural engines' packages are installed while the product runs, by the real pip, from an index of this test."""

import asyncio
import hashlib
import os
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from zipfile import ZipFile

import pytest

from emulators.serving import serving
from emulators.speech import speech_app
from emulators.speech.engine_choice import engines_from
from fakes.sound import voice_like
from local_host.engines import SpeechEngines
from local_host.installation import Installation
from tests.conftest import ROOT
from tests.emulators.engine_pair import FIXED, LIGHT, NEURAL, scripted_engines
from tests.emulators.scripted_engine import TRANSCRIPT
from tests.emulators.speech_client import config, recognise

PACKAGE = "tiny_engine"
WHEEL = f"{PACKAGE}-1.0-py3-none-any.whl"
BEGIN = "Installing the neural engines, 1 packages, in the background ..."
FAILED = "The neural engines were not installed: {}. The next start tries again, unless ENGINES=light."


class Site:
    """A folder that pip installs into and Python imports from, an index with one wheel, and a file of requirements."""

    def __init__(self, folder: Path) -> None:
        self.packages = folder / "packages"
        self.index = folder / "index"
        self.requirements = folder / "requirements.txt"
        self.done = folder / "neural.done"
        self.index.mkdir()
        self.require(hashlib.sha256(self._wheel().read_bytes()).hexdigest())

    @property
    def installation(self) -> Installation:
        return Installation(self.requirements, self.done)

    def require(self, sha256: str) -> None:
        self.requirements.write_text(f"{PACKAGE}==1.0 --hash=sha256:{sha256}\n")

    def _wheel(self) -> Path:
        info = f"{PACKAGE}-1.0.dist-info"
        with ZipFile(self.index / WHEEL, "w") as wheel:
            wheel.writestr(f"{PACKAGE}.py", "")
            wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: 1.0\n")
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", "")
        return self.index / WHEEL


@pytest.fixture(name="site")
def _site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    site = Site(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(site.packages))
    monkeypatch.syspath_prepend(site.packages)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_TARGET", str(site.packages))
    monkeypatch.setenv("PIP_FIND_LINKS", str(site.index))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    return site


async def test_engines_are_installed_and_switched_to(site: Site) -> None:
    """The light engine serves until the packages are there, then the neural one, in the same emulator."""
    said: list[str] = []
    speech = SpeechEngines(scripted_engines(package=PACKAGE), site.installation)
    async with serving(speech_app(speech.engines)) as url:
        before = await recognise(config(url), voice_like(1.0))
        await speech.start(said.append)
        after = await recognise(config(url), voice_like(1.0))
    assert [before.finals[0].text, after.finals[0].text] == [FIXED, TRANSCRIPT]
    assert said == [
        f"{LIGHT} Not in use: whisper (being installed), hibari (being installed).",
        BEGIN,
        "Neural engines: unpacking",
        NEURAL,
    ]


async def test_they_are_installed_once(site: Site) -> None:
    """A second start installs nothing, until the requirements change."""
    assert site.installation.needed()
    assert await site.installation.run(lambda _: None)
    assert not site.installation.needed()
    os.utime(site.requirements, (site.done.stat().st_mtime + 1,) * 2)
    assert site.installation.needed()


async def test_a_package_that_was_removed_is_installed_again(site: Site) -> None:
    """The next start installs what has been uninstalled since; packages of other systems are not missed."""
    site.requirements.write_text(
        f"{site.requirements.read_text()}not-here==1.0 ; sys_platform == 'none' \\\n    --hash=sha256:0\n"
    )
    assert await site.installation.run(lambda _: None)
    assert not site.installation.needed()
    shutil.rmtree(site.packages / f"{PACKAGE}-1.0.dist-info")
    assert site.installation.needed()


async def test_a_folder_that_cannot_be_written_gets_one_line(site: Site) -> None:
    """Whatever the system refuses is a reason in the output; the engines are chosen all the same."""
    said: list[str] = []
    unwritable = Installation(site.requirements, site.requirements / "neural.done")
    speech = SpeechEngines(scripted_engines(package=PACKAGE), unwritable)
    await speech.start(said.append)
    await speech.engines.close()
    assert "The neural engines were not installed: [Errno 20] Not a directory" in said[3]
    assert said[4:] == [NEURAL]


async def test_nothing_is_installed_for_light_engines(site: Site) -> None:
    """With only light engines chosen, the start prints which they are, and runs no pip."""
    said: list[str] = []
    await SpeechEngines(engines_from({"ENGINES": "light"}), site.installation).start(said.append)
    assert len(said) == 1
    assert not site.done.exists()


async def test_other_packages_are_refused(site: Site) -> None:
    """A package with another hash is not installed; one line says so, and the light engine serves."""
    site.require("0" * 64)
    said: list[str] = []
    speech = SpeechEngines(scripted_engines(package=PACKAGE), site.installation)
    await speech.start(said.append)
    await speech.engines.close()
    assert said[2].startswith("The neural engines were not installed: THESE PACKAGES DO NOT MATCH THE HASHES")
    reason = f"{PACKAGE} is not installed"
    assert said[3:] == [f"{LIGHT} Not in use: whisper ({reason}), hibari ({reason})."]
    assert not site.done.exists()


async def test_a_machine_without_a_network_gets_one_line(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """An index that cannot be reached is one line, and the next start tries again."""
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/")
    said: list[str] = []
    assert not await site.installation.run(said.append)
    assert said == [BEGIN, FAILED.format("the package index cannot be reached")]
    assert site.installation.needed()


@pytest.fixture(name="slow_index")
async def _slow_index() -> AsyncIterator[tuple[str, asyncio.Event, asyncio.Event]]:
    """An index that never responds; events of a connection and of its end."""
    begun, ended = asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        begun.set()
        await reader.read()
        ended.set()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1")
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", begun, ended


async def test_the_installation_ends_with_the_product(
    site: Site, slow_index: tuple[str, asyncio.Event, asyncio.Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    """When it is stopped halfway, pip is stopped too."""
    url, begun, ended = slow_index
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", url)
    installing = asyncio.create_task(site.installation.run(lambda _: None))
    await begun.wait()
    installing.cancel()
    await asyncio.wait({installing})
    await ended.wait()
    assert site.installation.needed()


def test_shared_packages_have_one_version() -> None:
    """The neural engines' requirements change no version that the product runs with, and every one has hashes."""
    pinned = re.compile(r"^([\w.-]+)(?:\[.*\])?==(\S+)", re.MULTILINE)
    neural = (ROOT / "requirements-neural.txt").read_text()
    product = pinned.findall((ROOT / "requirements.txt").read_text())
    versions = {name: {version for each, version in product if each == name} for name, _ in product}
    assert all(version in versions[name] for name, version in pinned.findall(neural) if name in versions)
    assert all("--hash=sha256:" in entry for entry in re.split(r"^(?=[\w.-]+==)", neural, flags=re.MULTILINE)[1:])
