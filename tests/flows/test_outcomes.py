"""The outcome of a request: pages, terminal, command line and receipt agree."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC

import pytest

from approver_tui.widgets.approvals.outcomes import outcome
from server.services.approvals.oversight import Oversight
from server.services.clients.agents import Agents
from server.web.approvals.outcomes import outcome_of
from tests.support.builders.clock import HOUR
from tests.support.clients.agent import Agent
from tests.support.clients.granting import lower, payment, run
from tests.support.clients.terminal import PIN, Terminal
from tests.support.servers.server import BY, LiveServer

_LIMITS = ("--for", "1h", "--uses", "3", "--sum", "30", "--vary", "amount=20")


@dataclass(slots=True)
class _Request:
    """A request of this test, and the steps that change its state."""

    server: LiveServer
    agent: Agent
    person: Terminal
    handle: str = field(default="")
    id: str = field(default="")

    def ask(self, **parameters: str) -> None:
        self.handle = self.agent.request_approval(
            self.person.user, requested_expiry="600", **parameters
        )
        waiting = self.person.waiting()
        self.id = waiting[0].id if waiting else ""

    def approve(self) -> None:
        self.ask()
        self.person.approve(self.person.only_request())

    def deny(self) -> None:
        self.ask()
        self.person.deny(self.person.only_request())

    def approve_in_advance(self) -> None:
        lower(self.server)
        self.ask(**payment(1_000))
        arguments = ("grants", "add", self.id, *_LIMITS, "--pin-stdin")
        assert run(self.server, "approver_tui", self.person, *arguments, stdin=PIN).returncode == 0
        self.ask(**payment(1_500))
        decided = self.person.client.inbox("decided").items
        self.id = next(
            approval.id for approval in decided if approval.automatic_decision is not None
        )

    def collect(self) -> None:
        assert self.agent.poll(self.handle).status_code == 200

    def wait(self) -> None:
        self.server.clock.forward(HOUR)
        self.server.services.sweeper.round()

    def disable(self) -> None:
        services = self.server.services
        Agents(services.store, services.secrets).disable(self.agent.key.id, by=BY)

    def cancel(self) -> None:
        Oversight(self.server.services.store).cancel(self.id, "Ask Bob first", by=BY)

    def outputs(self) -> dict[str, str]:
        """Returns what each screen, command and receipt says about the request."""
        self.server.services.audit_log.sign()
        client = self.person.client
        approval = client.approval(self.id)
        history = self._printed("history").partition(self.id)[2]
        return {
            "page": outcome_of(client.session.get(f"/api/approvals/{self.id}").values),
            "terminal": outcome(approval, self.server.clock.now(), UTC),
            "row of the terminal": approval.verdict_text,
            "state of the terminal": approval.state_text,
            "command": self._printed("show", self.id).partition("\nstate:")[2],
            "row of a command": history.partition(", ")[2],
            "receipt": self._printed("receipt", self.id).partition("\noutcome:")[2],
        }

    def _printed(self, *arguments: str) -> str:
        result = run(self.server, "approver_tui", self.person, *arguments)
        assert result.returncode == 0, result.stderr
        return result.stdout


def _verdict(words: str) -> str:
    """Returns the first word of an outcome, which is the same in every output."""
    return re.split(r"[^a-z]", words.casefold().strip(), maxsplit=1)[0]


_Step = Callable[[_Request], None]


@pytest.mark.parametrize(
    ("verdict", "steps"),
    [
        ("approved", (_Request.approve, _Request.collect)),
        ("approved", (_Request.approve, _Request.wait)),
        ("approved", (_Request.approve, _Request.disable)),
        ("approved", (_Request.approve_in_advance, _Request.collect)),
        ("approved", (_Request.approve_in_advance, _Request.wait)),
        ("approved", (_Request.approve_in_advance, _Request.disable)),
        ("denied", (_Request.deny,)),
        ("denied", (_Request.deny, _Request.disable)),
        ("expired", (_Request.ask, _Request.wait)),
        ("withdrawn", (_Request.ask, _Request.disable)),
        ("withdrawn", (_Request.ask, _Request.cancel)),
    ],
)
def test_every_output_shows_the_same_outcome(
    server: LiveServer, agent: Agent, person: Terminal, verdict: str, steps: tuple[_Step, ...]
) -> None:
    """An approved request is shown as approved, even if it expired or its agent was disabled."""
    request = _Request(server, agent, person)
    for step in steps:
        step(request)
    texts = request.outputs()
    assert {output: _verdict(words) for output, words in texts.items()} == dict.fromkeys(
        texts, verdict
    )
    assert texts["state of the terminal"] == texts["page"].replace(" under a standing grant", "")
