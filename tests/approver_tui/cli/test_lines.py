"""What is said of a yes that is one of several."""

from dataclasses import replace
from datetime import UTC

import pytest

from approver_tui.cli import lines
from approver_tui.cli.approvals import listing
from approver_tui.cli.exits import error_text
from approver_tui.client.errors import AlreadyDecided
from approver_tui.state.approvals.approvals import ApprovalState, Retry
from approver_tui.state.approvals.decision import Answer, DenyCode
from approver_tui.state.approvals.narrowing import Difference, Granted
from approver_tui.state.text import SafeText
from approver_tui.widgets.approvals.outcomes import outcome
from tests.support.builders.multi_approver import BOB, ME, a_locked, a_part, a_shared, a_vote
from tests.support.fakes.fake_approvals import an_approval, answered
from tests.support.fakes.fake_clock import NOW


def test_a_yes_that_counts_is_said_to_count():
    """It is not over, and it is no loss."""
    counted = a_shared("pay", a_vote(ME, "alice"))
    assert lines.outcome(counted)[0].startswith("Your approval is counted (1 of 2, needs ")


def test_a_part_that_somebody_chose_is_read_before_the_pin():
    """In both columns, and in the words of the text that is signed."""
    told = "\n".join(lines.approval_summary(a_part("pay", a_vote()), NOW))
    assert "You are about to approve part of this request:" in told
    assert "approved with limits" in told
    assert "  /authorization_details/0/amount/minor is 50000, not 482000" in told


def test_what_its_agent_asked_anew_says_so():
    """In the row of the history too."""
    over = replace(an_approval("pay"), state=ApprovalState.CANCELLED, reason=SafeText("superseded"))
    assert lines.status_text(over, NOW) == (
        "superseded: replaced by a newer request from the same agent"
    )


def test_what_is_over_needs_nobody_any_more():
    """How many had said yes stays told; whose yes could count is history."""
    over = replace(a_shared("pay", a_vote(BOB)), state=ApprovalState.DENIED)
    told = "\n".join(lines.outcome(over))
    assert "  1 of 2" in told
    assert "needs" not in told


@pytest.mark.parametrize(
    ("state", "reason", "ended"),
    [
        ("cancelled", "agent_quarantined", "cancelled: Its agent was quarantined."),
        ("cancelled", "withdrawn", "no longer needed: its agent withdrew it"),
        (
            "expired",
            "not_redeemed",
            "expired: It was approved, but its agent did not collect the token.",
        ),
    ],
)
def test_whoever_approved_did_not_bring_about_what_came_later(state, reason, ended):
    """Their answer and the end are two things, here as in the app."""
    said = answered(an_approval("pay"), Answer.APPROVE)
    over = replace(said, state=ApprovalState(state), reason=SafeText(reason))
    told = lines.status_text(over, NOW)
    assert told.startswith("approved by alice on phone at ")
    assert told.endswith(f", then {ended}")
    if reason != "withdrawn":
        assert outcome(over, NOW, UTC).endswith(f" Then {ended.replace(':', '.')}")


def test_an_answer_that_stands_is_told_with_who_gave_it():
    """A denial with its reason."""
    said = answered(an_approval("pay"), Answer.DENY, DenyCode.TOO_BROAD)
    told = lines.status_text(said, NOW)
    assert told.startswith("denied by alice on phone at ")
    assert told.endswith(f", {DenyCode.TOO_BROAD.label}")


def test_after_less_was_approved_nothing_claims_the_whole():
    """Before the PIN, in the answer, in full and in a list: each tells the part."""
    over = replace(a_part("pay", a_vote()), state=ApprovalState.APPROVED)
    part, whole = (f"Pay EUR {each} to Nordwind Logistik GmbH" for each in ("500.00", "4,820.00"))
    granted = f"Granted: {part} (asked: {whole})"
    assert lines.outcome(over)[0] == f"Approved. {granted}"
    assert listing.row(over, NOW)[0] == granted
    assert part in lines.approval_summary(over, NOW)
    assert granted in lines.approval_in_full(over, NOW)
    for told in (lines.approval_summary(over, NOW), lines.approval_in_full(over, NOW)):
        assert whole not in told
        (gives,) = [line for line in told if line.startswith("grants:")]
        assert "Part of: one token, 5 min" in gives
        assert "Amount: EUR 500.00, not EUR 4,820.00" in gives


def test_a_scope_that_was_dropped_makes_it_a_part():
    """No value of the headline is smaller; still it is not the whole."""
    less = Granted("{}", (Difference(SafeText("Scope"), SafeText("x:y"), SafeText("not granted")),))
    over = replace(an_approval("pay"), granted=less, state=ApprovalState.APPROVED)
    assert lines.outcome(over)[0].startswith("Approved. Granted with limits: Pay EUR 4,820.00")


def test_the_others_stand_between_what_a_yes_gives_and_the_end():
    """Field 11 of the fourteen is before field 12, here as on every screen."""
    told = "\n".join(lines.body(a_shared("pay", a_vote()), NOW))
    places = [told.index(each) for each in ("grants:", "for:", "people:", "dan: approved")]
    places += [told.index(each) for each in ("state:", "Expiring isn't a denial", "fingerprint:")]
    assert places == sorted(places)


def test_what_is_over_takes_nothing_and_is_locked_for_nobody():
    """Who typed wrongly twice reads that only while others can still decide it."""
    locked = a_locked()
    over = replace(locked, state=ApprovalState.CANCELLED, reason=SafeText("locked"))
    while_it_waits, after = (
        "\n".join(lines.approval_in_full(each, NOW)) for each in (locked, over)
    )
    assert "LOCKED:" in while_it_waits
    assert "requires:" in while_it_waits
    assert "LOCKED:" not in after
    assert "requires:" not in after


@pytest.mark.parametrize(
    ("reason", "retry", "told"),
    [
        ("expired_unseen", None, "expired: Nobody opened it."),
        ("expired_unseen", Retry.ASKED, "Nobody opened it. Its agent is asked to retry."),
        ("locked", None, "cancelled: Too many wrong entries."),
    ],
)
def test_too_late_is_one_sentence_with_one_end(reason, retry, told):
    """Whether the reason brings a full stop or not."""
    state = ApprovalState.CANCELLED if reason == "locked" else ApprovalState.EXPIRED
    over = replace(an_approval("pay"), state=state, reason=SafeText(reason), retry=retry)
    said = error_text(AlreadyDecided("already_decided", "", over))
    assert said.startswith("Too late, this request is ")
    assert said.endswith(told)
