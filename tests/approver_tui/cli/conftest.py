"""The command as a shell sees it: arguments and stdin in; stdout, stderr and an exit code out.

Owns: running it in this process against a real socket.
"""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from approver_tui.cli.main import main
from approver_tui.client.devices import keys
from tests.support.fakes.fake_server import CODE, FakeServer

PIN = "correct horse"


@dataclass(frozen=True, slots=True)
class Result:
    """The exit code and the output of a command."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict:
        """Return the only JSON document on stdout, and check that stderr is empty."""
        assert self.code == 0, self
        assert self.err == "", self
        return json.loads(self.out)

    @property
    def error(self) -> dict:
        """Return the only JSON object on stderr, and check that stdout is empty."""
        assert self.out == "", self
        error = json.loads(self.err)
        assert error["exit"] == self.code != 0
        return error


class Keyboard(io.StringIO):
    """A stdin that counts as a terminal and contains only the given text."""

    def isatty(self) -> bool:
        """Pretend to be a terminal."""
        return True


Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Use a new home folder, an empty server folder and a cheap key derivation for the PIN."""
    monkeypatch.setenv("SAYSO_APPROVER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SAYSO_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(keys, "_MEMORY_KIB", 64)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs the command once."""

    def run(*arguments: str, stdin: str | io.StringIO = "") -> Result:
        stream = io.StringIO(stdin) if isinstance(stdin, str) else stdin
        monkeypatch.setattr("sys.stdin", stream)
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        out, err = capsys.readouterr()
        return Result(int(caught.value.code), out, err)

    return run


@pytest.fixture
def logged_in(run: Run, server: FakeServer) -> Run:
    """The command on a machine that is one of alice's devices."""
    result = run("login", server.url, "--code", CODE, "--name", "laptop", "--pin-stdin", stdin=PIN)
    assert result.code == 0, result
    return run
