"""The evidence of a decision, as lines.

Owns: who decided, on which device, when, and what was signed. Never: the facts of the request,
which are in `facts`.
"""

from approver_tui.state.approvals.approvals import Approval, Decided
from approver_tui.state.fingerprint import digest
from approver_tui.state.text import SafeText
from approver_tui.widgets.approvals.outcomes import RenderContext
from approver_tui.widgets.lines import BLANK, Line, Role, fmt, line, wrap_text
from approver_tui.widgets.times import duration_text


def receipt_lines(approval: Approval, view: RenderContext) -> list[Line]:
    """Return the evidence of a decision or other outcome, and the command that verifies it."""
    heading = [BLANK, line(fmt("RECEIPT"), Role.HEADING)]
    if approval.decision is None:
        evidence = wrap_text(_undecided_text(approval), view.width, Role.DIM)
    else:
        evidence = [
            *_decision_rows(approval, approval.decision, view),
            *_digest_lines(approval, view),
        ]
    command = fmt("To verify it, run: {} receipt ID", view.program)
    verify = wrap_text(command, view.width, Role.DIM)
    return [*heading, *evidence, *view.row("ID", SafeText(approval.id)), *verify]


def _undecided_text(approval: Approval) -> SafeText:
    if approval.automatic_decision is not None:
        by = approval.automatic_decision.kind_text
        return fmt("Your {} approved this. You signed the {} earlier.", by, by)
    return fmt("Nobody decided this, so nothing was signed. The audit log shows how it ended.")


def _decision_rows(approval: Approval, decided: Decided, view: RenderContext) -> list[Line]:
    device = fmt("{} ({})", decided.device_name, decided.device_id)
    return [
        *view.row("Decision", SafeText(approval.verdict_text)),
        *view.row("Reason", None if decided.code is None else SafeText(decided.code.label)),
        *view.row("By", fmt("{} ({})", decided.by_name, decided.by_id)),
        *view.row("Device", device),
        *view.row("Channel", decided.channel),
        *view.row("Time", view.clock(decided.at)),
        *view.row("Time taken", duration_text(decided.at - approval.created_at)),
        *view.row("Ceremony", SafeText(decided.ceremony)),
        *_note_rows(decided, view),
    ]


def _note_rows(decided: Decided, view: RenderContext) -> list[Line]:
    """Return rows for the reason, the notes and the other extras of the answer, if any."""
    retry_time = None if decided.retry_at is None else view.clock(decided.retry_at)
    sole_approval = fmt("yes, one person was enough") if decided.self_approved else None
    rows = {
        "Self-approved": sole_approval,
        "Reason": decided.reason,
        "Agent note": decided.note,
        "Not before": retry_time,
        "Ask instead": decided.ask,
        "Private note": decided.private_note,
    }
    return [pieces for label, value in rows.items() if value for pieces in view.row(label, value)]


def _digest_lines(approval: Approval, view: RenderContext) -> list[Line]:
    granted = approval.granted
    return [
        *wrap_text(fmt("The device signed these SHA-256 digests:"), view.width, Role.DIM),
        *view.row("Action", SafeText(approval.action_digest)),
        *view.row("Display", SafeText(approval.display_digest)),
        *view.row("Granted", None if granted is None else SafeText(digest(granted.text))),
    ]
