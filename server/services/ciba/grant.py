"""The CIBA grant: an agent gets its tokens, once per `auth_req_id` (CIBA Core 10.1, 11).

For a pending approval, the polling interval applies; if the client prefers to wait, the poll is
held open. Changes made by a rejected poll are stored before the error is raised.
"""

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from server.model.approvals import Approval
from server.model.audit import Entry
from server.model.clients import Agent
from server.model.ports import Secrets
from server.model.store import Store, Unit
from server.protocol import errors
from server.protocol.approvals.states import State
from server.protocol.ciba import requests
from server.protocol.json_text import JsonValue
from server.protocol.resources import uris
from server.protocol.times import rfc3339
from server.services.approvals import votes
from server.services.approvals.expiry import expire_if_overdue
from server.services.approvers import approvers
from server.services.audit import audit
from server.services.ciba import redemption
from server.services.ciba.redemption import Answer, Redemption
from server.services.clients import client_auth
from server.services.notifications import notices
from server.services.notifications.feed import Hub, approval_topic
from server.services.tokens.endpoint import TokenRequest

REFETCH_MS: Final = 60_000
"""How long a client that lost the response may repeat the request, with its Idempotency-Key."""
_ALARM_WINDOW_MS: Final = 10 * 60_000

Held = Literal["held"]
Outcome = Answer | errors.ProtocolError | Held


@dataclass(frozen=True, slots=True)
class _Poll:
    """A poll of one approval, with its parsed parameters."""

    agent: Agent
    handle: str
    handle_hash: bytes
    key_hash: bytes | None
    waited_ms: int
    holder: str | None
    resource: str | None
    details: tuple[Mapping[str, JsonValue], ...]
    """The details that the client sends, if any. They must be the same as in the request."""
    jkt: str | None
    """The key that the token will be bound to."""


