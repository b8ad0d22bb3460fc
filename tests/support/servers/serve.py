"""The production server with a clock that a test can move: `python -m tests.support.servers.serve`.

The clock is eight bytes in a file that is mapped into the server's memory: milliseconds to add to
the real time. The `Date` header of every response follows it, because clients with a wrong clock
use that header. With `--skew` the clock of this process is also wrong, unlike the database's.
Everything else is what `sayso serve` runs.
"""

import argparse
import mmap
import resource
import struct
import sys
import time
from pathlib import Path
from typing import Any

from server.serving.main import ServeOptions, _Application, run
from server.settings import load

_BYTES = 8


class MappedClock:
    """The real time plus the offset in the file, plus the skew of this process."""

    def __init__(self, path: Path, skew: int = 0) -> None:
        if not path.exists():
            path.write_bytes(struct.pack("<q", 0))
        with path.open("r+b") as file:
            self._shared = mmap.mmap(file.fileno(), _BYTES)
        self.skew = skew

    def now(self) -> int:
        """Return milliseconds since the epoch."""
        return time.time_ns() // 1_000_000 + self.offset + self.skew

    def adjust(self, moment: int) -> int:
        """Return the database's time with the same offset, but without the skew."""
        return moment + self.offset

    @property
    def offset(self) -> int:
        """Return how far this clock was moved, in milliseconds."""
        moved: int = struct.unpack("<q", self._shared[:_BYTES])[0]
        return moved

    def forward(self, milliseconds: int) -> None:
        """Let time pass in every process that maps the file."""
        self._shared[:_BYTES] = struct.pack("<q", self.offset + milliseconds)


def main(arguments: list[str]) -> None:
    """Serve with these options: port, clock file, workers, planted faults, detours and so on."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("clock", type=Path)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--skew", type=int, default=0, help="how wrong its clock is, in ms")
    parser.add_argument("--files", type=int, help="its limit of open files")
    parser.add_argument(
        "--refusals", type=int, default=1_000_000, help="wrong credentials that slow nobody"
    )
    parser.add_argument("--seed", action="append", default=[])
    parser.add_argument("--detour", action="append", default=[], metavar="ORIGIN=ORIGIN")
    parser.add_argument("--pages", type=Path, help="templates in place of the shipped ones")
    parser.add_argument(
        "--drawn", type=Path, help="where to write which templates were drawn at which paths"
    )
    options = parser.parse_args(arguments)
    if options.files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (options.files, options.files))
    clock = MappedClock(options.clock, options.skew)
    _prepare_workers(clock, options)
    run(load(), ServeOptions(port=options.port, workers=options.workers), clock)


def _prepare_workers(clock: MappedClock, options: argparse.Namespace) -> None:
    """Prepare each worker after gevent has patched what the application uses."""
    load_application = _Application.load
    detours = dict(detour.split("=") for detour in options.detour)

    def load_prepared(self: _Application) -> Any:  # a WSGI application
        _date_by(clock)
        _allow_refusals(options.refusals)
        if detours:
            _detour(detours)
        if options.pages:
            _draw_from(options.pages)
        if options.seed:
            _plant(options.seed)
        if options.drawn:
            _log_templates(options.drawn)
        return load_application(self)

    _Application.load = load_prepared  # type: ignore[method-assign]  # in place of it


def _date_by(clock: MappedClock) -> None:
    from gevent import pywsgi  # noqa: PLC0415  # gevent has patched now

    original_format = pywsgi.format_date_time
    pywsgi.format_date_time = lambda moment: original_format(
        moment + (clock.offset + clock.skew) / 1000
    )


def _allow_refusals(count: int) -> None:
    from server.serving import client_queues  # noqa: PLC0415  # gevent has patched now

    client_queues.FREE_REFUSALS = count  # type: ignore[misc]  # in place of ten


def _detour(detours: dict[str, str]) -> None:
    """Send requests for one origin to another; everything else stays, including signatures."""
    from server.delivery import egress  # noqa: PLC0415  # gevent has patched now
    from server.model.ports import Fetched  # noqa: PLC0415  # gevent has patched now

    original_send = egress.send

    def send(method: str, url: str, **named: Any) -> Fetched:
        for origin, replacement in detours.items():
            if url.startswith(f"{origin}/"):
                named["reach"] = None
                return original_send(method, replacement + url.removeprefix(origin), **named)
        return original_send(method, url, **named)

    egress.send = send


def _draw_from(pages: Path) -> None:
    from jinja2 import FileSystemLoader  # noqa: PLC0415  # gevent has patched now

    from server.http.views import PlainFlask  # noqa: PLC0415  # as above
    from server.web import installable  # noqa: PLC0415  # as above

    installable.TEMPLATES = pages  # type: ignore[misc]  # in place of them
    PlainFlask.jinja_loader = FileSystemLoader(pages)  # type: ignore[assignment]  # as above


def _log_templates(path: Path) -> None:
    from flask import request, template_rendered  # noqa: PLC0415  # gevent has patched now

    def drawn(_app: object, template: Any, **_: object) -> None:  # jinja2's
        with path.open("a") as lines:
            lines.write(f"{template.name} {request.path}\n")

    template_rendered.connect(drawn, weak=False)


def _plant(seeds: list[str]) -> None:
    from tests.support.checks import seeded  # noqa: PLC0415  # gevent has patched now

    for name in seeds:
        seeded.plant(name)


if __name__ == "__main__":
    main(sys.argv[1:])
