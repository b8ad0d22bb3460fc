"""A person at an enrolled terminal: the real client of the terminal app, against a real server."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from approver_tui.client.api import Client
from approver_tui.client.approvals.decisions import DecisionClient
from approver_tui.client.devices import keys
from approver_tui.client.devices.enrolling import Enrollment, enroll
from approver_tui.client.sign_in.profile import Home
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.approvals.decision import DenyCode
from tests.support.servers.server import LiveServer

PIN = "sesame-12"


@dataclass(frozen=True, slots=True)
class Terminal:
    """A device of a user."""

    user: str
    client: Client
    decider: DecisionClient
    home: Path

    def waiting(self) -> tuple[Approval, ...]:
        """Return the pending requests for this person."""
        return self.client.inbox("waiting").items

    def only_request(self) -> Approval:
        """Return the only pending request."""
        waiting = self.waiting()
        assert len(waiting) == 1, waiting
        return waiting[0]

    def approve(self, approval: Approval, pin: str | None = PIN) -> Approval:
        """Approve the request as it was shown."""
        return self.decider.approve(approval, fingerprint=approval.fingerprint, pin=pin)

    def deny(self, approval: Approval, code: str = "not_needed", note: str = "") -> Approval:
        """Deny the request."""
        return self.decider.deny(approval, DenyCode(code), note)


@contextmanager
def cheap_pins() -> Iterator[None]:
    """Make PINs cheap to check in this process; other programs then cannot open its keys."""
    with mock.patch.object(keys, "_MEMORY_KIB", 64):
        yield


def terminal(
    server: LiveServer, user: str, code: str, *, name: str = "laptop", url: str = ""
) -> Terminal:
    """Enroll a device with this code, at the server's own URL or at a proxy's URL."""
    home = server.folder / f"home-{user}-{name}"
    enrollment = Enrollment(url=url or server.url, code=code, name=name, pin=PIN)
    client = enroll(Home.in_folder(home), enrollment, clock=server.clock.now)
    server.closing.callback(client.close)
    return Terminal(user, client, DecisionClient(client), home)


def new_person(server: LiveServer, url: str = "") -> Terminal:
    """Add a user with one enrolled device."""
    user, code = server.user()
    return terminal(server, user, code, url=url)
