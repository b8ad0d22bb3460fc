"""Shows and decides approvals: the approver's side. `ciba` is the agent's side."""

from dataclasses import dataclass, replace

from server.model.approval_views import ApproverView
from server.model.approvals import Approval, Decision
from server.model.devices import Device
from server.model.ports import BadToken, Secrets
from server.model.store import Store, Unit, View
from server.protocol import errors
from server.protocol.approvals import ceremonies, decisions
from server.protocol.approvals.states import State
from server.services.approvals import answer_entries, votes
from server.services.approvals.ceremonies import (
    ApproveAnswer,
    AttemptsCounted,
    attempts_left,
    check_approval,
    invalid_decision,
)
from server.services.approvals.current_checks import ApprovalChecks
from server.services.approvals.expiry import expire_if_overdue
from server.services.approvals.narrowing import Narrowed, Narrowings
from server.services.approvals.submitted_decisions import (
    SubmittedDecision,
    is_repeat,
    stored_decision,
    with_checked_code,
    with_checked_texts,
)
from server.services.approvals.views import approver_view
from server.services.approvals.withdrawals import withdraw
from server.services.approvers import approvers
from server.services.audit import audit
from server.services.consents.consents import ConsentService
from server.services.devices.signatures import Signatures
from server.services.notifications import deliveries, notices, request_limits
from server.services.policy import history
from server.services.server_policy import ServerPolicy
from server.services.standing_grants.standing_grants import StandingGrants
from server.services.users import device_auth
from server.services.users.device_auth import Person

_TARGET = {"approve": State.APPROVED, "deny": State.DENIED}
_SHARED_VOTE = "You and your deputy share one vote; it has been cast."


