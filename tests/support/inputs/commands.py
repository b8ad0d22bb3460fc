"""Commands of the programs, run in the test's own process as a shell would run them.

Owns: their environment, stdin, stdout, stderr and exit code. Starting a program takes longer than
most tests do; that the programs start is tested in tests/server/cli and tests/approver_tui/cli.
"""

import contextlib
import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from unittest import mock

from approver_tui.cli.main import main as approver
from sayso.ask import main as ask
from server.cli.main import main as server

_PROGRAMS = {"server": server, "approver_tui": approver, "ask": ask}


@dataclass(frozen=True, slots=True)
class Done:
    """The exit code and the output of a command."""

    returncode: int
    stdout: str
    stderr: str


def command(program: str, *arguments: str, environment: Mapping[str, str], stdin: str = "") -> Done:
    """Run a command; `environment` is added to the environment of the tests."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    code: object = None
    with (
        mock.patch.dict(os.environ, environment),
        mock.patch("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin.encode()), "utf-8")),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            _PROGRAMS[program](arguments)
        except SystemExit as ended:
            code = ended.code
    assert code is None or isinstance(code, int)
    written = (stream.buffer.getvalue().decode() for stream in (out, err))
    return Done(code or 0, *written)
