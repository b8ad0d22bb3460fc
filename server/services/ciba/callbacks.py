"""Callbacks to agents: pings and pushes when an approval is decided or closed (CIBA 10.2, 12).

The unit of work that decides or closes an approval adds an outbox message that names it. Secrets
are decrypted and tokens are created only when the message is sent.
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
from server.protocol.approvals.states import State
from server.services.approvals.withdrawals import SUPERSEDED, WITHDRAWN
from server.services.audit import audit
from server.services.ciba import redemption
from server.services.ciba.redemption import Redemption
from server.services.notifications import notices

_STATES_BY_EVENT: Final[Mapping[str, frozenset[State]]] = {
    "approval.decided": frozenset({State.APPROVED, State.DENIED, State.REDEEMED}),
    "approval.cancelled": frozenset({State.CANCELLED}),
    "approval.expired": frozenset({State.EXPIRED}),
}
"""Event → the states that it reports; a later state has its own message."""
_NOT_PINGED: Final = frozenset({State.REDEEMED, State.EXPIRED})
"""States without a ping: the agent has the tokens, or knows the expiry from `expires_in`."""
_DAY_MS: Final = 24 * 60 * 60 * 1000
_ENDED_BY_AGENT: Final = frozenset({WITHDRAWN, SUPERSEDED})
"""The agent closed these requests itself, so it is not notified."""


@dataclass(frozen=True, slots=True)
class CallbackRequest:
    """One request to an agent's endpoint, with decrypted secrets."""

    url: str
    token: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Callbacks:
    """Creates callbacks from outbox messages."""

    store: Store
    secrets: Secrets
    redemption: Redemption

    def ping(self, message: str) -> CallbackRequest | None:
        """Return a ping with only the `auth_req_id`, or None if there is nothing to send.

        An expiry does not cause a ping, which CIBA 10.2 allows: the agent knows `expires_in`.
        """
        approval_id, states = _parse(message)
        with self.store.read() as view:
            approval = view.approvals.get(approval_id)
            agent = None if approval is None else _reachable_agent(view, approval)
        if approval is None or agent is None or approval.state not in states - _NOT_PINGED:
            return None
        return self._callback_request(agent, approval, {})

    def push(self, message: str) -> CallbackRequest | None:
        """Return a push with tokens or an error, or None if there is nothing to send."""
        approval_id, states = _parse(message)
        with self.store.write() as tx:
            approval = tx.approvals.get(approval_id)
            agent = None if approval is None else _reachable_agent(tx, approval)
            if approval is None or agent is None or approval.state not in states:
                return None
            members = self._push_members(tx, agent, approval)
        return None if members is None else self._callback_request(agent, approval, members)

    def record_delivery(self, tx: Unit, message: str) -> None:
        """Delete the secrets of a delivered message."""
        self._delete_secrets(tx, *_parse(message))

    def record_failure(self, tx: Unit, message: str, why: str) -> None:
        """Record that delivery was abandoned, and delete the secrets."""
        approval_id, states = _parse(message)
        if (approval := tx.approvals.get(approval_id)) is not None:
            _record(tx, approval, why)
            self._delete_secrets(tx, approval_id, states)

    def _delete_secrets(self, tx: Unit, approval_id: str, states: frozenset[State]) -> None:
        """Delete the secrets of an approval, unless another message about it may follow."""
        approval = tx.approvals.get(approval_id)
        if approval is not None and approval.state in states - {State.APPROVED}:
            tx.approvals.clear_callback(approval_id)

    def _callback_request(
        self, agent: Agent, approval: Approval, members: Mapping[str, object]
    ) -> CallbackRequest:
        token = self.secrets.open(_purpose(approval.id), approval.notification_token or b"")
        body = {"auth_req_id": self.secrets.auth_req_id(approval.id), **members}
        return CallbackRequest(
            agent.notification_endpoint or "", token.decode(), json.dumps(body).encode()
        )

    def _push_members(
        self, tx: Unit, agent: Agent, approval: Approval
    ) -> Mapping[str, object] | None:
        """Return new tokens, the same tokens again, or an error; None to send nothing."""
        if approval.state is State.REDEEMED:
            return self._resend(tx, approval)
        if approval.state is not State.APPROVED:
            return _error_members(self.redemption.refusal(tx, approval))
        if approval.is_overdue(tx.now):
            return None
        handle = self.secrets.auth_req_id(approval.id)
        answer = self.redemption.redeem(tx, agent, approval, handle, jkt=approval.jkt)
        if isinstance(answer, errors.ProtocolError):
            return None  # it was just withdrawn, which sends its own message
        until = tx.now + 1000 * int(str(answer["expires_in"]))
        redemption.store_answer(tx, self.secrets, approval, answer, b"", until)
        return answer

    def _resend(self, tx: Unit, approval: Approval) -> Mapping[str, object]:
        """Return the same tokens while they are valid, never new ones."""
        seconds_left = ((approval.answer_until or 0) - tx.now) // 1000
        if (
            approval.answer is None
            or seconds_left <= 0
            or not redemption.is_token_live(tx, approval)
        ):
            _record(tx, approval, "the tokens expired first")
            return _error_members(
                errors.TransactionFailed(
                    "The tokens could not be delivered in time. Send a new request."
                )
            )
        return redemption.stored_answer(self.secrets, approval) | {"expires_in": seconds_left}


def _parse(message: str) -> tuple[str, frozenset[State]]:
    event = json.loads(message)
    return event["approval"], _STATES_BY_EVENT[event["event"]]


def _reachable_agent(view: View, approval: Approval) -> Agent | None:
    """Return the agent if it is enabled, has a callback URL, and did not close the request."""
    agent = view.directory.agent(approval.agent_id)
    if agent is None or not agent.active(view.now) or approval.reason in _ENDED_BY_AGENT:
        return None
    is_registered = (
        agent.notification_endpoint is not None and approval.notification_token is not None
    )
    return agent if is_registered else None


def _error_members(error: errors.ProtocolError) -> dict[str, object]:
    return {"error": error.code, "error_description": error.description, **error.members}


def _record(tx: Unit, approval: Approval, why: str) -> None:
    """Record once that the agent was not notified in time."""
    if tx.counters.count(f"lost:{approval.id}", _DAY_MS) > 1:
        return
    tx.audit.add(
        audit.approval_entry(
            approval,
            audit.Type.CALLBACK_LOST,
            decision=str(approval.state),
            cause=why,
            facts={"delivery": approval.delivery},
        ),
    )
    notices.alarm(tx, "alarm.callback_lost", approval=approval.id, agent=approval.agent_id, why=why)


def encrypt_token(secrets: Secrets, approval_id: str, token: str) -> bytes:
    """Return the encrypted notification token, which callbacks present."""
    return secrets.seal(_purpose(approval_id), token.encode())


def _purpose(approval_id: str) -> str:
    return f"notification token:{approval_id}"
