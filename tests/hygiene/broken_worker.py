"""A worker that crashes at its third input and hangs at its fifth, to test that a run detects both."""

import json
import os
import signal
import sys
import time
from dataclasses import asdict

from tests.hygiene.fuzz_worker import InputResult

CRASHES, HANGS = 2, 4


def main() -> None:
    _, first, step, end = (int(argument) for argument in sys.argv[1:5])
    for number in range(first, end, step):
        if number == CRASHES:
            os.kill(os.getpid(), signal.SIGSEGV)
        if number == HANGS:
            time.sleep(3600)
        result = InputResult(number, "mp4", "decoded", 0.0, 0.0, 0, 1_000_000 * number)
        sys.stdout.write(json.dumps(asdict(result)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
