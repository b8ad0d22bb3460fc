"""Servers, commands and terminal apps that start as forks of a process that has loaded them.

Loading is most of a start: two and a half seconds of processor time for a server, one for a
terminal app. One process loads the product once and forks for each start. A forked server has no
gunicorn arbiter: its first process forks the workers, passes SIGTERM on to them and waits for them.
Tests of how a server starts, ends or uses memory run `tests.support.servers.serve` or `sayso serve`
directly instead.

Owns: the parent process of the forks, and what a fork does first.
Never: loads the server before gevent has patched what it needs; commands run without gevent.
"""

import _socket
import array
import atexit
import contextlib
import fcntl
import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NoReturn

ROOT = Path(__file__).parents[3]
_KILLED = -signal.SIGKILL


@dataclass(slots=True)
class Forked:
    """A forked process and its own children, with methods like those of `subprocess.Popen`."""

    pid: int
    stdout: IO[bytes] | None
    _line: socket.socket
    """Open in all of these processes: it closes when the last one has ended."""
    _ended: int | None = None

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.wait(0)
        return None

    def wait(self, timeout: float | None = None) -> int:
        """Wait until all of them have ended; return the exit code of the first."""
        if self._ended is None:
            self._line.settimeout(timeout)
            try:
                code = b""
                while piece := self._line.recv(64):
                    code += piece
            except (BlockingIOError, TimeoutError):
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0) from None
            self._line.close()
            self._ended = int(code) if code else _KILLED
        return self._ended

    def terminate(self) -> None:
        """Send SIGTERM to the first process."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGTERM)


def begin() -> None:
    """Start the processes that load the product early, before a test needs a fork of them."""
    for work in ("serve", "command"):
        _parent(work)


def serve(arguments: Sequence[str], environment: Mapping[str, str], log: int) -> Forked:
    """Fork `python -m tests.support.servers.serve`; `log` is the descriptor of its stderr."""
    reading, writing = os.pipe()
    try:
        return _parent("serve").fork(
            arguments, environment, (writing, log), os.fdopen(reading, "rb")
        )
    finally:
        os.close(writing)


def run(
    arguments: Sequence[str], environment: Mapping[str, str], timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    """Fork `python -m server`, and wait until it ends."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        outputs = (out.fileno(), err.fileno())
        process = _parent("command").fork(arguments, environment, outputs, None)
        code = process.wait(timeout)
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(
            list(arguments), code, out.read().decode(), err.read().decode()
        )


def open_terminal(
    arguments: Sequence[str], environment: Mapping[str, str], terminal: int
) -> Forked:
    """Fork `sayso-approver` on the terminal with this descriptor."""
    return _parent("approver").fork(arguments, environment, (terminal, terminal), None)


@dataclass(frozen=True, slots=True)
class _Parent:
    """A process that has loaded the product and forks on request."""

    control: socket.socket
    process: subprocess.Popen[bytes]

    def close(self) -> None:
        """Let the process end; its forks continue."""
        self.control.close()
        self.process.wait()

    def fork(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        outputs: tuple[int, int],
        stdout: IO[bytes] | None,
    ) -> Forked:
        """Fork a process that runs with these arguments; `outputs` are its stdout and stderr."""
        own_end, other_end = socket.socketpair()
        with other_end:
            socket.send_fds(self.control, [b"."], [other_end.fileno(), *outputs])
        request = {"arguments": list(arguments), "environment": dict(environment)}
        own_end.sendall(json.dumps(request).encode() + b"\n")
        return Forked(int(_line(own_end.fileno())), stdout, own_end)


_PARENTS: dict[str, _Parent] = {}
_STARTING = threading.Lock()


def _parent(work: str) -> _Parent:
    """Return the process that forks for this work; it ends with the test's process."""
    with _STARTING:
        if work not in _PARENTS:
            own_end, other_end = socket.socketpair()
            with other_end:
                process = subprocess.Popen(
                    [
                        sys.executable,
                        "-m",
                        "tests.support.servers.forking",
                        work,
                        str(other_end.fileno()),
                    ],
                    cwd=ROOT,
                    stdin=subprocess.DEVNULL,
                    pass_fds=(other_end.fileno(),),
                    start_new_session=True,
                )
            _PARENTS[work] = parent = _Parent(own_end, process)
            atexit.register(parent.close)
        return _PARENTS[work]


# --- In the parent and its forks ------------------------------------------------------------

_fork, _waitpid, _signal, _close = os.fork, os.waitpid, signal.signal, os.close
"""The original functions, before gevent patches them."""


def _line(descriptor: int) -> bytes:
    read = b""
    while not read.endswith(b"\n"):
        piece = os.read(descriptor, 1)
        if not piece:
            raise EOFError("the process that loads the product has ended")
        read += piece
    return read


