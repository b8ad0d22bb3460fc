"""How an approval by several people is printed."""

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


def test_a_counted_vote_is_reported_as_counted():
    """The request is still open, and nothing was lost."""
    counted = a_shared("pay", a_vote(ME, "alice"))
    assert lines.outcome_lines(counted)[0].startswith("Your approval is counted (1 of 2, needs ")


def test_a_part_chosen_by_somebody_else_is_shown_before_the_pin():
    """Both columns show it, and so do the words of the signed text."""
    told = "\n".join(lines.approval_summary(a_part("pay", a_vote()), NOW))
    assert "You are about to approve part of this request:" in told
    assert "approved with limits" in told
    assert "  /authorization_details/0/amount/minor is 50000, not 482000" in told


def test_a_superseded_request_says_so():
    """The history says so as well."""
    over = replace(an_approval("pay"), state=ApprovalState.CANCELLED, reason=SafeText("superseded"))
    assert lines.status_text(over, NOW) == (
        "superseded: replaced by a newer request from the same agent"
    )


def test_an_ended_request_needs_no_more_votes():
    """The number of votes stays; the missing names do not."""
    over = replace(a_shared("pay", a_vote(BOB)), state=ApprovalState.DENIED)
    told = "\n".join(lines.outcome_lines(over))
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
def test_the_answer_and_a_later_end_are_reported_separately(state, reason, ended):
    """The app reports them in the same way."""
    said = answered(an_approval("pay"), Answer.APPROVE)
    over = replace(said, state=ApprovalState(state), reason=SafeText(reason))
    told = lines.status_text(over, NOW)
    assert told.startswith("approved by alice on phone at ")
    assert told.endswith(f", then {ended}")
    if reason != "withdrawn":
        assert outcome(over, NOW, UTC).endswith(f" Then {ended.replace(':', '.')}")


def test_a_decided_request_names_who_answered():
    """A denial has its reason."""
    said = answered(an_approval("pay"), Answer.DENY, DenyCode.TOO_BROAD)
    told = lines.status_text(said, NOW)
    assert told.startswith("denied by alice on phone at ")
    assert told.endswith(f", {DenyCode.TOO_BROAD.label}")


def test_a_narrowed_approval_never_claims_the_whole():
    """The text before the PIN, the result, the details and the list say what was granted."""
    over = replace(a_part("pay", a_vote()), state=ApprovalState.APPROVED)
    part, whole = (f"Pay EUR {each} to Nordwind Logistik GmbH" for each in ("500.00", "4,820.00"))
    granted = f"Granted: {part} (asked: {whole})"
    assert lines.outcome_lines(over)[0] == f"Approved. {granted}"
    assert listing.entry_lines(over, NOW)[0] == granted
    assert part in lines.approval_summary(over, NOW)
    assert granted in lines.approval_in_full(over, NOW)
    for told in (lines.approval_summary(over, NOW), lines.approval_in_full(over, NOW)):
        assert whole not in told
        (gives,) = [line for line in told if line.startswith("grants:")]
        assert "Part of: one token, 5 min" in gives
        assert "Amount: EUR 500.00, not EUR 4,820.00" in gives


def test_a_dropped_scope_makes_it_a_part():
    """No value in the headline is smaller, but it is not the whole."""
    less = Granted("{}", (Difference(SafeText("Scope"), SafeText("x:y"), SafeText("not granted")),))
    over = replace(an_approval("pay"), granted=less, state=ApprovalState.APPROVED)
    assert lines.outcome_lines(over)[0].startswith(
        "Approved. Granted with limits: Pay EUR 4,820.00"
    )


def test_the_votes_are_listed_between_grants_and_state():
    """Field 11 of the fourteen comes before field 12, as on every screen."""
    told = "\n".join(lines.request_lines(a_shared("pay", a_vote()), NOW))
    places = [told.index(each) for each in ("grants:", "for:", "people:", "dan: approved")]
    places += [told.index(each) for each in ("state:", "Expiring isn't a denial", "fingerprint:")]
    assert places == sorted(places)


def test_an_ended_request_has_no_requirements_and_no_lock():
    """A lock matters only while the request can be decided."""
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
def test_the_too_late_error_is_one_sentence(reason, retry, told):
    """Whether or not the reason ends with a full stop."""
    state = ApprovalState.CANCELLED if reason == "locked" else ApprovalState.EXPIRED
    over = replace(an_approval("pay"), state=state, reason=SafeText(reason), retry=retry)
    said = error_text(AlreadyDecided("already_decided", "", over))
    assert said.startswith("Too late, this request is ")
    assert said.endswith(told)
