"""The production server with a clock that a test can move: `python -m tests.support.serve`.

The clock is eight bytes in a file, mapped into the server's memory: milliseconds to add to the real
time. Everything else is what `sayso serve` runs.
"""

import argparse
import mmap
import struct
import sys
import time
from pathlib import Path
from typing import Any

from server.serving.main import Shape, _Application, run
from server.settings import load

_BYTES = 8


class MappedClock:
    """The real time plus what the file says."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(struct.pack("<q", 0))
        with path.open("r+b") as file:
            self._shared = mmap.mmap(file.fileno(), _BYTES)

    def now(self) -> int:
        """Milliseconds since the epoch."""
        return time.time_ns() // 1_000_000 + self.offset

    def adjust(self, moment: int) -> int:
        """The database's time is moved as ours is."""
        return moment + self.offset

    @property
    def offset(self) -> int:
        """How far this clock was moved, in milliseconds."""
        moved: int = struct.unpack("<q", self._shared[:_BYTES])[0]
        return moved

    def forward(self, milliseconds: int) -> None:
        """Let time pass in every process that maps the file."""
        self._shared[:_BYTES] = struct.pack("<q", self.offset + milliseconds)


def main(arguments: list[str]) -> None:
    """Serve: port, clock file, how many workers, and faults to plant in them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("clock", type=Path)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seed", action="append", default=[])
    given = parser.parse_args(arguments)
    if given.seed:
        _plant_in_workers(given.seed)
    run(load(), Shape(port=given.port, workers=given.workers), MappedClock(given.clock))


def _plant_in_workers(seeds: list[str]) -> None:
    """Only there gevent has patched what the application stands on."""
    load_application = _Application.load

    def load_with_faults(self: _Application) -> Any:  # a WSGI application
        from tests.support import seeded  # noqa: PLC0415

        for name in seeds:
            seeded.plant(name)
        return load_application(self)

    _Application.load = load_with_faults  # type: ignore[method-assign]


if __name__ == "__main__":
    main(sys.argv[1:])
