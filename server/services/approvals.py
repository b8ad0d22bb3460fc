"""The person's side of an approval: see, decide. The agent's side is `ciba.py`."""

import json
from dataclasses import dataclass
from typing import Literal, cast

from server.protocol import decisions, errors
from server.protocol.risks import Risk
from server.protocol.states import State, overdue
from server.protocol.text import check_prose
from server.services import audit, histories, notices, parties, people
from server.services.consents import ConsentService
from server.services.expiry import expire
from server.services.narrowings import Narrowed, Narrowings, effective_digest
from server.services.people import Person
from server.services.ports import BadToken, Secrets, Store, Unit, Verifier, View
from server.services.records import Approval, Decision, Device, Entry
from server.services.rights import Rights
from server.services.rules import Rules
from server.services.statements import PIN_FRESH_MS
from server.services.withdrawals import withdraw

_MOST_NOTE = 500
_TARGET = {"approve": State.APPROVED, "deny": State.DENIED}


@dataclass(frozen=True, slots=True)
class Shown:
    """An approval as a person's client gets it."""

    approval: Approval
    agent_name: str
    decision: Decision | None
    decider_name: str
    device_name: str
    nonce: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list, and where it goes on."""

    items: tuple[Shown, ...]
    next: tuple[int, str] | None
    feed_cursor: int
    now: int


@dataclass(frozen=True, slots=True)
class ApprovalService:
    """Lists, shows and decides the approvals of one person."""

    store: Store
    secrets: Secrets
    verifier: Verifier
    rights: Rights
    rules: Rules
    consents: ConsentService
    narrowings: Narrowings

    def waiting(self, person: Person, limit: int, after: tuple[int, str] | None) -> Page:
        """What waits for this person, soonest end first."""
        with self.store.read() as view:
            cursor = view.feed.head()
            found = view.approvals.waiting(person.at.user_id, view.now, limit, after)
            last = (found[-1].expires_at, found[-1].id) if len(found) == limit else None
            return Page(tuple(shown(view, a) for a in found), last, cursor, view.now)

    def decided(self, person: Person, limit: int, before: tuple[int, str] | None) -> Page:
        """What is over for this person, newest first."""
        with self.store.read() as view:
            cursor = view.feed.head()
            found = view.approvals.decided(person.at.user_id, limit, before)
            last = (found[-1].decided_at or 0, found[-1].id) if len(found) == limit else None
            return Page(tuple(shown(view, a) for a in found), last, cursor, view.now)

    def show(self, person: Person, approval_id: str) -> Shown:
        """One approval with the nonce that this device must sign; it counts as seen from now on."""
        with self.store.write() as tx:
            device = people.current(tx, person)
            approval = of_person(tx, person, approval_id)
            if overdue(approval.state, approval.expires_at, tx.now):
                approval = expire(tx, approval) or of_person(tx, person, approval_id)
            if approval.state is State.PENDING:
                tx.approvals.seen(approval.id, tx.now)
            return shown(tx, approval, nonce=self._nonce(approval, device))

    def decide(
        self,
        person: Person,
        approval_id: str,
        jws: str,
        note: str | None,
        granted: str | None = None,
    ) -> Shown:
        """Take a signed answer. The first one wins; later ones are told who won.

        `granted` is the text of what is granted where that is less; what is signed is its digest.
        Raises errors.Problem: 404 for somebody else's, 409 with the approval when it is over, 422
        or 403 when the answer does not prove what it must.
        """
        note = _checked_note(note)
        with self.store.write() as tx:
            result = self._decide(tx, person, approval_id, jws, note, granted)
        if isinstance(result, errors.Problem):
            raise result
        return result

    def _decide(  # the parts of one answer
        self,
        tx: Unit,
        person: Person,
        approval_id: str,
        jws: str,
        note: str | None,
        granted: str | None,
    ) -> Shown | errors.Problem:
        """Take the answer, in a unit of work of its own.

        1. It is this person's.  2. The signature is of a key of this device, over exactly our
        rows, and over a part of what was asked if that is what is granted.  3. It still waits, and
        so may its agent.  4. The key and the ceremony are enough.  5. State, answer, entry and
        events are stored together, and so is the consent it gives.
        """
        approval = of_person(tx, person, approval_id)
        device = people.current(tx, person)
        payload, key = self._verified(device, jws)
        less = None if granted is None else self.narrowings.judged(tx, approval, granted)
        self._compare(tx, payload, approval, device, less)
        if (closed := _closed(tx, person, approval, payload, granted, self.rights)) is not None:
            return closed
        if payload.decision == "approve":
            _check_power(tx, approval, device, key, payload.ceremony)
        moved = tx.approvals.move(approval.id, _TARGET[payload.decision], now=tx.now)
        if moved is None:
            return _over(tx, of_person(tx, person, approval_id))
        if less is not None:
            moved = self.narrowings.keep(tx, moved, less)
        _keep(tx, moved, _answer(moved, person, device, payload, note, jws=jws, at=tx.now), key)
        if moved.kind == "consent" and payload.decision == "approve":
            moved = self.consents.give(tx, moved)
        return shown(tx, moved)

    def disown(self, tx: Unit, person: Person, approval_id: str, jws: str) -> Approval:
        """End a request that the person did not ask for, by a signed denial as suspicious.

        One that waits is denied, one that was approved and not fetched is withdrawn, and one that
        is over stays as it is. Raises errors.Problem as `decide` does, but for one that is over.
        """
        approval = of_person(tx, person, approval_id)
        device = people.current(tx, person)
        payload, key = self._verified(device, jws)
        self._compare(tx, payload, approval, device, None)
        if payload.code != decisions.SUSPICIOUS:
            raise errors.Problem(
                422, "invalid_decision", "A report is a denial with the code suspicious."
            )
        if overdue(approval.state, approval.expires_at, tx.now):
            expire(tx, approval)
        if (moved := tx.approvals.move(approval.id, State.DENIED, now=tx.now)) is not None:
            _keep(tx, moved, _answer(moved, person, device, payload, None, jws=jws, at=tx.now), key)
        else:
            withdraw(tx, [approval], reason="reported", actor=audit.by_user(person.user.id))
        return of_person(tx, person, approval_id)

    def _nonce(self, approval: Approval, device: Device) -> str:
        return self.secrets.nonce("decision", approval.id, device.id)

    def _verified(self, device: Device, jws: str) -> tuple[decisions.Decision, str]:
        try:
            kid = self.verifier.key_of(jws)
            key = next((name for name, known in device.kids.items() if known == kid), None)
            if key is None:
                raise errors.Problem(
                    403, "key_not_allowed", "The answer is not signed by a key of this device."
                )
            raw = self.verifier.signed_by(jws, decisions.DECISION_TYPE, device.keys[key], kid)
            return decisions.read_decision(raw), key
        except (BadToken, ValueError) as error:
            raise errors.Problem(
                422, "invalid_decision", "The signed answer cannot be read.", log=str(error)
            ) from error

    def _compare(
        self,
        tx: Unit,
        payload: decisions.Decision,
        approval: Approval,
        device: Device,
        less: Narrowed | None,
    ) -> None:
        decisions.check_decision(
            payload,
            decisions.Expected(
                iss=device.id,
                sub=device.user_id,
                aud=self.rules.issuer,
                approval=approval.id,
                action_digest=approval.action_digest,
                display_digest=approval.display_digest,
                nonce=self._nonce(approval, device),
                now=tx.now // 1000,
                granted=None if less is None else less.digest,
            ),
        )


def shown(view: View, approval: Approval, nonce: str | None = None) -> Shown:
    """The approval with the names that belong to it."""
    answers = [] if approval.decided_at is None else view.decisions.of_approval(approval.id)
    answer = answers[-1] if answers else None
    decider = None if answer is None else view.directory.user(answer.user_id)
    device = None if answer is None else view.devices.get(answer.device_id)
    return Shown(
        approval=approval,
        agent_name=parties.name_of(view.directory, approval.agent_id),
        decision=answer,
        decider_name="" if decider is None else decider.name,
        device_name="" if device is None else device.name,
        nonce=nonce,
    )


def of_person(view: View, person: Person, approval_id: str) -> Approval:
    """The request, if it is this person's. Raises errors.Problem 404."""
    approval = view.approvals.get(approval_id)
    if approval is None or approval.user_id != person.user.id:
        raise errors.Problem(404, "not_found", "There is no such request for you.")
    return approval


