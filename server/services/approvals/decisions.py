"""The person's side of an approval: see, decide. The agent's side is `ciba.py`."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from server.model.approval_views import Shown
from server.model.approvals import Approval, Decision
from server.model.audit import EVERYTHING, DecidedSearch
from server.model.devices import Device
from server.model.ports import BadToken, Secrets
from server.model.store import Store, Unit, View
from server.protocol import errors
from server.protocol.approvals import ceremonies, decisions
from server.protocol.approvals.states import State, overdue
from server.services.approvals import answer_entries, votes
from server.services.approvals.ceremonies import Ceremonies, Counted, Yes, tries_left
from server.services.approvals.expiry import expire
from server.services.approvals.narrowing import Narrowed, Narrowings
from server.services.approvals.rights import Rights
from server.services.approvals.submitted_decisions import (
    SubmittedDecision,
    checked,
    kept,
    says_the_same,
    settled,
)
from server.services.approvals.views import shown
from server.services.approvals.withdrawals import withdraw
from server.services.approvers import approvers
from server.services.audit import audit
from server.services.consents.consents import ConsentService
from server.services.devices.signatures import Signatures
from server.services.notifications import deliveries, notices, pauses
from server.services.policy import history
from server.services.server_policy import ServerPolicy
from server.services.standing_grants.standing_grants import StandingGrants
from server.services.users import device_auth
from server.services.users.device_auth import Person

_TARGET = {"approve": State.APPROVED, "deny": State.DENIED}
LOOKED_AT = 500
"""How many of what is over are looked at for one part of what is looked for."""
_ONE_YES = "A person and whoever stands in for them have one yes together; it is given."


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
    signatures: Signatures
    rights: Rights
    rules: ServerPolicy
    consents: ConsentService
    narrowings: Narrowings
    standing_grants: StandingGrants
    ceremonies: Ceremonies

    def waiting(self, person: Person, limit: int, after: tuple[int, str] | None) -> Page:
        """What waits for this person, gravest first, then soonest end."""
        with self.store.read() as view:
            cursor = view.feed.head()
            found = view.approvals.waiting(person.at.user_id, view.now, limit, after)
            last = (found[-1].place, found[-1].id) if len(found) == limit else None
            page = Page(_all(view, person, found), last, cursor, view.now)
        deliveries.record(self.store, person.at.id, found)
        return page

    def waiting_count(self, person: Person) -> int:
        """How much waits for this person."""
        with self.store.read() as view:
            return view.approvals.waiting_count(person.at.user_id, view.now)

    def decided(
        self,
        person: Person,
        limit: int,
        before: tuple[int, str] | None,
        wanted: DecidedSearch = EVERYTHING,
    ) -> Page:
        """What is over for this person and fits, newest first.

        So many are looked at, whatever fits; a part may be empty and yet go on.
        """
        looked = limit if wanted == EVERYTHING else max(limit, LOOKED_AT)
        with self.store.read() as view:
            cursor = view.feed.head()
            found = view.approvals.decided(person.at.user_id, looked, before)
            fitting = [one for one in found if wanted.fits(one)]
            more = len(found) == looked and not wanted.is_past(found[-1])
            last = _last(fitting[:limit] if len(fitting) >= limit else found[-1:] if more else [])
            return Page(_all(view, person, fitting[:limit]), last, cursor, view.now)

    def agent_called(self, called: str) -> str:
        """The id of an agent of this name or id; what is neither is no agent's."""
        with self.store.read() as view:
            found = view.directory.agent_called(called)
            return called if found is None else found.id

    def show(self, person: Person, approval_id: str) -> Shown:
        """One approval with the nonce that this device must sign; it counts as seen from now on."""
        with self.store.write() as tx:
            device = device_auth.current(tx, person)
            approval = approvers.owned(tx, approval_id, person.user.id)
            if overdue(approval.state, approval.expires_at, tx.now):
                approval = expire(tx, approval) or approvers.owned(tx, approval_id, person.user.id)
            if approval.state is State.PENDING:
                tx.approvals.seen(approval.id, tx.now)
                tx.deliveries.add(approval.id, device.id, seen=True)
            return replace(
                shown(tx, approval, person.user.id, self._nonce(approval, device)),
                tries_left=tries_left(tx, approval, person.user.id),
                deliveries=deliveries.of_person(tx, approval.id, person.user.id),
                unusual=self.rights.unusual(tx, approval),
            )

    def decide(self, person: Person, approval_id: str, said: SubmittedDecision) -> Shown:
        """Take a signed answer. The first one wins; later ones are told who won.

        Raises errors.Problem: 404 for somebody else's, 409 with the approval when it is over, 422
        or 403 when the answer does not prove what it must, 423 when the person is locked out of it.
        """
        said = checked(said)
        with self.store.write() as tx:
            result = self._decide(tx, person, approval_id, said, counted=False)
        if isinstance(result, Counted):
            with self.store.write() as tx:
                result = self._decide(tx, person, approval_id, said, counted=True)
        if isinstance(result, errors.Problem):
            raise result
        assert isinstance(result, Shown)  # noqa: S101  # a try is counted once
        return result

    def _decide(
        self, tx: Unit, person: Person, approval_id: str, said: SubmittedDecision, *, counted: bool
    ) -> Shown | errors.Problem | Counted:
        """Take the answer, in a unit of work of its own.

        1. It is this person's.  2. The signature is of a key of this device, over exactly our
        rows, and over a part of what was asked if that is what is granted.  3. It still waits, and
        so may its agent.  4. The key and the ceremony are enough; what is compared is counted first
        and looked at in the next unit of work.  5. State, answer, entry and events are stored
        together, and so is the consent it gives.
        """
        approval = votes.alone(tx, approvers.owned(tx, approval_id, person.user.id))
        device = device_auth.current(tx, person)
        payload, key = self._verified(tx, device, said.jws)
        said = settled(tx, approval, said, payload.code)
        granted = said.granted
        less = None if granted is None else self.narrowings.judged(tx, approval, granted)
        self._compare(tx, payload, approval, device, less)
        answer = kept(tx, approval, device, payload, said)
        if (closed := _closed(tx, person, approval, answer, granted, self.rights)) is not None:
            return closed
        own = votes.before(tx, approval, person.user.id) if approval.quorum > 1 else None
        if payload.decision == "approve" and own is None:
            approvers.check_may_approve(tx, approval, person.user.id)
            yes = Yes(approval, device, key, _steps(payload), said.entered)
            if (refused := self.ceremonies.judge(tx, yes, counted=counted)) is not None:
                return refused
        if approval.quorum > 1:
            return self._voted(tx, approval, answer, less, key)
        moved = tx.approvals.move(approval, _TARGET[payload.decision], now=tx.now)
        if moved is None:
            return _over(tx, approvers.owned(tx, approval_id, person.user.id))
        if less is not None:
            moved = self.narrowings.keep(tx, moved, less)
        _keep(tx, moved, answer, key)
        if payload.decision == "approve":
            moved = self._given(tx, moved, payload.ceremony)
        else:
            pauses.record_if_begun(tx, moved, person.user.id, self.rules)
        return shown(tx, moved)

    def _voted(
        self, tx: Unit, approval: Approval, answer: Decision, less: Narrowed | None, key: str
    ) -> Shown | errors.Problem:
        """Take the answer of one of several people.

        1. They have no other that counts, nor has who stands in for them.  2. A yes is to what
        the others have said yes to, or to less.  3. The last one that it takes, and any no, is the
        one conditional step.
        """
        if (own := votes.before(tx, approval, answer.user_id)) is not None:
            return _repeated(tx, approval, own, answer, less)
        if answer.decision == "approve":
            if _text(less) == approval.granted and votes.is_given(tx, answer):
                return _voted_already(tx, approval, _ONE_YES)
            counted = votes.count(tx, self.narrowings, approval, answer, less)
            if counted is None:
                return _narrowed_meanwhile(tx, approval)
            if votes.have(tx, counted) < counted.quorum:
                return _noted(tx, counted, answer, key)
            approval = counted
        else:
            votes.add(tx, answer)
        moved = tx.approvals.move(approval, _TARGET[answer.decision], now=tx.now)
        if moved is None:
            return _over(tx, tx.approvals.get(approval.id) or approval)
        _settle(tx, moved, answer, key)
        if moved.state is State.DENIED:
            pauses.record_if_begun(tx, moved, answer.user_id, self.rules)
        return shown(tx, moved)

    def _given(self, tx: Unit, approval: Approval, ceremony: str) -> Approval:
        """What a yes gives at once, for what it is not an agent that fetches."""
        if approval.kind == "consent":
            return self.consents.give(tx, approval)
        if approval.kind == "standing_grant":
            return self.standing_grants.give(tx, approval, ceremony)
        return approval

    def disown(self, tx: Unit, person: Person, approval_id: str, jws: str) -> Approval:
        """End a request that the person did not ask for, by a signed denial as suspicious.

        One that waits is denied, one that was approved and not fetched is withdrawn, and one that
        is over stays as it is. Raises errors.Problem as `decide` does, but for one that is over.
        """
        approval = approvers.owned(tx, approval_id, person.user.id)
        device = device_auth.current(tx, person)
        payload, key = self._verified(tx, device, jws)
        self._compare(tx, payload, approval, device, None)
        if payload.code != decisions.SUSPICIOUS:
            raise errors.Problem(
                422, "invalid_decision", "A report is a denial with the code suspicious."
            )
        if overdue(approval.state, approval.expires_at, tx.now):
            expire(tx, approval)
        own = votes.before(tx, approval, person.user.id) if approval.quorum > 1 else None
        moved = None if own else tx.approvals.move(approval, State.DENIED, now=tx.now)
        if moved is not None:
            _keep(tx, moved, kept(tx, moved, device, payload, SubmittedDecision(jws)), key)
        else:
            withdraw(tx, [approval], reason="reported", actor=audit.by_user(person.user.id))
        return approvers.owned(tx, approval_id, person.user.id)

    def _nonce(self, approval: Approval, device: Device) -> str:
        return self.secrets.nonce("decision", approval.id, device.id)

    def _verified(self, tx: Unit, device: Device, jws: str) -> tuple[decisions.Decision, str]:
        try:
            signed = self.signatures.of(tx, device, jws, decisions.DECISION_TYPE)
            return decisions.read_decision(signed.payload), signed.key
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


