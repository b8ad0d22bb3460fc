"""Fakes that record a user's answers without signing them, and her unsent denials."""

import threading
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace

from approver_tui.client import errors
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.approvals.ceremony import NO_ENTRIES, Entries
from approver_tui.state.approvals.decision import NO_EXTRAS, Answer, DenialExtras, DenyCode
from approver_tui.state.approvals.narrowing import Difference, Granted, Narrowing
from approver_tui.state.approvals.unsent_denials import UnsentDenial
from approver_tui.state.devices.devices import Device, PinState
from approver_tui.state.incidents.reports import QuarantinedAgent, ReportResult, ReportScope
from approver_tui.state.text import SafeText, display_safe
from tests.support.fakes.fake_account import a_device
from tests.support.fakes.fake_approvals import with_decision
from tests.support.fakes.fake_client import ME, FakeServer

PIN = "271828"


@dataclass
class FakeAnswers:
    """Records every answer without signing it, and fails when a test wants it to."""

    server: FakeServer
    is_unlocked: bool = True
    calls: list[tuple[str, Answer, str | None]] = field(default_factory=list)
    """Approval ID, answer, and the PIN or the deny code."""
    failures: list[errors.ClientError] = field(default_factory=list)
    """Errors that the next calls raise, in this order."""
    proposals: list[Narrowing] = field(default_factory=list)
    about_devices: list[tuple[str, str]] = field(default_factory=list)
    reported: list[tuple[str, ReportScope, str]] = field(default_factory=list)
    granted: list[Granted | None] = field(default_factory=list)
    """The part that each approval granted; None if it granted everything."""
    hold: threading.Event | None = None
    """If set, an answer waits for this event."""
    denial_extras: list[DenialExtras] = field(default_factory=list)
    """The extras of each denial, such as when the agent may ask again."""
    notes: list[str] = field(default_factory=list)
    """The note to the agent in each denial."""
    entered: list[Entries] = field(default_factory=list)
    """The entries that were typed in addition to the PIN, for each approval."""

    def unlock(self, pin: str) -> None:
        """Unlock if the PIN is right."""
        self._check(pin)
        self.is_unlocked = True

    def touch(self) -> None:
        """Do nothing, because this fake never locks itself."""

    def lock(self) -> None:
        """Lock the app again."""
        self.is_unlocked = False

    def approve(
        self,
        approval: Approval,
        *,
        fingerprint: str,
        pin: str | None = None,
        entries: Entries = NO_ENTRIES,
    ) -> Approval:
        """Approve, with those checks of the real implementation that screens rely on."""
        self._before()
        current = self.server.approvals[approval.id]
        if current.action_text != approval.action_text or fingerprint != approval.fingerprint:
            raise errors.Changed("changed")
        if pin is None and (approval.needs_pin or not self.is_unlocked):
            raise errors.PinNeeded("PIN")
        if pin is not None:
            self._check(pin)
        self.entered.append(entries)
        self.granted.append(approval.granted)
        return self._done(approval, Answer.APPROVE, pin, None)

    def deny(
        self, approval: Approval, code: DenyCode, note: str = "", extras: DenialExtras = NO_EXTRAS
    ) -> Approval:
        """Deny."""
        self._before()
        self.notes.append(note)
        self.denial_extras.append(extras)
        return self._done(approval, Answer.DENY, code.value, code)

    def withdraw(self, approval: Approval) -> Approval:
        """Withdraw this user's vote."""
        self._before()
        tally = approval.vote_tally
        assert tally is not None
        left = tuple(replace(vote, counts=vote.counts and vote.by_id != ME) for vote in tally.votes)
        have = sum(vote.counts for vote in left)
        done = replace(approval, vote_tally=replace(tally, have=have, votes=left))
        self.calls.append((approval.id, Answer.WITHDRAW, None))
        self.server.put(done)
        return done

    def check_outcome(self, approval_id: str) -> Approval:
        """Return the server's copy; raise UnknownOutcome if the server does not answer."""
        self._before()
        try:
            copy = self.server.approval(approval_id)
        except errors.Unreachable as error:
            raise errors.UnknownOutcome(approval_id) from error
        is_counted = copy.vote_tally is not None and copy.vote_tally.counts(ME)
        if copy.is_waiting(self.server.clock.now()) and not is_counted:
            raise errors.NotRecorded
        return copy

    def narrow(self, approval: Approval, proposal: Narrowing) -> Granted:
        """Grant the proposal; amounts above 4,820 are rejected."""
        self._before()
        labels = {
            fact.pointer: (fact.label, fact.asked) for fact in self.server.narrowable_facts.facts
        }
        rows = [
            Difference(*labels[change.pointer], display_safe(change.to))
            for change in proposal.changes
        ]
        if any(row.granted.isdigit() and int(row.granted) > 4820 for row in rows):
            raise errors.ApiError(
                "not_narrower", 422, "/0/amount: is not less than what was requested."
            )
        not_granted = SafeText("(not granted)")
        rows += [
            Difference(SafeText("Scope"), display_safe(s), not_granted)
            for s in proposal.drop_scopes
        ]
        if proposal.token_seconds is not None:
            seconds = SafeText(f"{proposal.token_seconds} seconds")
            rows.append(Difference(SafeText("Token lifetime"), SafeText("300 seconds"), seconds))
        self.proposals.append(proposal)
        headline = approval.headline
        for row in rows:
            headline = SafeText(headline.replace(row.asked, row.granted))
        return Granted(f"{approval.action_text} {proposal}", tuple(rows), headline=headline)

    def unlock_device(self, device: Device, pin: str) -> Device:
        """Reset the PIN attempts of another device."""
        return self._about(device, "unlock", pin)

    def vouch_device(self, device: Device, pin: str) -> Device:
        """Let another device approve high-risk requests."""
        return self._about(device, "vouch", pin)

    def _about(self, device: Device, verb: str, pin: str) -> Device:
        self._before()
        self._check(pin)
        self.about_devices.append((device.id, verb))
        pin_state = PinState(tries=0, left=10, locked=False, exhausted=False)
        done = replace(device, high_from=0, pin=pin_state)
        self.server.others = [
            done if other.id == device.id else other for other in self.server.others
        ]
        return done

    def report(self, approval: Approval, scope: ReportScope, note: str = "") -> ReportResult:
        """Report the request and quarantine its agent."""
        self._before()
        self.reported.append((approval.id, scope, note))
        done = with_decision(approval, Answer.DENY, DenyCode.SUSPICIOUS)
        self.server.put(done)
        who = QuarantinedAgent(
            approval.agent.id, approval.agent.name, SafeText("quarantined"), 2, 1
        )
        return ReportResult(SafeText("sayso_ic_aaaaaaaaaaaaaaaa"), scope, (who,), done)

    def _before(self) -> None:
        if self.hold is not None:
            self.hold.wait(60)
        if self.failures:
            raise self.failures.pop(0)

    def _check(self, pin: str) -> None:
        if pin != PIN:
            tries = self.server.device.pin.tries + 1
            self.server.device = a_device(tries=tries)
            raise errors.WrongPin(tries, 10 - tries)

    def _done(
        self, approval: Approval, answer: Answer, how: str | None, code: DenyCode | None
    ) -> Approval:
        self.calls.append((approval.id, answer, how))
        done = with_decision(approval, answer, code)
        self.server.put(done)
        return done


@dataclass
class FakeUnsentDenials:
    """Denials that have not been sent yet."""

    left: tuple[UnsentDenial, ...] = ()
    """Denials that an earlier run did not send."""
    kept: set[str] = field(default_factory=set)
    failure: OSError | None = None

    def load(self) -> tuple[UnsentDenial, ...]:
        """Return the denials that an earlier run did not send."""
        return self.left

    def add(self, approvals: Iterable[Approval]) -> None:
        """Add denials for these approvals."""
        if self.failure is not None:
            raise self.failure
        self.kept |= {approval.id for approval in approvals}

    def remove(self, ids: Collection[str]) -> None:
        """Remove the denials with these approval IDs."""
        if self.failure is not None and ids:
            raise self.failure
        self.kept -= set(ids)
        self.left = tuple(denial for denial in self.left if denial.approval_id not in ids)
