"""What a yes takes beside the PIN, on a command line: a number, a fact, a reason.

Owns: the flags, and asking for what was not given. Never: whether an entry is right.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final, TypeVar

import click

from approver_tui.client.errors import EntryNeeded
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.approvals.ceremony import NOTHING, Entries, Step
from approver_tui.state.approvals.type_back import could_be

FLAGS: Final[Mapping[Step, str]] = {
    Step.MATCH: "--match",
    Step.TYPE_BACK: "--fact",
    Step.REASON: "--reason",
}
_MEMBERS: Final = {Step.MATCH: "match", Step.TYPE_BACK: "fact", Step.REASON: "reason"}
_Command = TypeVar("_Command", bound=Callable[..., object])


def entry_flags(command: _Command) -> _Command:
    """Add the three flags to a command."""
    for option in (
        click.option("--reason", metavar="TEXT", help="Why; for the record, never for the agent."),
        click.option("--match", metavar="NUMBER", help="The number that the agent shows."),
        click.option(
            "--fact", metavar="VALUE", help="The fact that is typed back, as you read it."
        ),
    ):
        command = option(command)
    return command


def complete_entries(
    approval: Approval, given: Entries, ask: Callable[[str], str | None] | None
) -> Entries | None:
    """Return everything that a yes to this takes; `ask` for the rest, and None if nobody says it.

    Raises EntryNeeded for what is missing where nobody can be asked, and click.UsageError for what
    the request does not take; a reason may always be given.
    """
    for step, flag in FLAGS.items():
        is_due, typed = step in approval.steps, given.of(step)
        if typed is not None and not is_due and step is not Step.REASON:
            raise click.UsageError(f"{flag}: this request does not take {step.what}. Leave it out.")
        if typed is not None and is_due and not could_be(approval, step, typed):
            raise click.UsageError(f"{flag}: that cannot be {approval.what(step)}.")
        if typed is None and is_due:
            if ask is None:
                raise EntryNeeded(step, f"This takes {approval.what(step)}: {flag}.")
            typed = _asked(approval, step, ask)
            if typed is None:
                return None
            given = replace(given, **{_MEMBERS[step]: typed})
    return given


def _asked(approval: Approval, step: Step, ask: Callable[[str], str | None]) -> str | None:
    """Ask until it could be what the step takes; None if the person goes back."""
    question = f"Type {approval.what(step)}, or Enter alone to go back:"
    typed = ask(question)
    while typed and not could_be(approval, step, typed):
        typed = ask(f"That cannot be it. {question}")
    return typed or None


def ask_entries(approval: Approval, ask: Callable[[str], str | None]) -> Entries | None:
    """Ask for everything that a yes takes beside the PIN; None if the person goes back."""
    return complete_entries(approval, NOTHING, ask)
