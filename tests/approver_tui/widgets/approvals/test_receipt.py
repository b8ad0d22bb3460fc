"""The receipt contains everything that was part of an answer."""

from dataclasses import replace
from datetime import UTC

from approver_tui.state.approvals.approvals import AutomaticDecision
from approver_tui.state.approvals.decision import Answer
from approver_tui.state.text import SafeText
from approver_tui.widgets.approvals.outcomes import RenderContext
from approver_tui.widgets.approvals.receipt import receipt_lines
from approver_tui.widgets.lines import text_of
from tests.support.fakes.fake_approvals import an_approval, with_decision
from tests.support.fakes.fake_clock import NOW

LATER = NOW + 3_600_000


def _receipt_text(**members):
    approval = with_decision(an_approval("old"), Answer.DENY)
    decided = replace(approval.decision, **members)
    view = RenderContext(now=NOW, width=80, zone=UTC)
    lines = receipt_lines(replace(approval, decision=decided), view)
    return "\n".join(text_of(line) for line in lines)


def test_every_note_of_an_answer_is_in_the_receipt():
    """Reason, notes, retry time, alternative person and self-approval are all shown."""
    text = _receipt_text(
        self_approved=True,
        reason=SafeText("It is on the list."),
        note=SafeText("Ask Bob."),
        retry_at=LATER,
        ask=SafeText("bob"),
        private_note=SafeText("Called them first."),
    )
    for words in ("It is on the list.", "Ask Bob.", "bob", "Called them first.", "one person was"):
        assert words in text
    assert "Not before" in text


def test_a_receipt_says_why_nobody_signed_it():
    """An expired request and one that a standing grant approved have no new signature."""
    view = RenderContext(now=NOW, width=80, zone=UTC)
    expired = an_approval("old")
    by = AutomaticDecision(None, 1, SafeText("sayso_sg_x"), 1)
    for approval, words in (
        (expired, "nothing was signed. The audit log shows how it ended."),
        (replace(expired, automatic_decision=by), "Your standing grant approved this."),
    ):
        text = " ".join(text_of(line).strip() for line in receipt_lines(approval, view))
        assert words in text
        assert "To verify it, run: sayso-approver receipt ID" in text


def test_an_empty_note_has_no_row():
    """A label without a value says nothing, so it is left out."""
    text = _receipt_text()
    assert "Ceremony" in text
    for label in (
        "Reason",
        "Not before",
        "Ask instead",
        "Agent note",
        "Private note",
        "Self-approved",
    ):
        assert label not in text
