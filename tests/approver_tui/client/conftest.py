"""An enrolled client over a real socket.

Owns: the fake server of one test and the device that enrolled with it.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from approver_tui.client.api import Client
from approver_tui.client.devices import keys
from approver_tui.client.devices.enrolling import Enrollment, enroll
from approver_tui.client.sign_in.profile import Home
from tests.support.builders.approval_texts import to_rfc3339
from tests.support.fakes.fake_server import CODE, FakeServer

PIN = "correct horse"


def clock() -> int:
    """Return this machine's time in milliseconds."""
    return time.time_ns() // 1_000_000


def wire_consent(server: FakeServer, **changes: object) -> dict[str, object]:
    """Return an active consent as the API represents it, with some members changed."""
    return {
        "id": "sayso_co_aaaaaaaaaaaaaaaa",
        "state": "live",
        "client": {"id": "sayso_ag_aaaaaaaaaaaaaaaa", "name": "invoice-bot"},
        "app": None,
        "resource": "https://pay.example",
        "scopes": ["payments:read"],
        "created_at": to_rfc3339(server.now()),
        "expires_at": to_rfc3339(server.now() + 600_000),
        "revoked_at": None,
        **changes,
    }


@pytest.fixture(autouse=True)
def cheap_stretching(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make PIN stretching cheap; it takes a fifth of a second by design."""
    monkeypatch.setattr(keys, "_MEMORY_KIB", 64)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An empty home folder of a terminal."""
    return Home.in_folder(tmp_path / "home")


@pytest.fixture
def client(server: FakeServer, home: Home) -> Iterator[Client]:
    """A terminal that has just enrolled."""
    enrolled = enroll(
        home, Enrollment(url=server.url, code=CODE, name="laptop", pin=PIN), clock=clock
    )
    yield enrolled
    enrolled.close()