def _closed(  # the parts of one answer
    tx: Unit,
    person: Person,
    approval: Approval,
    payload: decisions.Decision,
    granted: str | None,
    rights: Rights,
) -> Shown | errors.Problem | None:
    """The answer when the approval is over, or ends now; None while it waits."""
    if overdue(approval.state, approval.expires_at, tx.now):
        return _over(tx, expire(tx, approval) or of_person(tx, person, approval.id))
    if approval.state is not State.PENDING:
        repeated = approval.granted == granted and any(
            (a.device_id, a.decision) == (payload.iss, payload.decision)
            for a in tx.decisions.of_approval(approval.id)
        )
        return shown(tx, approval) if repeated else _over(tx, approval)
    if (gone := rights.gone(tx, approval)) is not None:
        withdraw(tx, [approval], reason=gone, actor=audit.SYSTEM)
        return _over(tx, of_person(tx, person, approval.id))
    return None


def _over(tx: Unit, approval: Approval) -> errors.Problem:
    """409 with the approval as it stands; raised after this unit of work is stored."""
    answered = approval.state in {State.APPROVED, State.DENIED, State.REDEEMED}
    return errors.Problem(
        409,
        "already_decided" if answered else "not_pending",
        "Somebody was first." if answered else f"This request is {approval.state}.",
        members={"approval": shown(tx, approval)},
    )