@dataclass(frozen=True, slots=True)
class ApprovalService:
    """Shows and decides the approvals of one person."""

    store: Store
    secrets: Secrets
    signatures: Signatures
    checks: ApprovalChecks
    server_policy: ServerPolicy
    consents: ConsentService
    narrowings: Narrowings
    standing_grants: StandingGrants

    def show(self, person: Person, approval_id: str) -> ApproverView:
        """Return an approval with the nonce that this device must sign, and mark it as seen."""
        with self.store.write() as tx:
            device = device_auth.current_device(tx, person)
            approval = expire_if_overdue(
                tx, approvers.get_for_approver(tx, approval_id, person.user.id)
            )
            if approval.state is State.PENDING:
                tx.approvals.mark_seen(approval.id, tx.now)
                tx.deliveries.add(approval.id, device.id, seen=True)
            return replace(
                approver_view(tx, approval, person.user.id, self._nonce(tx, approval, device)),
                tries_left=attempts_left(tx, approval, person.user.id),
                deliveries=deliveries.of_person(tx, approval.id, person.user.id),
                unusual=self.checks.current_signals(tx, approval),
            )

    def decide(
        self, person: Person, approval_id: str, submitted_decision: SubmittedDecision
    ) -> ApproverView:
        """Accept a signed answer. The first one decides; later ones get the result.

        Raises errors.Problem: 404 for another person's request, 409 with the approval if it is
        closed, 422 or 403 if the answer is invalid or too weak, 423 if the person is locked out.
        """
        submitted_decision = with_checked_texts(submitted_decision)
        result: ApproverView | errors.Problem | AttemptsCounted = AttemptsCounted()
        for counted in (False, True):
            with self.store.write() as tx:
                result = self._decide(
                    tx, person, approval_id, submitted_decision, attempts_counted=counted
                )
            if not isinstance(result, AttemptsCounted):
                break
        if isinstance(result, errors.Problem):
            raise result
        assert isinstance(result, ApproverView)  # noqa: S101  # attempts are counted only in the first unit of work
        return result

    def _decide(
        self,
        tx: Unit,
        person: Person,
        approval_id: str,
        submitted_decision: SubmittedDecision,
        *,
        attempts_counted: bool,
    ) -> ApproverView | errors.Problem | AttemptsCounted:
        """Process an answer in its own unit of work.

        Rules, in order: 1. This person is an approver. 2. A key of this device signed exactly the
        server's values and, if the answer narrows the request, a valid granted text. 3. The request
        is pending and its agent may still act. 4. Key and ceremony suffice; attempts are counted
        first and compared in the next unit of work. 5. State, answer, audit entry, events and any
        new consent are stored together.
        """
        approval = votes.locked(tx, approvers.get_for_approver(tx, approval_id, person.user.id))
        device = device_auth.current_device(tx, person)
        payload, key = self._verify_signature(tx, device, submitted_decision.jws)
        if payload.decision == "withdraw":
            return self._decide_withdrawal(tx, approval, device, payload, submitted_decision.jws)
        submitted_decision = with_checked_code(tx, approval, submitted_decision, payload.code)
        granted = submitted_decision.granted
        narrowed = None if granted is None else self.narrowings.check(tx, approval, granted)
        self._check_payload(tx, payload, approval, device, narrowed)
        answer = stored_decision(tx, approval, device, payload, submitted_decision)
        if (closed := self._check_open(tx, approval, answer, granted)) is not None:
            return closed
        earlier = votes.earlier_answer(tx, approval, person.user.id)
        if payload.decision == "approve" and earlier is None:
            self.checks.check_may_approve(tx, approval, person.user.id)
            approve_answer = ApproveAnswer(
                approval, device, key, _signed_steps(payload), submitted_decision.entries
            )
            refused = check_approval(
                tx, self.secrets, approve_answer, attempts_counted=attempts_counted
            )
            if refused is not None:
                return refused
        if approval.quorum > 1:
            return self._add_vote(tx, approval, answer, narrowed, key)
        return self._close(tx, approval, answer, narrowed, key)

    def _check_open(
        self, tx: Unit, approval: Approval, answer: Decision, granted: str | None
    ) -> ApproverView | errors.Problem | None:
        """Return the result if the approval is closed or closes now; None if it stays pending."""
        if approval.is_overdue(tx.now):
            return _already_closed(tx, expire_if_overdue(tx, approval))
        if approval.state is not State.PENDING:
            earlier_answers = tx.decisions.of_approval(approval.id)
            repeats = any(is_repeat(earlier, answer) for earlier in earlier_answers)
            is_repeated = repeats and approval.granted == granted
            return approver_view(tx, approval) if is_repeated else _already_closed(tx, approval)
        if (reason := self.checks.invalid_reason(tx, approval)) is not None:
            withdraw(tx, [approval], reason=reason, actor=audit.SYSTEM)
            return _already_closed(tx, tx.approvals.get(approval.id) or approval)
        return None

    def _close(
        self, tx: Unit, approval: Approval, answer: Decision, narrowed: Narrowed | None, key: str
    ) -> ApproverView | errors.Problem:
        """Close the request with the deciding answer; votes and their limits are already stored."""
        closed = tx.approvals.transition(approval, _TARGET[answer.decision], now=tx.now)
        if closed is None:
            return _already_closed(tx, tx.approvals.get(approval.id) or approval)
        if closed.quorum == 1:
            if narrowed is not None:
                closed = self.narrowings.store_granted(tx, closed, narrowed)
            tx.decisions.add(answer)
        _apply_decision(tx, closed, answer, key)
        if answer.decision == "approve":
            closed = self._store_grant(tx, closed, answer.ceremony)
        else:
            request_limits.record_pause_if_begun(tx, closed, answer.user_id, self.server_policy)
        return approver_view(tx, closed)

    def _add_vote(
        self, tx: Unit, approval: Approval, answer: Decision, narrowed: Narrowed | None, key: str
    ) -> ApproverView | errors.Problem:
        """Process the answer of one of several approvers.

        Rules, in order: 1. Neither they nor a deputy has voted. 2. An approval grants what the
        others approved, or part of it. 3. The approval that satisfies policy, or any denial,
        closes the request.
        """
        if (earlier := votes.earlier_answer(tx, approval, answer.user_id)) is not None:
            return _repeat_or_refuse(tx, approval, earlier, answer, narrowed)
        if answer.decision == "approve":
            if _granted_text(narrowed) == approval.granted and answer.voter_id in votes.voters(
                tx, approval
            ):
                return _conflict(tx, approval, "already_voted", _SHARED_VOTE)
            updated = votes.add_approval(tx, self.narrowings, approval, answer, narrowed)
            if updated is None:
                text = "Another approver has narrowed this request. Review it again."
                return _conflict(tx, approval, "narrowed_meanwhile", text)
            self.checks.void_ineligible_votes(tx, updated)
            if not self.checks.is_approved(tx, updated):
                return _record_vote(tx, updated, answer, key)
            approval = updated
        else:
            votes.store_answer(tx, answer)
        return self._close(tx, approval, answer, narrowed, key)

    def _decide_withdrawal(
        self, tx: Unit, approval: Approval, device: Device, payload: decisions.Decision, jws: str
    ) -> ApproverView | errors.Problem:
        """Process the withdrawal of a vote. As with a denial, any key of the device suffices.

        Rules, in order: 1. A repeat of the stored withdrawal is accepted (after a lost response).
        2. The device signed the server's values. 3. The request is pending and its agent may still
        act.
        """
        if votes.is_stored_withdrawal(tx, approval, device.user_id, jws):
            return approver_view(tx, approval, device.user_id)
        self._check_payload(tx, payload, approval, device, None)
        answer = stored_decision(tx, approval, device, payload, SubmittedDecision(jws))
        if (closed := self._check_open(tx, approval, answer, None)) is not None:
            return closed
        return self._withdraw_vote(tx, approval, answer)

    def _withdraw_vote(
        self, tx: Unit, approval: Approval, answer: Decision
    ) -> ApproverView | errors.Problem:
        """Withdraw a counted vote. Answers signed before the withdrawal are no longer accepted."""
        if votes.earlier_answer(tx, approval, answer.user_id) is None:
            return _conflict(tx, approval, "no_vote", "You have no approval to withdraw.")
        changed = votes.withdraw(tx, self.narrowings, approval, answer)
        if changed is None:
            return _already_closed(tx, tx.approvals.get(approval.id) or approval)
        answer_entries.record_answer(tx, changed, answer)
        notices.approval(tx, changed, "approval.vote_withdrawn")
        return approver_view(tx, changed, answer.user_id)

    def _store_grant(self, tx: Unit, approval: Approval, ceremony: str) -> Approval:
        """Store the consent or standing grant that this approval creates, if any."""
        if approval.kind == "consent":
            return self.consents.give(tx, approval)
        if approval.kind == "standing_grant":
            return self.standing_grants.give(tx, approval, ceremony)
        return approval

    def deny_reported(self, tx: Unit, person: Person, approval_id: str, jws: str) -> Approval:
        """Deny or withdraw a reported request, by a signed denial with the code `suspicious`.

        A pending request is denied, an approved one is withdrawn, a closed one does not change.
        Raises errors.Problem as `decide` does, except for a closed request.
        """
        approval = approvers.get_for_approver(tx, approval_id, person.user.id)
        device = device_auth.current_device(tx, person)
        payload, key = self._verify_signature(tx, device, jws)
        self._check_payload(tx, payload, approval, device, None)
        if payload.code != decisions.SUSPICIOUS:
            raise invalid_decision("A report is a denial with the code suspicious.")
        expire_if_overdue(tx, approval)
        earlier = votes.earlier_answer(tx, approval, person.user.id)
        denied = None if earlier else tx.approvals.transition(approval, State.DENIED, now=tx.now)
        if denied is not None:
            answer = stored_decision(tx, denied, device, payload, SubmittedDecision(jws))
            votes.store_answer(tx, answer)
            _apply_decision(tx, denied, answer, key)
        else:
            withdraw(tx, [approval], reason="reported", actor=audit.by_user(person.user.id))
        return approvers.get_for_approver(tx, approval_id, person.user.id)

    def _nonce(self, view: View, approval: Approval, device: Device) -> str:
        """Return the nonce to sign. A withdrawal changes it, so earlier answers become invalid."""
        withdrawals = votes.withdrawals(view, approval, device.user_id)
        parts = (str(withdrawals),) if withdrawals else ()
        return self.secrets.nonce("decision", approval.id, device.id, *parts)

    def _verify_signature(
        self, tx: Unit, device: Device, jws: str
    ) -> tuple[decisions.Decision, str]:
        try:
            signed = self.signatures.verify(tx, device, jws, decisions.DECISION_TYPE)
            return decisions.read_decision(signed.payload), signed.key
        except (BadToken, ValueError) as error:
            raise invalid_decision("The signed decision is malformed.", log=str(error)) from error

    def _check_payload(
        self,
        tx: Unit,
        payload: decisions.Decision,
        approval: Approval,
        device: Device,
        narrowed: Narrowed | None,
    ) -> None:
        decisions.check_decision(
            payload,
            decisions.ExpectedDecision(
                iss=device.id,
                sub=device.user_id,
                aud=self.server_policy.issuer,
                approval=approval.id,
                action_digest=approval.action_digest,
                display_digest=approval.display_digest,
                nonce=self._nonce(tx, approval, device),
                at=tx.now // 1000,
                granted=None if narrowed is None else narrowed.digest,
            ),
        )


