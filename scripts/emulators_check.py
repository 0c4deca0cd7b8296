"""Installs the emulators' package into an empty environment and runs the examples of its README there."""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
SDKS = ("azure-cognitiveservices-speech", "openai", "azure-cosmos")
EMULATORS = ("speech", "openai", "cosmos", "issuer")
FIRST_PORT = 7172
"""Ports of the check: a hundred above the usual ones, which a running product may have."""

SECONDS = 120
NPM_COSMOS = "@azure/cosmos@4.9.3"


def main() -> None:
    examples = re.findall(r"```python\n(.*?)```", (ROOT / "emulators" / "README.md").read_text(), re.DOTALL)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        programs = _install(folder)
        with _running(programs, folder):
            for example in examples:
                _run(programs / "python", example, folder)
            _run_steps(folder)
    sys.stdout.write(f"{len(examples)} examples ran in an empty environment.\n")


def _install(folder: Path) -> Path:
    """An environment with the package and the SDKs alone; the folder of its programs."""
    source = shutil.copytree(ROOT / "emulators", folder / "emulators", ignore=shutil.ignore_patterns("__pycache__"))
    versions = [
        line.split()[0] for line in (ROOT / "requirements.in").read_text().splitlines() if line.startswith(SDKS)
    ]
    subprocess.run([sys.executable, "-m", "venv", folder / "env"], check=True)
    programs = folder / "env" / "bin"
    pip = [str(programs / "python"), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    subprocess.run([*pip, str(source), *versions], check=True)
    return programs


@contextmanager
def _running(programs: Path, folder: Path) -> Iterator[None]:
    ports = [f"--port={name}={_moved(port)}" for name, port in zip(EMULATORS, (7072, 7073, 7074, 7076), strict=True)]
    command = [str(programs / "azure-voice-emulators"), "--only", ",".join(EMULATORS), *ports]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
    try:
        for line in process.stdout or ():
            if line.startswith("Ctrl+C"):
                break
        yield
    finally:
        process.terminate()
        process.wait()


def _run(python: Path, example: str, folder: Path) -> None:
    code = re.sub(r"127\.0\.0\.1:(707\d)", lambda match: f"127.0.0.1:{_moved(int(match[1]))}", example)
    done = subprocess.run([python, "-c", code], cwd=folder, capture_output=True, text=True, timeout=SECONDS)
    if done.returncode:
        sys.exit(f"{example}\n{done.stderr}")
    sys.stdout.write(done.stdout)


def _run_steps(folder: Path) -> None:
    """The steps of npm's SDK, where there is Node."""
    if shutil.which("npm") is None:
        sys.stdout.write("Without Node, npm's @azure/cosmos is not tried.\n")
        return
    npm = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), NPM_COSMOS]
    subprocess.run(npm, check=True)
    steps = shutil.copy(ROOT / "scripts" / "cosmos_steps.js", folder)
    subprocess.run(["node", steps, f"http://127.0.0.1:{_moved(7074)}"], check=True)


def _moved(port: int) -> int:
    return port - 7072 + FIRST_PORT


if __name__ == "__main__":
    main()
