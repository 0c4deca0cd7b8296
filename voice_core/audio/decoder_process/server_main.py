"""The decoder server: forks a decoder process for each recording, and kills it on request.

`python -m voice_core.audio.decoder_process.server_main DESCRIPTOR`, with the number of a connected Unix socket. It has
no threads, reads no recording, and kills all decoder processes when the worker's end of the socket is closed, however
the worker ends.
"""

import gc
import os
import select
import signal
import socket
import sys

from voice_core.audio.decoder_process import decoder_main
from voice_core.audio.decoder_process.kernel_limits import limit_server
from voice_core.audio.decoder_process.server_messages import EXIT, FORK, READY, REQUEST


class Server:
    """Serves the requests on *control* until its other end is closed."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._numbers: dict[int, int] = {}
        """The number of each running process, by process id."""
        self._wakeup, waker = os.pipe()
        os.set_blocking(self._wakeup, False)
        os.set_blocking(waker, False)
        self._waker = waker
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)

    def serve(self) -> None:
        try:
            self._control.sendall(EXIT.pack(READY, 0))
            while self._step():
                pass
        except OSError:
            pass
        finally:
            for pid in self._numbers:
                os.kill(pid, signal.SIGKILL)

    def _step(self) -> bool:
        """Wait for a request or the end of a process; False when the worker is gone."""
        control = self._control.fileno()
        readable, _, _ = select.select([control, self._wakeup], [], [])
        if self._wakeup in readable:
            os.read(self._wakeup, 4096)
        self._reap()
        if control not in readable:
            return True
        message, descriptors, _, _ = socket.recv_fds(self._control, REQUEST.size, 1)
        if len(message) < REQUEST.size:
            return False
        kind, number = REQUEST.unpack(message)
        if kind == FORK:
            self._fork(number, descriptors[0])
        else:
            self._kill(number)
        return True

    def _fork(self, number: int, descriptor: int) -> None:
        """Fork the process *number*. If the system has no room for it, it is reported as killed."""
        try:
            pid = os.fork()
        except OSError:
            self._control.sendall(EXIT.pack(number, signal.SIGKILL))
        else:
            if pid == 0:
                self._decode(descriptor)
            self._numbers[pid] = number
        os.close(descriptor)

    def _decode(self, descriptor: int) -> None:
        """The life of a decoder process. It does not return."""
        status = decoder_main.FAILED
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for other in (self._control.fileno(), self._wakeup, self._waker):
                os.close(other)
            with socket.socket(fileno=descriptor) as connection:
                status = decoder_main.run(connection)
        except BaseException:  # noqa: BLE001 - the process must not return to the server's code
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(status)

    def _kill(self, number: int) -> None:
        for pid, running in self._numbers.items():
            if running == number:
                os.kill(pid, signal.SIGKILL)

    def _reap(self) -> None:
        """Report the processes that have ended."""
        while self._numbers:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            self._control.sendall(EXIT.pack(self._numbers.pop(pid), status))


def main() -> None:
    limit_server()
    # Forked processes share the pages of all objects that live now.
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=int(sys.argv[1])) as control:
        Server(control).serve()


if __name__ == "__main__":
    main()