def _check_power(tx: Unit, approval: Approval, device: Device, key: str, ceremony: str) -> None:
    """Approving adds power: an approval key, and for high risk the high one, freshly opened.

    Whoever says that the PIN was entered must have entered it for this request, at every risk: the
    token repeats it.
    """
    if ceremony == "none":
        raise errors.Problem(422, "invalid_decision", "ceremony is not one that approves.")
    high = approval.risk.rank >= Risk.HIGH.rank
    asks_pin = high or approval.ceremony == "pin"
    if (asks_pin and ceremony != "pin") or (high and key != "high"):
        raise errors.Problem(403, "pin_required", "This needs your PIN for this very request.")
    if key == "session":
        raise errors.Problem(
            403, "key_not_allowed", "Approve with an approval key: enter your PIN."
        )
    if high and tx.now < device.high_from:
        raise errors.Problem(
            403,
            "device_too_new",
            "This device may not decide high risk yet. Vouch for it from an older device.",
        )
    named = device.pin_for == approval.id and device.pin_for_at is not None
    if ceremony == "pin" and not (named and tx.now - (device.pin_for_at or 0) <= PIN_FRESH_MS):
        raise errors.Problem(
            403, "pin_required", "Enter your PIN for this request; the last entry is too old."
        )


def _answer(  # noqa: PLR0913  # the facts of one answer
    approval: Approval,
    person: Person,
    device: Device,
    payload: decisions.Decision,
    note: str | None,
    *,
    jws: str,
    at: int,
) -> Decision:
    return Decision(
        approval_id=approval.id,
        user_id=person.user.id,
        device_id=device.id,
        decision=cast('Literal["approve", "deny"]', payload.decision),
        code=payload.code,
        note=note if payload.decision == "deny" else None,
        ceremony=payload.ceremony,
        channel=device.kind,
        jws=jws,
        at=at,
    )


def _keep(tx: Unit, approval: Approval, answer: Decision, key: str) -> None:
    """Store an answer with everything that comes of it, whichever it is."""
    tx.decisions.add(answer)
    if key != "session":
        tx.devices.confirm(answer.device_id, entered=answer.ceremony == "pin")
    histories.remember(tx, approval, approved=approval.state is State.APPROVED)
    _record(tx, approval, answer)
    notices.approval(tx, approval, "approval.decided")


def _record(tx: Unit, approval: Approval, answer: Decision) -> None:
    approved = answer.decision == "approve"
    audit.record(
        tx,
        Entry(
            type=audit.Type.APPROVAL_APPROVED if approved else audit.Type.APPROVAL_DENIED,
            actor=audit.by_user(answer.user_id),
            agent_id=approval.agent_id,
            subject=approval.user_id,
            resource=approval.resource,
            action=approval.action_digest,
            decision=str(approval.state),
            posture=approval.risk,
            cause=answer.code,
            approval_id=approval.id,
            facts={
                "kind": approval.kind,
                "device": answer.device_id,
                "channel": answer.channel,
                "ceremony": answer.ceremony,
                "signed": answer.jws,
                "display_digest": approval.display_digest,
                "policy": json.loads(approval.policy),
                **({"granted_digest": effective_digest(approval)} if approval.granted else {}),
                **({"self_approved": True} if approval.risk is Risk.CRITICAL else {}),
            },
        ),
    )


def _checked_note(note: str | None) -> str | None:
    if not note:
        return None
    try:
        return check_prose(note, what="note", max_chars=_MOST_NOTE)
    except ValueError as error:
        raise errors.Problem(422, "invalid_body", str(error)) from error
