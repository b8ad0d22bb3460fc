"""Answers to approvals, and signed statements about devices.

Owns: the checks before a signature, and which key signs what. Never: screens and prompts; opening a
key with the PIN (`unlocking.py`); answers with an unknown outcome (`signed_answers.py`).
"""

from contextlib import suppress
from dataclasses import replace
from functools import partial

from approver_tui.client import errors, wire
from approver_tui.client.api import Client
from approver_tui.client.approvals.signed_answers import SignedAnswer, SignedAnswers
from approver_tui.client.approvers import deputies
from approver_tui.client.devices.unlocking import (
    LowKey,
    confirm_pin,
    pin_lock,
    sign_pin_proof,
    temporary_high_key,
)
from approver_tui.client.jose import SigningKey, signed_decision
from approver_tui.state.answer_status import AnswerStatus
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.approvals.ceremony import (
    CONFIRM,
    NO_CEREMONY,
    NO_ENTRIES,
    Ceremony,
    Entries,
    Step,
    ceremony_text,
)
from approver_tui.state.approvals.decision import NO_EXTRAS, Answer, DenialExtras, DenyCode
from approver_tui.state.approvals.differences import differing_places
from approver_tui.state.approvals.narrowing import Granted, Narrowing, matches_narrowing
from approver_tui.state.approvers.deputies import Deputy
from approver_tui.state.devices.devices import Device, OneTimeCode
from approver_tui.state.fingerprint import digest, same_fingerprint
from approver_tui.state.incidents.reports import ReportResult, ReportScope

_WITH_PIN: Ceremony = frozenset({Step.PIN})
_UNAVAILABLE = "unavailable"
"""The server's code for a change that it cannot store now."""


