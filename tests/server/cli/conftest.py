"""What the tests of the command line share.

Owns: running `sayso` in this process, through the entrance that the installed command uses.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from server.cli.main import main


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict:
        """The one JSON document on stdout."""
        assert self.code == 0, self.err
        assert self.out.count("\n") == 1
        return json.loads(self.out)

    @property
    def error(self) -> dict:
        """The one JSON object on stderr."""
        assert self.code != 0
        assert self.out == ""
        return json.loads(self.err)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder of this test's installation; the machine's own settings do not count."""
    for name in ("ISSUER", "DATABASE_URL", "CONFIG", "MASTER_KEY_FILE", "PIN_KEY_FILE"):
        monkeypatch.delenv(f"SAYSO_{name}", raising=False)
    monkeypatch.setenv("SAYSO_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def sayso(folder: Path, capfd: pytest.CaptureFixture) -> Callable[..., Done]:
    """Run one command and tell how it ended."""
    assert not folder.exists()

    def run(*arguments: str) -> Done:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        out, err = capfd.readouterr()
        return Done(int(ended.value.code or 0), out, err)

    return run


@pytest.fixture
def begun(sayso: Callable[..., Done]) -> Callable[..., Done]:
    """An installation with an administrator and a payment API."""
    assert sayso("init").code == 0
    scopes = ("--scope", "payments:read=low", "--scope", "payments:transfer=high")
    assert sayso("resources", "add", "https://pay.example", *scopes).code == 0
    return sayso
