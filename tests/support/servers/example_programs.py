"""The programs of `examples/`, each started as a process by a command line from their README.

Owns: starting and stopping them, their input and output. Never: what they should print.
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
from tests.support.servers.gateway import status_of


@dataclass(frozen=True, slots=True)
class ExampleProgram:
    """A running example."""

    process: subprocess.Popen[str]

    def write(self, text: str) -> None:
        """Write one line to its stdin."""
        assert self.process.stdin is not None
        self.process.stdin.write(" ".join(text.split()) + "\n")
        self.process.stdin.flush()

    def read(self) -> str:
        """Return the next line that it prints."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


@contextlib.contextmanager
def running_example(
    line: str, folder: Path, environment: dict[str, str]
) -> Iterator[ExampleProgram]:
    """Run a program while the block runs."""
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
    """Wait until the server at this URL answers 401."""
    until(lambda: status_of(url) == httpx.codes.UNAUTHORIZED, 60)
