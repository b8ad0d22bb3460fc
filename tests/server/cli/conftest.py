"""Fixtures of the command line tests.

Owns: running `sayso` in this process, through the entry point of the installed command.
"""

import contextlib
import io
import json
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from server import telemetry
from server.cli.main import main
from server.model.approvals import Approval
from tests.support.builders.installation import LocalAdmin, open_admin


@dataclass(frozen=True, slots=True)
class CommandResult:
    """The result of a command."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict:
        """The only JSON document on stdout."""
        assert self.code == 0, self.err
        assert self.out.count("\n") == 1
        return json.loads(self.out)

    @property
    def error(self) -> dict:
        """The only JSON object on stderr."""
        assert self.code != 0
        assert self.out == ""
        return json.loads(self.err)


@pytest.fixture
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder of this test's installation."""
    _settings_of(tmp_path / "data", monkeypatch)
    return tmp_path / "data"


@pytest.fixture
def sayso(data_folder: Path, capfd: pytest.CaptureFixture) -> Callable[..., CommandResult]:
    """Run one command and return its result."""
    assert not data_folder.exists()

    def run(*arguments: str) -> CommandResult:
        telemetry.correlate("local")  # a test that ran before may have served a request
        with pytest.raises(SystemExit) as exit_info:
            main(arguments)
        out, err = capfd.readouterr()
        return CommandResult(int(exit_info.value.code or 0), out, err)

    return run


@pytest.fixture(scope="session")
def installation_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation with an administrator and a payment API, created once by commands."""
    data_folder = tmp_path_factory.mktemp("installation") / "data"
    scopes = ("--scope", "payments:read=low", "--scope", "payments:transfer=high")
    with pytest.MonkeyPatch.context() as patched, contextlib.redirect_stdout(io.StringIO()):
        _settings_of(data_folder, patched)
        for command in (("init",), ("resources", "add", "https://pay.example", *scopes)):
            with pytest.raises(SystemExit) as exit_info:
                main(command)
            assert exit_info.value.code == 0
    return data_folder


@pytest.fixture
def admin_cli(
    installation_template: Path, data_folder: Path, sayso: Callable[..., CommandResult]
) -> Callable[..., CommandResult]:
    """Run one command on an installation with an administrator and a payment API."""
    shutil.copytree(installation_template, data_folder)
    return sayso


@pytest.fixture
def services(admin_cli: Callable[..., CommandResult], data_folder: Path) -> Iterator[LocalAdmin]:
    """Services of the same installation, with an agent; they create what agents and devices do."""
    permissions = ("--resource", "https://pay.example", "--scope", "payments:read")
    admin_cli("agents", "add", "invoice-bot", "--owner", "admin", *permissions)
    services = open_admin(data_folder)
    services.clock.moment = int(time.time() * 1000)
    yield services
    services.store.close()


@pytest.fixture
def pending_request(services: LocalAdmin) -> Approval:
    """A pending request to the administrator."""
    agent, user = services.agents.show("invoice-bot")[0], services.users.show("admin")[0]
    return services.approval(agent.id, user.id)


def _settings_of(data_folder: Path, patched: pytest.MonkeyPatch) -> None:
    """Use this data folder, and ignore the settings of the machine's own environment."""
    for name in ("ISSUER", "DATABASE_URL", "CONFIG", "MASTER_KEY_FILE", "PIN_KEY_FILE"):
        patched.delenv(f"SAYSO_{name}", raising=False)
    patched.setenv("SAYSO_DATA_DIR", str(data_folder))
