"""Commands of the programs, as a shell gives them, in the test's own process.

Owns: their environment, stdin, stdout, stderr and exit code. A start of a program takes longer than
most tests do; that they start has tests of its own (tests/server/cli, tests/approver_tui/cli).
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
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


def command(program: str, *arguments: str, environment: Mapping[str, str], stdin: str = "") -> Done:
    """Give a command; `environment` is added to that of the tests."""
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
