"""A worker that crashes at its third mutation and hangs at its fifth, to test that `fuzz` detects both."""

import json
import os
import signal
import sys
import time
from dataclasses import asdict

from tests.hygiene.fuzz_worker import MutationResult

CRASHES, HANGS = 2, 4


def main() -> None:
    _, first, step, end = (int(argument) for argument in sys.argv[1:])
    for number in range(first, end, step):
        if number == CRASHES:
            os.kill(os.getpid(), signal.SIGSEGV)
        if number == HANGS:
            time.sleep(3600)
        sys.stdout.write(
            json.dumps(asdict(MutationResult(number, "", "decoded", 0.0, 0.0, 0, 1_000_000 * number))) + "\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
