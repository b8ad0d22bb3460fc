"""How plain lines print the state, the outcome and the votes of a request."""

from dataclasses import replace
from datetime import UTC

import pytest

from approver_tui.cli import lines
from approver_tui.cli.approvals import listing
from approver_tui.cli.exits import error_text
from approver_tui.cli.printing import local_time
from approver_tui.client.errors import AlreadyDecided
from approver_tui.state.approvals.approvals import ApprovalState, Retry
from approver_tui.state.approvals.decision import Answer, DenyCode
from approver_tui.state.approvals.endings import END_REASONS
from approver_tui.state.approvals.narrowing import Difference, Granted
from approver_tui.state.text import SafeText
from approver_tui.widgets.approvals.outcomes import outcome
from tests.support.builders.multi_approver import BOB, ME, a_locked, a_part, a_shared, a_vote
from tests.support.fakes.fake_approvals import an_approval, with_decision
from tests.support.fakes.fake_clock import NOW


def test_a_counted_vote_is_reported_as_counted():
    """The request is still open, so the output does not say that it was approved."""
    counted = a_shared("pay", a_vote(ME, "alice"))
    assert lines.outcome_lines(counted)[0].startswith("Your approval was counted (1 of 2, needs ")


def test_a_part_chosen_by_somebody_else_is_shown_before_the_pin():
    """Before the PIN, the user sees both columns and the values of the signed text."""
    summary = "\n".join(lines.approval_summary(a_part("pay", a_vote()), NOW))
    assert "You are about to approve part of this request:" in summary
    assert "approved with limits" in summary
    assert "  /authorization_details/0/amount/minor is 50000, not 482000" in summary


def test_a_full_request_shows_every_part_of_its_answer():
    """`show` prints the reason, both notes, the retry time and the other person."""
    denied = with_decision(an_approval("old"), Answer.DENY)
    decided = replace(
        denied.decision,
        reason=SafeText("It is on the list."),
        note=SafeText("Use the staging account."),
        retry_at=NOW + 3_600_000,
        ask=SafeText("bob"),
        private_note=SafeText("Called them."),
    )
    printed = "\n".join(lines.request_lines(replace(denied, decision=decided), NOW))
    assert "reason:        It is on the list." in printed
    assert "agent note:    Use the staging account." in printed
    assert f"not before:    {local_time(NOW + 3_600_000)}" in printed
    assert "ask instead:   bob" in printed
    assert "private note:  Called them." in printed
    assert "note:" not in "\n".join(lines.request_lines(an_approval("new"), NOW))


def test_a_superseded_request_says_so():
    """The status says that a newer request replaced this one."""
    superseded = replace(
        an_approval("pay"), state=ApprovalState.CANCELLED, reason=SafeText("superseded")
    )
    assert lines.status_text(superseded, NOW) == (
        "withdrawn: Replaced by a newer request from the same agent."
    )


def test_an_ended_request_needs_no_more_votes():
    """The number of votes is still printed, but not whose votes are missing."""
    denied = replace(a_shared("pay", a_vote(BOB)), state=ApprovalState.DENIED)
    printed = "\n".join(lines.outcome_lines(denied))
    assert "  1 of 2" in printed
    assert "needs" not in printed


@pytest.mark.parametrize(
    ("state", "reason", "line", "sentence"),
    [
        (
            "cancelled",
            "agent_quarantined",
            "then withdrawn: {}",
            "It was then withdrawn before being used. {}",
        ),
        (
            "cancelled",
            "withdrawn",
            "then withdrawn: {}",
            "It was then withdrawn before being used. {}",
        ),
        (
            "expired",
            "not_redeemed",
            "not collected",
            "The agent did not collect its token in time.",
        ),
    ],
)
def test_the_answer_and_a_later_end_are_reported_separately(state, reason, line, sentence):
    """The status first says who answered, then how the request ended. The app does the same."""
    approved = with_decision(an_approval("pay"), Answer.APPROVE)
    ended_later = replace(approved, state=ApprovalState(state), reason=SafeText(reason))
    status = lines.status_text(ended_later, NOW)
    assert status.startswith("approved by alice on phone at ")
    assert status.endswith(f", {line.format(END_REASONS[reason])}")
    app_text = outcome(ended_later, NOW, UTC)
    assert app_text.startswith("Approved by alice on phone at ")
    assert app_text.endswith(sentence.format(END_REASONS[reason]))


