"""Drafts: the text typed in a panel that the user closed with Back.

Owns: reading a draft from the fields and restoring it. Never: keeping a secret or a chosen reason,
which the user must enter each time.
"""

from collections.abc import Iterator
from typing import TypeAlias

from textual.dom import DOMNode
from textual.widgets import Input

from approver_tui.widgets.check_line import CheckLine

Draft: TypeAlias = dict[str, str | bool]
"""The values of fields and checkboxes by name."""


def read_draft(panel: DOMNode) -> Draft:
    """Return the values of fields and checkboxes, except secrets."""
    return {
        name: control.is_on if isinstance(control, CheckLine) else control.value
        for name, control in _named_controls(panel)
    }


def restore_draft(panel: DOMNode, draft: Draft) -> None:
    """Restore a draft in the fields and checkboxes that still exist."""
    for name, control in _named_controls(panel):
        value = draft.get(name)
        if isinstance(control, Input) and isinstance(value, str):
            control.value = value
        elif isinstance(control, CheckLine) and value is not None and value != control.is_on:
            control.action_toggle_check()


def _named_controls(panel: DOMNode) -> Iterator[tuple[str, Input | CheckLine]]:
    """Yield fields named by index, and checkboxes named by label.

    If its label changed, a checkbox means something else and must not be restored.
    """
    fields = [field for field in panel.query(Input) if not field.password]
    yield from ((f"field {number}", field) for number, field in enumerate(fields))
    yield from ((f"box {check_line.words}", check_line) for check_line in panel.query(CheckLine))