@dataclass(frozen=True, slots=True)
class CibaGrant:
    """Redeems approvals."""

    store: Store
    secrets: Secrets
    redemption: Redemption
    hub: Hub

    def exchange(self, agent: Agent, request: TokenRequest) -> dict[str, object]:
        """Return the token response. Raises errors.ProtocolError."""
        poll = self._parse(agent, request)
        outcome = self._poll_once(poll, first=True)
        while outcome == "held":
            outcome = self._hold(poll, request.wait)
        if isinstance(outcome, errors.ProtocolError):
            raise outcome
        return outcome

    def _parse(self, agent: Agent, request: TokenRequest) -> _Poll:
        handle = request.form.require("auth_req_id")
        key = request.idempotency_key
        key_text = None if key is None else f"{agent.id}\n{handle}\n{request.dpop_jkt}\n{key}"
        return _Poll(
            agent=agent,
            handle=handle,
            handle_hash=hashlib.sha256(handle.encode()).digest(),
            key_hash=None if key_text is None else hashlib.sha256(key_text.encode()).digest(),
            waited_ms=request.waited_ms,
            holder=self.secrets.salt() if request.wait else None,
            resource=uris.only_resource(request.form.every("resource")),
            details=requests.read_details(request.form.get("authorization_details")),
            jkt=request.dpop_jkt,
        )

    def _hold(self, poll: _Poll, seconds: int) -> Outcome:
        """Wait for the answer, a newer poll, or the end of the requested wait, then poll again."""
        with self.store.read() as view:
            approval = view.approvals.by_handle(poll.handle_hash)
        topic = approval_topic("" if approval is None else approval.id)
        deadline = time.monotonic() + seconds
        with self.hub.hold(topic) as changed:
            self.hub.wake(topic)
            while (left := deadline - time.monotonic()) > 0 and not self.hub.ending:
                changed.clear()
                if (remaining := self._remaining_seconds(poll)) <= 0:
                    break
                changed.wait(min(left, remaining))
        return self._poll_once(poll, first=False)

    def _remaining_seconds(self, poll: _Poll) -> float:
        """Return the seconds until the approval expires; 0 if something has changed."""
        with self.store.read() as view:
            agent = view.directory.agent(poll.agent.id)
            approval = view.approvals.by_handle(poll.handle_hash)
            is_waiting = (
                agent is not None
                and agent.active(view.now)
                and approval is not None
                and approval.state is State.PENDING
                and approval.holder == poll.holder
            )
            return (approval.expires_at - view.now) / 1000 if is_waiting and approval else 0.0

    def _poll_once(self, poll: _Poll, *, first: bool) -> Outcome:
        """Handle the poll once, in its own unit of work.

        Rules, in order: 1. The agent is enabled. 2. The approval belongs to the agent and matches
        the poll. 3. An overdue approval expires. 4. Depending on the state: pace or hold the poll,
        issue tokens once, repeat the response, or return the error.
        """
        with self.store.write() as tx:
            agent = client_auth.current_agent(tx, poll.agent)
            approval = _own_request(tx, agent, poll)
            if _is_pushed(agent, approval):
                return errors.UnauthorizedClient(
                    "The result of this request is pushed, so it cannot be polled."
                )
            if approval is None:
                return requests.poll_error(State.REDEEMED, {})
            if (mismatch := _mismatch(poll, approval)) is not None:
                return mismatch
            approval = expire_if_overdue(tx, approval)
            if not first and approval.holder != poll.holder:
                return self._pending_error(tx, approval)  # a newer poll has replaced this one
            return self._outcome_by_state(tx, agent, approval, poll, first=first)

    def _outcome_by_state(
        self, tx: Unit, agent: Agent, approval: Approval, poll: _Poll, *, first: bool
    ) -> Outcome:
        if approval.state is State.PENDING:
            return self._pace_or_hold(tx, approval, poll, first=first)
        if approval.state is State.APPROVED:
            return self._redeem(tx, agent, approval, poll, first=first)
        if approval.state is State.REDEEMED:
            return self._refetch(tx, approval, poll, first=first)
        return self.redemption.refusal(tx, approval)

    def _pace_or_hold(self, tx: Unit, approval: Approval, poll: _Poll, *, first: bool) -> Outcome:
        if not first:
            return self._pending_error(tx, approval)
        if poll.holder is not None:
            tx.approvals.record_poll(
                approval.id, now=tx.now, interval_ms=approval.interval_ms, holder=poll.holder
            )
            return "held"
        pace = requests.pace(
            arrived=tx.now - poll.waited_ms,
            last=approval.last_poll_at,
            interval_ms=approval.interval_ms,
        )
        tx.approvals.record_poll(
            approval.id, now=tx.now - poll.waited_ms, interval_ms=pace.interval_ms, holder=None
        )
        if pace.early:
            return requests.slow_down(pace, poll.waited_ms, self._progress(tx, approval))
        return self._pending_error(tx, approval)

    def _redeem(
        self, tx: Unit, agent: Agent, approval: Approval, poll: _Poll, *, first: bool
    ) -> Outcome:
        """Issue the tokens, and keep the response for a client that may repeat the request.

        If another poll has already issued them, this poll may be such a repeat.
        """
        answer = self.redemption.redeem(tx, agent, approval, poll.handle, jkt=poll.jkt)
        if isinstance(answer, errors.ProtocolError):
            current = tx.approvals.get(approval.id) or approval
            is_redeemed = current.state is State.REDEEMED
            return self._refetch(tx, current, poll, first=first) if is_redeemed else answer
        if approval.delivery != "poll":
            tx.approvals.clear_callback(approval.id)
        if poll.key_hash is not None:
            until = tx.now + REFETCH_MS
            redemption.store_answer(tx, self.secrets, approval, answer, poll.key_hash, until)
        return answer

    def _refetch(self, tx: Unit, approval: Approval, poll: _Poll, *, first: bool) -> Outcome:
        """Return the same response to the same client and key for a minute.

        A poll with a different key raises an alarm. A held poll that a newer poll replaced does
        not, and neither does a program that runs again with the same key.
        """
        if poll.key_hash is not None and poll.key_hash == approval.answer_key:
            has_answer = approval.answer is not None and tx.now < (approval.answer_until or 0)
            is_valid = self.redemption.checks.invalid_reason(tx, approval) is None
            if has_answer and is_valid and redemption.is_token_live(tx, approval):
                return redemption.stored_answer(self.secrets, approval)
        elif first and tx.counters.count(f"reused:{approval.id}", _ALARM_WINDOW_MS) == 1:
            _raise_reuse_alarm(tx, approval)
        return requests.poll_error(State.REDEEMED, {})

    def _pending_error(self, tx: Unit, approval: Approval) -> errors.ProtocolError:
        return requests.poll_error(State.PENDING, self._progress(tx, approval))

    def _progress(self, tx: Unit, approval: Approval) -> dict[str, object]:
        """Return the members for `authorization_pending` and `slow_down`.

        If unknown users are hidden, the members do not depend on whether the user exists.
        """
        hidden = self.redemption.issuing.server_policy.hide_unknown_users
        members: dict[str, object] = {"expires_at": rfc3339(approval.expires_at)}
        if hidden:
            return {"status": "pending", **members}
        members |= {
            "status": "held_back" if approval.held_back else "pending",
            "delivered": approval.delivered_at is not None,
            "seen": approval.seen_at is not None,
        }
        if (held_until := approvers.notified_again_at(tx, approval)) is not None:
            members["held_until"] = rfc3339(held_until)
        if approval.quorum > 1:
            members["approvals"] = f"{votes.vote_count(tx, approval)}/{approval.quorum}"
        return members


def _own_request(tx: Unit, agent: Agent, poll: _Poll) -> Approval | None:
    approval = tx.approvals.by_handle(poll.handle_hash)
    is_own = approval is not None and (approval.agent_id, approval.kind) == (agent.id, "action")
    return approval if is_own else None


def _is_pushed(agent: Agent, approval: Approval | None) -> bool:
    """Return whether the result is pushed. It is not if the agent has changed to poll mode since.

    For an unknown request, the agent's current mode decides.
    """
    delivery = agent.delivery if approval is None else approval.delivery
    return delivery == "push" and agent.delivery != "poll"


def _mismatch(poll: _Poll, approval: Approval) -> errors.ProtocolError | None:
    """Return the error for a different resource or different details (RFC 8707 2.2, RFC 9396 6)."""
    if not uris.may_name(poll.resource, approval.resource):
        return errors.InvalidTarget(
            f"resource must be the same as in the request ({approval.resource}) or left out."
        )
    if poll.details and list(poll.details) != json.loads(approval.details):
        return errors.InvalidAuthorizationDetails("authorization_details must be as requested.")
    return None


def _raise_reuse_alarm(tx: Unit, approval: Approval) -> None:
    tx.audit.add(
        Entry(
            type=audit.Type.HANDLE_REUSED,
            actor=audit.by_agent(approval.agent_id),
            agent_id=approval.agent_id,
            subject=approval.user_id,
            resource=approval.resource,
            decision="refused",
            cause="auth_req_id used again",
            approval_id=approval.id,
            caller_id=approval.caller_id,
        ),
    )
    notices.alarm(tx, "alarm.handle_reused", approval=approval.id, agent=approval.agent_id)