def test_a_decided_request_names_who_answered():
    """The status of a denial also has the reason."""
    denied = with_decision(an_approval("pay"), Answer.DENY, DenyCode.TOO_BROAD)
    status = lines.status_text(denied, NOW)
    assert status.startswith("denied by alice on phone at ")
    assert status.endswith(f", {DenyCode.TOO_BROAD.label}")


def test_a_narrowed_approval_is_never_shown_as_a_full_one():
    """The summary before the PIN, the outcome, the details and the list say what was granted."""
    narrowed = replace(a_part("pay", a_vote()), state=ApprovalState.APPROVED)
    granted_headline, requested_headline = (
        f"Pay EUR {amount} to Nordwind Logistik GmbH" for amount in ("500.00", "4,820.00")
    )
    granted = f"Granted: {granted_headline} (requested: {requested_headline})"
    assert lines.outcome_lines(narrowed)[0] == f"Approved. {granted}"
    assert listing.entry_lines(narrowed, NOW)[0] == granted
    assert granted_headline in lines.approval_summary(narrowed, NOW)
    assert granted in lines.approval_in_full(narrowed, NOW)
    for printed in (lines.approval_summary(narrowed, NOW), lines.approval_in_full(narrowed, NOW)):
        assert requested_headline not in printed
        (grants_line,) = [line for line in printed if line.startswith("grants:")]
        assert "Part of: One access token for " in grants_line
        assert "Amount: EUR 500.00, not EUR 4,820.00" in grants_line


def test_an_approval_without_all_scopes_is_shown_as_limited():
    """The headline has the requested amount, so "with limits" must say that a scope is missing."""
    less = Granted("{}", (Difference(SafeText("Scope"), SafeText("x:y"), SafeText("not granted")),))
    approved = replace(an_approval("pay"), granted=less, state=ApprovalState.APPROVED)
    assert lines.outcome_lines(approved)[0].startswith(
        "Approved. Granted with limits: Pay EUR 4,820.00"
    )


def test_the_votes_are_listed_between_grants_and_state():
    """Plain lines have the same order of the fourteen fields as every screen."""
    printed = "\n".join(lines.request_lines(a_shared("pay", a_vote()), NOW))
    positions = [
        printed.index(label) for label in ("grants:", "for:", "approvals:", "dan: approved")
    ]
    positions += [
        printed.index(label) for label in ("state:", "Expiring isn't a denial", "fingerprint:")
    ]
    assert positions == sorted(positions)


def test_an_ended_request_has_no_requirements_and_no_lock():
    """A lock matters only while the request can still be decided."""
    locked = a_locked()
    cancelled = replace(locked, state=ApprovalState.CANCELLED, reason=SafeText("locked"))
    while_it_waits, after = (
        "\n".join(lines.approval_in_full(approval, NOW)) for approval in (locked, cancelled)
    )
    assert "LOCKED:" in while_it_waits
    assert "requires:" in while_it_waits
    assert "LOCKED:" not in after
    assert "requires:" not in after


@pytest.mark.parametrize(
    ("reason", "retry", "expected"),
    [
        ("expired_unseen", None, "expired: Nobody opened it."),
        ("expired_unseen", Retry.ASKED, "Nobody opened it. Its agent is asked to retry."),
        ("locked", None, "withdrawn: Too many wrong entries."),
    ],
)
def test_the_too_late_error_is_one_sentence(reason, retry, expected):
    """The error reads well whether or not the reason ends with a period."""
    state = ApprovalState.CANCELLED if reason == "locked" else ApprovalState.EXPIRED
    ended = replace(an_approval("pay"), state=state, reason=SafeText(reason), retry=retry)
    message = error_text(AlreadyDecided("already_decided", "", ended))
    assert message.startswith("Too late. This request is already ")
    assert message.endswith(expected)
