"""A person at an enrolled terminal: the real client of the terminal app, against a real server."""

from dataclasses import dataclass
from pathlib import Path

from approver_tui.client.api import Client
from approver_tui.client.deciding import Decider
from approver_tui.client.enrolling import Enrolment, enrol
from approver_tui.client.profile import Home
from approver_tui.state.approvals import Approval
from approver_tui.state.decision import DenyCode
from tests.support.server import LiveServer

PIN = "sesame-12"


@dataclass(frozen=True, slots=True)
class Terminal:
    """One device of one user."""

    user: str
    client: Client
    decider: Decider
    home: Path

    def waiting(self) -> tuple[Approval, ...]:
        """What waits for this person."""
        return self.client.inbox("waiting").items

    def only(self) -> Approval:
        """The one request that waits."""
        (approval,) = self.waiting()
        return approval

    def approve(self, approval: Approval, pin: str | None = PIN) -> Approval:
        """Approve it as its screen was."""
        return self.decider.approve(approval, fingerprint=approval.fingerprint, pin=pin)

    def deny(self, approval: Approval, code: str = "not_needed", note: str = "") -> Approval:
        """Deny it."""
        return self.decider.deny(approval, DenyCode(code), note)


def terminal(
    server: LiveServer, user: str, code: str, *, name: str = "laptop", url: str = ""
) -> Terminal:
    """Enrol a device with this code, at the server's own address or another that leads there."""
    home = server.folder / f"home-{user}-{name}"
    enrolment = Enrolment(url=url or server.url, code=code, name=name, pin=PIN)
    client = enrol(Home.at(home), enrolment, clock=server.clock.now)
    server.closing.callback(client.close)
    return Terminal(user, client, Decider(client), home)


def new_person(server: LiveServer, url: str = "") -> Terminal:
    """A new user with one enrolled device."""
    user, code = server.user()
    return terminal(server, user, code, url=url)