def _last(found: list[Approval]) -> tuple[int, str] | None:
    return (found[-1].decided_at or 0, found[-1].id) if found else None


def _all(view: View, person: Person, found: Iterable[Approval]) -> tuple[Shown, ...]:
    return tuple(shown(view, one, person.user.id) for one in found)


def _closed(  # the parts of one answer
    tx: Unit,
    person: Person,
    approval: Approval,
    answer: Decision,
    granted: str | None,
    rights: Rights,
) -> Shown | errors.Problem | None:
    """The answer when the approval is over, or ends now; None while it waits."""
    if overdue(approval.state, approval.expires_at, tx.now):
        return _over(tx, expire(tx, approval) or approvers.owned(tx, approval.id, person.user.id))
    if approval.state is not State.PENDING:
        before = tx.decisions.of_approval(approval.id)
        repeated = approval.granted == granted and any(says_the_same(a, answer) for a in before)
        return shown(tx, approval) if repeated else _over(tx, approval)
    if (gone := rights.gone(tx, approval)) is not None:
        withdraw(tx, [approval], reason=gone, actor=audit.SYSTEM)
        return _over(tx, approvers.owned(tx, approval.id, person.user.id))
    return None


def _over(tx: Unit, approval: Approval) -> errors.Problem:
    """409 with the approval as it stands; raised after this unit of work is stored."""
    answered = approval.state in {State.APPROVED, State.DENIED, State.REDEEMED}
    if answered and (approval.quorum > 1 or approval.several):
        return _no_effect(tx, approval)
    return errors.Problem(
        409,
        "already_decided" if answered else "not_pending",
        "Somebody was first." if answered else f"This request is {approval.state}.",
        members={"approval": shown(tx, approval)},
    )