def _to_serve() -> Callable[[list[str]], object]:
    from gevent import monkey  # noqa: PLC0415  # only where servers are started

    monkey.patch_all()
    from server import app  # noqa: PLC0415  # gevent has patched now
    from server.serving import loops, main, worker  # noqa: F401, PLC0415  # as above
    from server.settings import Settings  # noqa: PLC0415  # as above
    from tests.support.servers import serve  # noqa: PLC0415  # as above

    with tempfile.TemporaryDirectory() as folder:  # an application loads more when it is made
        settings = Settings(data_dir=Path(folder), issuer="http://localhost:1")
        services = app.build(settings, serving=True)
        app.create_app(app.create_site(services, max_feeds=1))
        services.store.close()
    main._Application.run = _without_arbiter
    return serve.main


def _without_arbiter(application: Any) -> None:  # gunicorn has no types
    """Fork the workers, pass SIGTERM on to them, and wait until they have ended."""
    from gunicorn import sock  # noqa: PLC0415  # gevent has patched now

    cfg, workers = application.cfg, list[int]()
    log = cfg.logger_class(cfg)
    sockets = sock.create_sockets(cfg, log)

    def pass_on(*_: object) -> None:
        for worker_pid in workers:
            os.kill(worker_pid, signal.SIGTERM)

    _signal(signal.SIGTERM, pass_on)
    first = os.getpid()
    for age in range(1, cfg.workers + 1):
        process = _fork()
        if process == 0:
            _work(cfg.worker_class(age, first, sockets, application, cfg.timeout, cfg, log))
        workers.append(process)
    os.close = _close  # gevent's version waits for a loop that does not run here
    for process in workers:
        _, status = _waitpid(process, 0)
        if code := os.waitstatus_to_exitcode(status):
            sys.stderr.write(f"worker {process} ended: {code}\n")


def _work(worker: Any) -> NoReturn:  # as above
    code = 1
    try:
        worker.pid = os.getpid()
        worker.init_process()
        code = 0
    except SystemExit as ended:
        code = int(ended.code or 0)
    except BaseException:  # noqa: BLE001  # the process ends here, and says why
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _to_command() -> Callable[[list[str]], object]:
    from server import app, cli  # noqa: F401, PLC0415  # only where commands are run

    for module in pkgutil.walk_packages(cli.__path__, "server.cli."):
        importlib.import_module(module.name)

    def command(arguments: list[str]) -> None:
        sys.argv = ["server", *arguments]
        runpy.run_module("server", run_name="__main__")

    return command


def _to_approver() -> Callable[[list[str]], object]:
    import approver_tui  # noqa: PLC0415  # only where terminal apps are opened
    from approver_tui.cli import main  # noqa: PLC0415  # as above

    for module in pkgutil.walk_packages(approver_tui.__path__, "approver_tui."):
        if module.name != "approver_tui.__main__":
            importlib.import_module(module.name)

    def approver(arguments: list[str]) -> None:
        fcntl.ioctl(1, termios.TIOCSCTTY, 0)
        os.dup2(1, 0)
        sys.stdin = sys.__stdin__ = open(0, closefd=False)  # type: ignore[misc]  # noqa: SIM115  # as at a start
        for name, descriptor in (("stdout", 1), ("stderr", 2)):
            stream = open(descriptor, "w", buffering=1, closefd=False)  # noqa: SIM115  # as above
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)
        try:
            main.main(arguments)
        finally:
            threading._shutdown()  # type: ignore[attr-defined]  # wait for threads, as Python does

    return approver


_WORK: Mapping[str, Callable[[], Callable[[list[str]], object]]] = {
    "serve": _to_serve,
    "command": _to_command,
    "approver": _to_approver,
}


def main(kind: str, control: int) -> None:
    """Load the product, then fork on each request until the other end of `control` is closed."""
    work = _WORK[kind]()
    gc.collect()
    gc.freeze()
    _signal(signal.SIGCHLD, signal.SIG_IGN)
    line = _socket.socket(fileno=control)
    while descriptors := _receive_descriptors(line):
        if _fork() == 0:
            line.close()
            _become(work, *descriptors)
        for descriptor in descriptors:
            _close(descriptor)


def _receive_descriptors(line: _socket.socket) -> list[int]:
    descriptors = array.array("i")
    _, ancillary, _, _ = line.recvmsg(1, _socket.CMSG_SPACE(3 * descriptors.itemsize))
    for _, _, data in ancillary:
        descriptors.frombytes(data)
    return list(descriptors)


def _become(work: Callable[[list[str]], object], line: int, out: int, err: int) -> NoReturn:
    code = 1
    try:
        os.setsid()
        _signal(signal.SIGCHLD, signal.SIG_DFL)
        for target, descriptor in ((1, out), (2, err)):
            os.dup2(descriptor, target)
            _close(descriptor)
        os.write(line, f"{os.getpid()}\n".encode())
        request = json.loads(_line(line))
        os.environ.clear()
        os.environ.update(request["environment"])
        work(request["arguments"])
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # noqa: BLE001  # the process ends here, and says why
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os.write(line, str(code).encode())
        os._exit(code)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