class DecisionClient:
    """Answers requests as one user on one device. Several threads may use it."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._low_key = LowKey(client)
        self._checked_texts: set[str] = set()
        """Granted texts that were checked against their proposal."""
        self._answers = SignedAnswers(client)

    @property
    def is_unlocked(self) -> bool:
        """Whether approving low and medium risk needs no PIN now; this ends after an idle time."""
        return self._low_key.get() is not None

    def unlock(self, pin: str) -> None:
        """Unlock the low key for a while. Raises WrongPin or DeviceLocked."""
        self._low_key.open(pin)

    def touch(self) -> None:
        """Restart the idle time, because the user is active."""
        self._low_key.touch()

    def lock(self) -> None:
        """Wipe the low key."""
        self._low_key.lock()

    def narrow(self, approval: Approval, proposal: Narrowing) -> Granted:
        """Return what would be granted. Raises Changed if it is not exactly the proposal."""
        granted = self._client.narrow(approval.id, proposal)
        if not matches_narrowing(proposal, approval.action_text, granted.text):
            raise errors.Changed("The server would grant something other than what you asked for.")
        self._checked_texts.add(granted.text)
        return granted

    def approve(
        self,
        approval: Approval,
        *,
        fingerprint: str,
        pin: str | None = None,
        granted: Granted | None = None,
        entries: Entries = NO_ENTRIES,
    ) -> Approval:
        """Approve what the user saw under `fingerprint`; return the server's copy.

        With `granted`, or the approval's own granted text, this approves that part only. The text
        comes from `narrow`, or another of several approvers has already approved it.

        With `pin` the answer includes the PIN step. Without it, the app must be unlocked and the
        risk must not require a PIN; otherwise this raises PinNeeded. It raises EntryNeeded unless
        `entries` are exactly the other required steps. Also raises Changed, WrongPin,
        DeviceLocked, PinInUse, WrongEntry, RequestLocked, AlreadyDecided, and UnknownOutcome if no
        confirmation arrived.
        """
        granted = self._check_granted(approval, granted)
        current = self._verified_copy(approval, fingerprint)
        _check_entries(current, entries)
        if pin is None:
            key = None if current.needs_pin else self._low_key.get()
            if key is None:
                raise errors.PinNeeded("Approving this requires your PIN.")
            return self._answers.send(self._sign_approval(current, key, CONFIRM, granted, entries))
        with pin_lock(self._client):
            return self._approve_with_pin(current, pin, granted, entries)

    def deny(
        self, approval: Approval, code: DenyCode, note: str = "", extras: DenialExtras = NO_EXTRAS
    ) -> Approval:
        """Deny with a reason for the agent; requires no PIN. Raises as `approve` does."""
        current = self._verified_copy(approval, approval.fingerprint)
        signed = self._sign_decision(current, Answer.DENY, code=code)
        return self._answers.send(
            SignedAnswer(current.id, Answer.DENY, signed, note, extras=extras)
        )

    def withdraw(self, approval: Approval) -> Approval:
        """Withdraw the user's own approval; requires no PIN. Raises as `approve` does.

        Fetches a new nonce, because the nonce of the approved copy may be old.
        """
        current = self._verified_copy(replace(approval, nonce=None), approval.fingerprint)
        signed = self._sign_decision(current, Answer.WITHDRAW)
        return self._answers.send(SignedAnswer(current.id, Answer.WITHDRAW, signed, ""))

    def check_outcome(self, approval_id: str) -> Approval:
        """Return the outcome of an unconfirmed answer. Raises as `SignedAnswers` does."""
        return self._answers.check_outcome(approval_id)

    def report(self, approval: Approval, scope: ReportScope, note: str = "") -> ReportResult:
        """Report a request, waiting or ended; requires no PIN.

        The note is for the administrators. Raises Changed, ApiError if the server answered that it
        changed nothing, and UnknownOutcome if neither of two attempts is confirmed. Sending the
        same report again opens no second incident.
        """
        current = self._verified_copy(approval, approval.fingerprint)
        signed = self._sign_decision(current, Answer.DENY, code=DenyCode.SUSPICIOUS)
        send = partial(self._client.report, current.id, signed, scope, note)
        try:
            return send()
        except (errors.Unreachable, errors.ApiError) as error:
            if not _is_lost(error):
                raise
            first_changed_nothing = _is_unchanged(error)
        try:
            return send()
        except (errors.Unreachable, errors.ApiError) as error:
            changed_nothing = first_changed_nothing and _is_unchanged(error)
            if isinstance(error, errors.ApiError) and (changed_nothing or not _is_lost(error)):
                raise
            raise errors.UnknownOutcome(current.id) from error

    def unlock_device(self, device: Device, pin: str) -> Device:
        """Unlock another, locked device."""
        return self._client.unlock_device(device.id, self._device_statement(device, "unlock", pin))

    def vouch_device(self, device: Device, pin: str) -> Device:
        """Let another, new device approve high-risk requests immediately."""
        return self._client.vouch_device(device.id, self._device_statement(device, "vouch", pin))

    def change_user_code(self, code: str | None, pin: str) -> bool:
        """Set the user code, or clear it with None; return whether there is one."""
        statement = self._user_statement("user_code", pin, code or "")
        return self._client.change_user_code(code, statement)

    def new_one_time_code(self, pin: str) -> OneTimeCode:
        """Create a one-time code that signs in another device."""
        return self._client.new_one_time_code(self._user_statement("enroll", pin))

    def change_password(self, password: str, pin: str) -> int:
        """Set the password for signing in to apps; return how many browsers were signed out.

        The password is sent as typed; the server normalizes it.
        """
        statement = self._user_statement("password", pin, password)
        return self._client.change_password(password, statement)

    def name_deputy(self, deputy: str, begins: str, ends: str, pin: str) -> Deputy:
        """Add a deputy between two moments (RFC 3339)."""
        statement = self._user_statement("deputy", pin, deputy, begins, ends)
        return deputies.add_deputy(self._client, deputy, begins, ends, statement)

    def _approve_with_pin(
        self, approval: Approval, pin: str, granted: Granted | None, entries: Entries
    ) -> Approval:
        """Sign with the high key and send the answer, while no other program uses the PIN."""
        with temporary_high_key(self._client, pin, approval.id) as opened_key:
            signed_answer = self._sign_approval(
                approval, opened_key.key, _WITH_PIN, granted, entries
            )
            proof = sign_pin_proof(self._client, opened_key)
        try:
            return self._answers.send(signed_answer)
        except errors.ApiError:
            with suppress(errors.ClientError):  # the user must see the refusal
                self._client.confirm_pin(proof)  # it would count as a wrong PIN otherwise
            raise

    def _check_granted(self, approval: Approval, granted: Granted | None) -> Granted | None:
        """Return the narrowed text to sign, or None to sign the whole request. Raises Changed.

        Either `narrow` checked the text against this user's proposal, or another of several
        approvers approved it: then it must be a part of the action, with every difference shown.
        """
        part = approval.granted if granted is None else granted
        if part is None or part.text in self._checked_texts:
            return part
        if granted is not None or approval.vote_tally is None or not _was_shown(approval, part):
            raise errors.Changed("The server would grant something other than what you asked for.")
        return part

    def _nonce(self) -> str:
        """Return the nonce for this device's next statement about itself."""
        device_id = self._client.profile.device_id
        nonce = next(
            (device.nonce for device in self._client.devices() if device.id == device_id), None
        )
        if nonce is None:
            raise errors.Changed("This device is revoked.")
        return nonce

    def _user_statement(self, purpose: str, pin: str, *values: str) -> str:
        """Return a statement about this user, with a digest over a nonce and the values."""
        nonce = self._nonce()
        return self._sign_statement(purpose, digest("\n".join((nonce, *values))), nonce, pin)

    def _sign_statement(self, purpose: str, subject: str, nonce: str, pin: str) -> str:
        """Return a statement signed by the high key, after a PIN call for that subject."""
        with (
            pin_lock(self._client),
            temporary_high_key(self._client, pin, subject) as opened_key,
        ):
            confirm_pin(self._client, opened_key)  # the server may refuse the change itself
            return self._client.sign_statement(opened_key.key, purpose, subject, nonce)

    def _verified_copy(self, approval: Approval, fingerprint: str) -> Approval:
        """Return the approval with a nonce if, and only if, it is what the user saw.

        1. Both texts have their digests and agree with each other.
        2. They name this user, or several users are asked.
        3. The fingerprint is the one that the user compared.
        4. A copy fetched for its nonce has the same texts.
        """
        try:
            wire.check_texts(approval)
        except errors.WireError as error:
            raise errors.Changed(f"This request contradicts itself: {error}.") from error
        is_own = approval.display.user_id == self._client.profile.user_id
        if not is_own and approval.vote_tally is None:
            raise errors.Changed("This request is for a different user.")
        if not same_fingerprint(fingerprint, approval.fingerprint):
            raise errors.Changed("The fingerprint does not match this request.")
        if approval.nonce is not None:
            return approval
        fetched = self._fetch(approval.id)
        if (fetched.action_text, fetched.display_text) != (
            approval.action_text,
            approval.display_text,
        ):
            raise errors.Changed("This request has changed since it was shown.")
        return fetched

    def _fetch(self, approval_id: str) -> Approval:
        try:
            return self._client.approval(approval_id)
        except errors.WireError as error:
            raise errors.Changed(f"This request can no longer be verified: {error}.") from error
        except errors.Unreachable as error:
            if not error.was_sent:
                raise
            # Only the fetch was sent, not an answer.
            raise errors.Unreachable(str(error)) from error
        except errors.ApiError as error:
            if not _is_lost(error):
                raise
            raise errors.FetchFailed(error.code, error.status, str(error), error.members) from error

    def _sign_approval(
        self,
        approval: Approval,
        key: SigningKey,
        pin_step: Ceremony,
        granted: Granted | None,
        entries: Entries,
    ) -> SignedAnswer:
        """Return the signed approval, with a ceremony of the typed entries and `pin_step`."""
        granted_text = None if granted is None else granted.text
        typed = frozenset(step for step in Step if entries.entry_for(step) is not None)
        ceremony = ceremony_text(pin_step | typed)
        signed = self._sign_decision(
            approval, Answer.APPROVE, key=key, ceremony=ceremony, granted=granted_text
        )
        tries_left = approval.tries_left
        return SignedAnswer(
            approval.id, Answer.APPROVE, signed, "", granted_text, entries, tries_left=tries_left
        )

    def _sign_decision(  # one argument per member
        self,
        approval: Approval,
        answer: Answer,
        *,
        key: SigningKey | None = None,
        ceremony: str = NO_CEREMONY,
        code: DenyCode | None = None,
        granted: str | None = None,
    ) -> str:
        """Return a signed answer; the session key signs it unless it grants something."""
        members: dict[str, str | int | None] = {
            "approval": approval.id,
            "action_digest": approval.action_digest,
            "display_digest": approval.display_digest,
            "decision": answer.value,
            "granted": None if granted is None else digest(granted),
            "code": None if code is None else code.value,
            "ceremony": ceremony,
            "at": self._client.now() // 1000,
            "nonce": approval.nonce,
        }
        return signed_decision(key or self._client.session.key, self._client.signer, members)

    def _device_statement(self, device: Device, purpose: str, pin: str) -> str:
        if device.nonce is None:
            raise errors.Changed("The device may have changed. List your devices again.")
        return self._sign_statement(purpose, device.id, device.nonce, pin)


def _was_shown(approval: Approval, part: Granted) -> bool:
    try:
        return part.places == differing_places(approval.action_text, part.text)
    except ValueError:
        return False


def _check_entries(approval: Approval, entries: Entries) -> None:
    """Raise EntryNeeded for a missing or unneeded entry, before an attempt is counted."""
    for step in sorted(approval.steps - {Step.PIN}):
        if entries.entry_for(step) is None:
            raise errors.EntryNeeded(step, f"Approving this requires {approval.requirement(step)}.")
    for step in (Step.MATCH, Step.TYPE_BACK):
        if step not in approval.steps and entries.entry_for(step) is not None:
            raise errors.EntryNeeded(step, f"Approving this does not require {step.requirement}.")


def _is_unchanged(error: errors.Unreachable | errors.ApiError) -> bool:
    """Whether the server itself, not a proxy, answered that it changed nothing."""
    return isinstance(error, errors.ApiError) and error.code == _UNAVAILABLE


def _is_lost(error: errors.Unreachable | errors.ApiError) -> bool:
    """Whether the server may have processed the request despite the error."""
    return errors.answer_status(error) is AnswerStatus.IN_DOUBT
