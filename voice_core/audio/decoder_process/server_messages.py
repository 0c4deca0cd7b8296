"""Messages between a worker process and its decoder server."""

import struct

REQUEST = struct.Struct("!cI")
"""From the worker: `FORK`, with a descriptor, or `KILL`; the number of the decoder process."""

EXIT = struct.Struct("!Ii")
"""To the worker: a number, and an exit status as from `os.waitpid`. Number `READY`: the server is ready."""

FORK, KILL = b"F", b"K"
READY = 0
