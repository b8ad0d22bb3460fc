"""Payments of one agent that one person approved: history without signatures.

Owns: requesting, approving and comparing them with the history service. Never: HTTP.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any, cast

from server.model.approvals import Approval
from server.model.clients import Agent
from server.model.resources import Resource
from server.model.users import User
from server.protocol.policy.action_types import ActionType
from server.services.policy import builtin_action_types, history
from server.services.policy.history import ComparisonResult
from server.services.policy.history_keys import RequestToCompare
from server.services.policy.schemas import Schemas
from server.services.resources.targets import TokenTarget
from tests.support.builders.clock import DAY
from tests.support.builders.installation import BY, PAY
from tests.support.builders.site import LocalSite

TYPE = "payment.transfer"
ACCOUNT = "DE89 3704 0044 0532 0130 00"
PAYEE = "Nordwind Logistik"
DETAIL: Mapping[str, Any] = {
    "type": TYPE,
    "amount": {"minor": 99_000, "currency": "EUR"},
    "payee": PAYEE,
    "account": ACCOUNT,
    "source": "DE02 1203 0000 0000 2020 51",
    "reference": "Order 1",
    "cut_off": "2026-03-01T15:00:00Z",
}
SCOPE = ("payments:transfer",)


def euro(minor: int) -> Mapping[str, Any]:
    """Return an amount of this many cents."""
    return {"minor": minor, "currency": "EUR"}


@dataclass
class Payments:
    """Requests and approves payments at the clock's current time."""

    local: LocalSite
    agent: Agent
    user: User
    actions: tuple[ActionType, ...]
    resource: Resource

    def request(
        self, *changes: Mapping[str, Any], scope: tuple[str, ...] = SCOPE
    ) -> RequestToCompare:
        """Return a request with one payment for each change, or with the usual payment."""
        details = [{**DETAIL, **change} for change in changes or ({},)]
        target = TokenTarget(self.resource, scope)
        return RequestToCompare(self.agent, self.user, target, details, self.actions * len(details))

    def compare(
        self, *changes: Mapping[str, Any], scope: tuple[str, ...] = SCOPE
    ) -> ComparisonResult:
        """Compare the request with the history; return what is unusual."""
        with self.local.services.store.read() as view:
            request = self.request(*changes, scope=scope)
            return history.compare(view, self.local.services.secrets, request)

    def ask(self, *changes: Mapping[str, Any], scope: tuple[str, ...] = SCOPE) -> ComparisonResult:
        """Compare the request, and count it in the history."""
        result = self.compare(*changes, scope=scope)
        with self.local.services.store.write() as tx:
            history.count_request(tx, self._kept(result))
        return result

    def approve(
        self, *changes: Mapping[str, Any], scope: tuple[str, ...] = SCOPE
    ) -> ComparisonResult:
        """Request the payment and approve it."""
        result = self.ask(*changes, scope=scope)
        with self.local.services.store.write() as tx:
            history.add_answer(tx, self._kept(result), approved=True)
        return result

    def again(self, times: int, *changes: Mapping[str, Any], every: int = 7 * DAY) -> None:
        """Approve the payment this many times, and move the clock by `every` after each one."""
        for number in range(times):
            self.approve(
                *({**change, "reference": f"Order {number}"} for change in changes or ({},))
            )
            self.local.clock.forward(every)

    def renamed(self, name: str) -> "Payments":
        """Return the payments of the same agent under a different name."""
        return replace(self, agent=replace(self.agent, name=name))

    def of(self, user: User) -> "Payments":
        """Return the payments of the same agent to a different user."""
        return replace(self, user=user)

    def by(self, agent: Agent) -> "Payments":
        """Return the payments of a different agent to the same user."""
        return replace(self, agent=agent)

    def at(self, uri: str) -> "Payments":
        """Return the payments at a different resource."""
        return replace(self, resource=replace(self.resource, uri=uri))

    def _kept(self, result: ComparisonResult) -> Approval:
        approval = SimpleNamespace(
            kind="action", user_id=self.user.id, agent_id=self.agent.id, past=result.text
        )
        return cast("Approval", approval)


def payments(local: LocalSite, agent_id: str, **changes: Any) -> Payments:
    """Return payments of the built-in type, with these members of its file changed."""
    document = {**json.loads(builtin_action_types.document(TYPE)), **changes}
    local.admin.actions.update(json.dumps(document), by=BY)
    with local.services.store.read() as view:
        agent, user = view.directory.agent(agent_id), view.directory.find_user("ana")
        resource = view.directory.resource(PAY)
        actions = Schemas().registered_types(view.directory, (TYPE,))
    assert agent is not None
    assert user is not None
    assert resource is not None
    return Payments(local, agent, user, tuple(actions), resource)
