"""What was typed in a panel that the user left with Back.

Owns: reading it from the fields and putting it back. Never: keeping a secret or a chosen reason;
those are entered each time.
"""

from collections.abc import Iterator
from typing import TypeAlias

from textual.dom import DOMNode
from textual.widgets import Input

from approver_tui.widgets.check_line import CheckLine

Draft: TypeAlias = dict[str, str | bool]
"""The values of fields and checkboxes by their name."""


def read_draft(panel: DOMNode) -> Draft:
    """Return what the fields and checkboxes have, except secrets."""
    return {
        name: each.is_on if isinstance(each, CheckLine) else each.value
        for name, each in _named(panel)
    }


def restore_draft(panel: DOMNode, draft: Draft) -> None:
    """Put a draft back into the fields that are still there."""
    for name, check_line in _named(panel):
        value = draft.get(name)
        if isinstance(check_line, Input) and isinstance(value, str):
            check_line.value = value
        elif isinstance(check_line, CheckLine) and value is not None and value != check_line.is_on:
            check_line.action_toggle_check()


def _named(panel: DOMNode) -> Iterator[tuple[str, Input | CheckLine]]:
    """A checkbox is named by its words: with others, it is another one."""
    fields = [each for each in panel.query(Input) if not each.password]
    yield from ((f"field {number}", each) for number, each in enumerate(fields))
    yield from ((f"box {check_line.words}", check_line) for check_line in panel.query(CheckLine))