def _no_effect(tx: Unit, approval: Approval) -> errors.Problem:
    return errors.Problem(
        409,
        "no_effect",
        "Your vote no longer changes the result.",
        members={"approval": shown(tx, approval)},
    )


def _noted(tx: Unit, approval: Approval, answer: Decision, key: str) -> Shown:
    """Write down a yes that is not enough yet, and say so on every screen."""
    _confirm(tx, answer, key)
    answer_entries.record(tx, approval, answer)
    notices.approval(tx, approval, "approval.voted")
    return shown(tx, approval, answer.user_id)


def _narrowed_meanwhile(tx: Unit, approval: Approval) -> errors.Problem:
    return errors.Problem(
        409,
        "narrowed_meanwhile",
        "Somebody has approved less of this. Look at it again.",
        members={"approval": shown(tx, approval)},
    )


def _repeated(
    tx: Unit, approval: Approval, own: Decision, answer: Decision, less: Narrowed | None
) -> Shown | errors.Problem:
    """A lost receipt is no second vote; anything else of the same person is refused."""
    if says_the_same(own, answer) and _text(less) == approval.granted:
        return shown(tx, approval)
    told = "You have said yes already, once for each person. If you did not mean it, report it."
    return _voted_already(tx, approval, told)


def _voted_already(tx: Unit, approval: Approval, told: str) -> errors.Problem:
    members = {"approval": shown(tx, approval)}
    return errors.Problem(409, "already_voted", told, members=members)


def _text(less: Narrowed | None) -> str | None:
    return None if less is None else less.text


def _keep(tx: Unit, approval: Approval, answer: Decision, key: str) -> None:
    """Store an answer with everything that comes of it, whichever it is."""
    votes.add(tx, answer) if approval.quorum > 1 else tx.decisions.add(answer)
    _settle(tx, approval, answer, key)


def _settle(tx: Unit, approval: Approval, answer: Decision, key: str) -> None:
    """Everything that comes of the answer that ended the waiting."""
    _confirm(tx, answer, key)
    history.remember(tx, approval, approved=approval.state is State.APPROVED)
    answer_entries.record(tx, approval, answer)
    notices.approval(tx, approval, "approval.decided")


def _confirm(tx: Unit, answer: Decision, key: str) -> None:
    """A signature of the high key proves the PIN, so the device gets its tries back."""
    if key == "high":
        tx.devices.confirm(answer.device_id, entered=answer.with_pin)


def _steps(payload: decisions.Decision) -> ceremonies.Ceremony:
    """The steps that a yes was signed for."""
    try:
        return ceremonies.read(payload.ceremony)
    except ValueError as error:
        raise errors.Problem(422, "invalid_decision", f"{error}.") from error
