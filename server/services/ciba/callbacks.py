"""Calling agents back: what is sent to an endpoint when an approval has an answer (CIBA 10.2, 12).

The unit of work that ends an approval adds one message to the outbox, which names it. Here is what
becomes of the message when it is about to leave: secrets are opened, tokens made, only then.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from server.model.approvals import Approval
from server.model.clients import Agent
from server.model.ports import Secrets
from server.model.store import Store, Unit, View
from server.protocol import errors
from server.protocol.approvals.states import State, overdue
from server.services.approvals.superseding import SUPERSEDED
from server.services.approvals.withdrawals import WITHDRAWN
from server.services.audit import audit
from server.services.ciba import notification_tokens
from server.services.ciba.redemption import Redemption, in_force
from server.services.notifications import notices

_SAID_BY: Final[Mapping[str, frozenset[State]]] = {
    "approval.decided": frozenset({State.APPROVED, State.DENIED, State.REDEEMED}),
    "approval.cancelled": frozenset({State.CANCELLED}),
    "approval.expired": frozenset({State.EXPIRED}),
}
"""Which message tells of which state; a state that came later has a message of its own."""
_NOT_PINGED: Final = frozenset({State.REDEEMED, State.EXPIRED})
"""What was fetched is known; and an end in time its agent was told of when it asked."""
_DAY_MS: Final = 24 * 60 * 60 * 1000
_UNTOLD: Final = frozenset({WITHDRAWN, SUPERSEDED})
"""Who took its own request back, or put another in its place, knows."""


@dataclass(frozen=True, slots=True)
class CallbackRequest:
    """One request to an agent's endpoint, with its secrets in the open."""

    url: str
    token: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Callbacks:
    """Makes calls of messages."""

    store: Store
    secrets: Secrets
    redemption: Redemption

    def ping(self, message: str) -> CallbackRequest | None:
        """What a ping says: the handle and nothing else. None when there is nothing to say.

        Nobody is pinged about an expiry, which CIBA 10.2 leaves open: `expires_in` said when it
        comes, and an endpoint that is gone costs no tries for answers that nobody gave.
        """
        approval_id, states = _read(message)
        with self.store.read() as view:
            approval = view.approvals.get(approval_id)
            agent = None if approval is None else _reachable(view, approval)
        if approval is None or agent is None or approval.state not in states - _NOT_PINGED:
            return None
        return self._call(agent, approval, {})

    def push(self, message: str) -> CallbackRequest | None:
        """What a push brings: tokens, or why there are none. None when there is nothing to say."""
        approval_id, states = _read(message)
        with self.store.write() as tx:
            approval = tx.approvals.get(approval_id)
            agent = None if approval is None else _reachable(tx, approval)
            if approval is None or agent is None or approval.state not in states:
                return None
            members = self._pushed(tx, agent, approval)
        return None if members is None else self._call(agent, approval, members)

    def arrived(self, tx: Unit, message: str) -> None:
        """The agent has it, or nothing was to be said: what was kept for it is dropped."""
        self._forget(tx, *_read(message))

    def lost(self, tx: Unit, message: str, why: str) -> None:
        """It was given up: the record says so."""
        approval_id, states = _read(message)
        if (approval := tx.approvals.get(approval_id)) is not None:
            _record(tx, approval, why)
            self._forget(tx, approval_id, states)

    def _forget(self, tx: Unit, approval_id: str, states: frozenset[State]) -> None:
        """Drop the secrets of an approval, unless there is or may be another message about it."""
        approval = tx.approvals.get(approval_id)
        if approval is not None and approval.state in states - {State.APPROVED}:
            tx.approvals.clear_callback(approval_id)

    def _call(
        self, agent: Agent, approval: Approval, members: Mapping[str, object]
    ) -> CallbackRequest:
        token = notification_tokens.opened(self.secrets, approval)
        body = {"auth_req_id": self.secrets.auth_req_id(approval.id), **members}
        return CallbackRequest(
            agent.notification_endpoint or "", token.decode(), json.dumps(body).encode()
        )

    def _pushed(self, tx: Unit, agent: Agent, approval: Approval) -> Mapping[str, object] | None:
        """By state: make the tokens once, send the same ones again, or say why there are none."""
        if approval.state is State.REDEEMED:
            return self._again(tx, approval)
        if approval.state is not State.APPROVED:
            return _error(self.redemption.refusal(tx, approval))
        if overdue(approval.state, approval.expires_at, tx.now):
            return None
        handle = self.secrets.auth_req_id(approval.id)
        answer = self.redemption.redeem(tx, agent, approval, handle, jkt=approval.jkt)
        if isinstance(answer, errors.ProtocolError):
            return None  # it was withdrawn just now, and that has a message of its own
        sealed = self.secrets.seal(f"answer:{approval.id}", json.dumps(answer).encode())
        until = tx.now + 1000 * int(str(answer["expires_in"]))
        tx.approvals.keep_answer(approval.id, sealed, b"", until)
        return answer

    def _again(self, tx: Unit, approval: Approval) -> Mapping[str, object]:
        """The same tokens, while they live; never new ones (a push that failed lost nothing)."""
        left = ((approval.answer_until or 0) - tx.now) // 1000
        if approval.answer is None or left <= 0 or not in_force(tx, approval):
            _record(tx, approval, "the tokens ran out first")
            return _error(
                errors.TransactionFailed("The tokens could not be delivered in time. Ask again.")
            )
        opened = self.secrets.open(f"answer:{approval.id}", approval.answer)
        answer: dict[str, object] = json.loads(opened)
        return answer | {"expires_in": left}


def _read(message: str) -> tuple[str, frozenset[State]]:
    said = json.loads(message)
    return said["approval"], _SAID_BY[said["event"]]


def _reachable(view: View, approval: Approval) -> Agent | None:
    """The agent, if it says where to tell it; one that was stopped is told nothing."""
    agent = view.directory.agent(approval.agent_id)
    if agent is None or not agent.active(view.now) or approval.reason in _UNTOLD:
        return None
    told = agent.notification_endpoint is not None and approval.notification_token is not None
    return agent if told else None


def _error(error: errors.ProtocolError) -> dict[str, object]:
    return {"error": error.code, "error_description": error.description, **error.members}


def _record(tx: Unit, approval: Approval, why: str) -> None:
    """Write down once that the agent was not told in time."""
    if tx.counters.count(f"lost:{approval.id}", _DAY_MS) > 1:
        return
    audit.record(
        tx,
        audit.approval_entry(
            approval,
            audit.Type.CALLBACK_LOST,
            decision=str(approval.state),
            cause=why,
            facts={"delivery": approval.delivery},
        ),
    )
    notices.alarm(tx, "alarm.callback_lost", approval=approval.id, agent=approval.agent_id, why=why)