def _already_closed(tx: Unit, approval: Approval) -> errors.Problem:
    """Return a 409 with the current approval. The caller must commit before it raises it."""
    if approval.state not in {State.APPROVED, State.DENIED, State.REDEEMED}:
        return _conflict(tx, approval, "not_pending", f"This request is {approval.state}.")
    if approval.quorum > 1 or approval.multi_approver:
        return _conflict(tx, approval, "no_effect", "Your vote no longer changes the result.")
    return _conflict(tx, approval, "already_decided", "Already decided.")


def _conflict(tx: Unit, approval: Approval, code: str, text: str) -> errors.Problem:
    members = {"approval": approver_view(tx, approval)}
    return errors.Problem(409, code, text, members=members)


def _record_vote(tx: Unit, approval: Approval, answer: Decision, key: str) -> ApproverView:
    """Record an approval that does not reach the quorum yet, and notify every screen."""
    _reset_pin_attempts(tx, answer, key)
    answer_entries.record_answer(tx, approval, answer)
    notices.approval(tx, approval, "approval.voted")
    return approver_view(tx, approval, answer.user_id)


def _repeat_or_refuse(
    tx: Unit, approval: Approval, earlier: Decision, answer: Decision, narrowed: Narrowed | None
) -> ApproverView | errors.Problem:
    """Accept a repeat of the same answer (after a lost response); reject a different answer."""
    if is_repeat(earlier, answer) and _granted_text(narrowed) == approval.granted:
        return approver_view(tx, approval)
    detail = "You have already approved this request. To change that, withdraw your approval."
    return _conflict(tx, approval, "already_voted", detail)


def _granted_text(narrowed: Narrowed | None) -> str | None:
    return None if narrowed is None else narrowed.text


def _apply_decision(tx: Unit, approval: Approval, answer: Decision, key: str) -> None:
    """Apply the effects of the deciding answer."""
    _reset_pin_attempts(tx, answer, key)
    history.add_answer(tx, approval, approved=approval.state is State.APPROVED)
    answer_entries.record_answer(tx, approval, answer)
    notices.approval(tx, approval, "approval.decided")


def _reset_pin_attempts(tx: Unit, answer: Decision, key: str) -> None:
    """Reset the PIN attempts of the device if its high key signed, because that proves the PIN."""
    if key == "high":
        tx.devices.confirm(answer.device_id, entered=answer.used_pin)


def _signed_steps(payload: decisions.Decision) -> ceremonies.Ceremony:
    """Return the steps that the signature claims."""
    try:
        return ceremonies.parse_ceremony(payload.ceremony)
    except ValueError as error:
        raise invalid_decision(f"{error}.") from error
