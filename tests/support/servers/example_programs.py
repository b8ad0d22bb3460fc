"""The programs of `examples/`, each a process, started by a line of their README.

Owns: their life, and what goes in and out. Never: what must come of it.
"""

import contextlib
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.support.checks.waiting import until


@dataclass(frozen=True, slots=True)
class ExampleProgram:
    """A running example."""

    process: subprocess.Popen[str]

    def write(self, text: str) -> None:
        """One line for it."""
        assert self.process.stdin is not None
        self.process.stdin.write(" ".join(text.split()) + "\n")
        self.process.stdin.flush()

    def read(self) -> str:
        """The next line that it prints."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


@contextlib.contextmanager
def running_example(
    line: str, folder: Path, environment: dict[str, str]
) -> Iterator[ExampleProgram]:
    """A program that is gone afterwards."""
    name, *words = shlex.split(line)
    program = {"python": [sys.executable], "uvicorn": [sys.executable, "-m", "uvicorn"]}[name]
    process = subprocess.Popen(
        [*program, *words],
        cwd=folder,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield ExampleProgram(process)
    finally:
        process.kill()
        process.communicate()


def wait_for(url: str) -> None:
    """Wait until a server there asks who calls."""
    until(lambda: _status(url) == httpx.codes.UNAUTHORIZED, 60)


def _status(url: str) -> int:
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(url, trust_env=False).status_code
    return 0
