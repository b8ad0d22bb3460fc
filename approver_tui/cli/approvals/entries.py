"""Entries besides the PIN that approving can require: match number, type-back, reason.

Owns: the names of the flags, and asking for missing entries. Never: whether an entry is right.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

import click

from approver_tui.client.errors import EntryNeeded
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.approvals.ceremony import Entries, Step
from approver_tui.state.approvals.type_back import is_plausible

FLAGS: Final[Mapping[Step, str]] = {
    Step.MATCH: "--match",
    Step.TYPE_BACK: "--fact",
    Step.REASON: "--reason",
}
_MEMBERS: Final = {Step.MATCH: "match", Step.TYPE_BACK: "fact", Step.REASON: "reason"}


def complete_entries(
    approval: Approval, entries: Entries, ask: Callable[[str], str | None] | None
) -> Entries | None:
    """Return all entries that approving requires; `ask` for missing ones, None if canceled.

    Raises EntryNeeded for a missing entry if `ask` is None, and click.UsageError for an entry that
    is not required; a reason is always allowed.
    """
    for step, flag in FLAGS.items():
        is_required, typed = step in approval.steps, entries.entry_for(step)
        if typed is not None and not is_required and step is not Step.REASON:
            raise click.UsageError(
                f"{flag}: this request does not require {step.requirement}. Remove it."
            )
        if typed is not None and is_required and not is_plausible(approval, step, typed):
            raise click.UsageError(f"{flag} is not valid. Enter {approval.requirement(step)}.")
        if typed is None and is_required:
            if ask is None:
                raise EntryNeeded(
                    step, f"Approving requires {approval.requirement(step)}. Use {flag}."
                )
            typed = _ask_for(approval, step, ask)
            if typed is None:
                return None
            entries = replace(entries, **{_MEMBERS[step]: typed})
    return entries


def _ask_for(approval: Approval, step: Step, ask: Callable[[str], str | None]) -> str | None:
    """Ask until the entry is plausible for the step; return None if canceled."""
    question = f"Type {approval.requirement(step)}, or press Enter to go back:"
    typed = ask(question)
    while typed and not is_plausible(approval, step, typed):
        typed = ask(f"Not valid. {question}")
    return typed or None
