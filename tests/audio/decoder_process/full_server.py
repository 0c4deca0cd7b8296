"""A decoder server on a system that has room for `FORKS` processes only, and for no process after them."""

import errno
import os

from voice_core.audio.decoder_process import server_main

FORKS = int(os.environ.get("LANG", "0"))
"""How many forks succeed; the server gets only some variables, and this one is not used by it."""

_fork, _forked = os.fork, 0


def _limited() -> int:
    global _forked
    if _forked >= FORKS:
        raise OSError(errno.EAGAIN, "no process left")
    _forked += 1
    return _fork()


if __name__ == "__main__":
    os.fork = _limited
    server_main.main()
