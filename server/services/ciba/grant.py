"""The agent fetches the answer (CIBA Core 10.1, 11): at most one token set per `auth_req_id`.

A poll of a waiting approval is paced, or held when the client prefers to wait. What a refused poll
must remember is stored before the refusal is raised.
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
from server.protocol.approvals.states import State, overdue
from server.protocol.ciba import requests
from server.protocol.json_text import JsonValue
from server.services.approvals import votes
from server.services.approvals.expiry import expire
from server.services.approvers import absences
from server.services.audit import audit
from server.services.ciba.redemption import Redemption, in_force
from server.services.clients import client_auth
from server.services.notifications import notices
from server.services.notifications.feed import Hub, approval_topic
from server.services.policy.displays import rfc3339
from server.services.tokens.endpoint import TokenRequest

REFETCH_MS: Final = 60_000
"""How long a client that lost its answer may fetch it again (with its Idempotency-Key)."""
_ALARM_WINDOW_MS: Final = 10 * 60_000

Held = Literal["held"]
Outcome = dict[str, object] | errors.ProtocolError | Held


@dataclass(frozen=True, slots=True)
class _Poll:
    """One poll: whose, of what, since when, and the name under which it is held."""

    agent: Agent
    handle: str
    handle_hash: bytes
    key_hash: bytes | None
    waited_ms: int
    holder: str | None
    resource: str | None
    details: tuple[Mapping[str, JsonValue], ...]
    """What the client says the token is for; it may be left out, and never be something else."""
    jkt: str | None
    """The key that the token is going to be bound to."""


@dataclass(frozen=True, slots=True)
class CibaGrant:
    """Redeems approvals."""

    store: Store
    secrets: Secrets
    redemption: Redemption
    hub: Hub

    def exchange(self, agent: Agent, request: TokenRequest) -> dict[str, object]:
        """The token answer. Raises errors.ProtocolError."""
        if agent.delivery == "push":
            raise errors.UnauthorizedClient("The answers of this agent are pushed to it.")
        poll = self._read(agent, request)
        outcome = self._visit(poll, first=True)
        while outcome == "held":
            outcome = self._hold(poll, request.wait)
        if isinstance(outcome, errors.ProtocolError):
            raise outcome
        return outcome

    def _read(self, agent: Agent, request: TokenRequest) -> _Poll:
        handle = request.form.require("auth_req_id")
        key = request.idempotency_key
        owned = None if key is None else f"{agent.id}\n{handle}\n{request.dpop_jkt}\n{key}"
        return _Poll(
            agent=agent,
            handle=handle,
            handle_hash=hashlib.sha256(handle.encode()).digest(),
            key_hash=None if owned is None else hashlib.sha256(owned.encode()).digest(),
            waited_ms=request.waited_ms,
            holder=self.secrets.salt() if request.wait else None,
            resource=requests.one_resource(request.form),
            details=requests.read_details(request.form.get("authorization_details")),
            jkt=request.dpop_jkt,
        )

    def _hold(self, poll: _Poll, seconds: int) -> Outcome:
        """Wait for the answer, a newer poll, or the end of the client's patience."""
        with self.store.read() as view:
            approval = view.approvals.by_handle(poll.handle_hash)
        topic = approval_topic("" if approval is None else approval.id)
        ends = time.monotonic() + seconds
        with self.hub.hold(topic) as changed:
            self.hub.wake(topic)
            while (left := ends - time.monotonic()) > 0 and not self.hub.ending:
                changed.clear()
                if (life := self._left(poll)) <= 0:
                    break
                changed.wait(min(left, life))
        return self._visit(poll, first=False)

    def _left(self, poll: _Poll) -> float:
        """Seconds until the clock ends what this poll waits for; 0 when something has happened."""
        with self.store.read() as view:
            agent = view.directory.agent(poll.agent.id)
            approval = view.approvals.by_handle(poll.handle_hash)
            waits = (
                agent is not None
                and agent.active(view.now)
                and approval is not None
                and approval.state is State.PENDING
                and approval.holder == poll.holder
            )
            return (approval.expires_at - view.now) / 1000 if waits and approval else 0.0

    def _visit(self, poll: _Poll, *, first: bool) -> Outcome:
        """Look at the approval once, in a unit of work of its own.

        1. The agent may poll now.  2. The approval is its own, and for what it says.  3. The clock
        has not ended it.  4. By state: pace or hold, issue once, give the same answer again, or say
        why not.
        """
        with self.store.write() as tx:
            agent = client_auth.current(tx, poll.agent)
            approval = tx.approvals.by_handle(poll.handle_hash)
            if approval is None or (approval.agent_id, approval.kind) != (agent.id, "action"):
                return requests.no_tokens(State.REDEEMED, {})
            if approval.delivery == "push":
                return errors.UnauthorizedClient("The answer of this request is pushed.")
            if (beyond := _beyond(poll, approval)) is not None:
                return beyond
            if overdue(approval.state, approval.expires_at, tx.now):
                approval = expire(tx, approval) or approval
            if not first and approval.holder != poll.holder:
                return self._pending(
                    tx, approval
                )  # a newer poll has taken its place, and its answer
            return self._by_state(tx, agent, approval, poll, first=first)

    def _by_state(
        self, tx: Unit, agent: Agent, approval: Approval, poll: _Poll, *, first: bool
    ) -> Outcome:
        if approval.state is State.PENDING:
            return self._paced(tx, approval, poll, first=first)
        if approval.state is State.APPROVED:
            return self._redeem(tx, agent, approval, poll)
        if approval.state is State.REDEEMED:
            return self._again(tx, approval, poll, first=first)
        return self.redemption.refusal(tx, approval)

    def _paced(self, tx: Unit, approval: Approval, poll: _Poll, *, first: bool) -> Outcome:
        if not first:
            return self._pending(tx, approval)
        if poll.holder is not None:
            tx.approvals.paced(
                approval.id, now=tx.now, interval_ms=approval.interval_ms, holder=poll.holder
            )
            return "held"
        pace = requests.pace(
            arrived=tx.now - poll.waited_ms,
            last=approval.last_poll_at,
            interval_ms=approval.interval_ms,
        )
        tx.approvals.paced(
            approval.id,
            now=tx.now - poll.waited_ms,
            interval_ms=pace.interval_ms,
            holder=None,
        )
        if pace.early:
            return requests.slow_down(pace, poll.waited_ms, self._progress(tx, approval))
        return self._pending(tx, approval)

    def _redeem(self, tx: Unit, agent: Agent, approval: Approval, poll: _Poll) -> Outcome:
        """Make the tokens, and keep the answer for the client that says it may lose it."""
        answer = self.redemption.redeem(tx, agent, approval, poll.handle, jkt=poll.jkt)
        if isinstance(answer, errors.ProtocolError):
            return answer
        if approval.delivery != "poll":
            tx.approvals.forget_call(approval.id)
        if poll.key_hash is not None:
            sealed = self.secrets.seal(f"answer:{approval.id}", json.dumps(answer).encode())
            tx.approvals.keep_answer(approval.id, sealed, poll.key_hash, tx.now + REFETCH_MS)
        return answer

    def _again(self, tx: Unit, approval: Approval, poll: _Poll, *, first: bool) -> Outcome:
        """The same client with the same key gets the same answer for a minute; else an alarm.

        A held poll that another poll of the same agent has overtaken is no alarm.
        """
        kept = approval.answer is not None and tx.now < (approval.answer_until or 0)
        if kept and poll.key_hash is not None and poll.key_hash == approval.answer_key:
            if self.redemption.rights.gone(tx, approval) is None and in_force(tx, approval):
                opened = self.secrets.open(f"answer:{approval.id}", approval.answer or b"")
                answer: dict[str, object] = json.loads(opened)
                return answer
        elif first and tx.counters.count(f"reused:{approval.id}", _ALARM_WINDOW_MS) == 1:
            _alarm(tx, approval)
        return requests.no_tokens(State.REDEEMED, {})

    def _pending(self, tx: Unit, approval: Approval) -> errors.ProtocolError:
        return requests.no_tokens(State.PENDING, self._progress(tx, approval))

    def _progress(self, tx: Unit, approval: Approval) -> dict[str, object]:
        """The members that `authorization_pending` and `slow_down` share.

        With hidden users they contain nothing that only an existing user can cause.
        """
        hidden = self.redemption.issuing.rules.hide_unknown_users
        members: dict[str, object] = {"expires_at": rfc3339(approval.expires_at)}
        if hidden:
            return {"status": "pending", **members}
        members |= {
            "status": "held_back" if approval.held_back else "pending",
            "delivered": approval.delivered_at is not None,
            "seen": approval.seen_at is not None,
        }
        if (back := absences.back_at(tx, approval)) is not None:
            members["held_until"] = rfc3339(back)
        if approval.quorum > 1:
            members["approvals"] = f"{votes.have(tx, approval)}/{approval.quorum}"
        return members


def _beyond(poll: _Poll, approval: Approval) -> errors.ProtocolError | None:
    """The token is for what was asked for, whatever a poll says (RFC 8707 2.2, RFC 9396 6)."""
    if poll.resource not in {None, approval.resource}:
        return errors.InvalidTarget("The request was for another resource.")
    if poll.details and list(poll.details) != json.loads(approval.details):
        return errors.InvalidAuthorizationDetails("The request was for other details.")
    return None


def _alarm(tx: Unit, approval: Approval) -> None:
    audit.record(
        tx,
        Entry(
            type=audit.Type.HANDLE_REUSED,
            actor=audit.by_agent(approval.agent_id),
            agent_id=approval.agent_id,
            subject=approval.user_id,
            resource=approval.resource,
            decision="refused",
            cause="auth_req_id used again",
            approval_id=approval.id,
        ),
    )
    notices.alarm(tx, "alarm.handle_reused", approval=approval.id, agent=approval.agent_id)
