"""Type-back: the display without the fact to type, and which entries cannot be right.

Owns: finding the value and leaving a gap there; rejecting impossible entries. Never: the signed
texts; whether an entry is right, which the server checks.
"""

import re
from dataclasses import replace

from approver_tui.state.approvals.approvals import Approval, Display
from approver_tui.state.approvals.ceremony import FactKind, Step, TypeBack
from approver_tui.state.approvals.narrowing import Granted
from approver_tui.state.text import SafeText

GAP = SafeText("[you type this]")

_NUMBER = re.compile(r"[0-9]{3}")
_SUFFIX_LENGTH = 4
_UNCUT_LENGTH = 100
"""Values up to this length are never cut in a headline."""


def hide_typed_fact(approval: Approval) -> Approval:
    """Return the approval with a gap wherever the fact to type appears."""
    type_back = approval.display.type_back
    if type_back is None:
        return approval
    granted = None if approval.granted is None else _hide_in_granted(approval.granted, type_back)
    return replace(approval, display=_hide_in_display(approval.display, type_back), granted=granted)


def is_plausible(approval: Approval, step: Step, typed: str) -> bool:
    """Whether the entry could be right for the step; an impossible one would waste an attempt."""
    if step is Step.MATCH:
        return _NUMBER.fullmatch("".join(typed.split())) is not None
    type_back = approval.display.type_back
    if step is not Step.TYPE_BACK or type_back is None or type_back.kind is not FactKind.LAST_FOUR:
        return typed.strip() != ""
    length = sum(map(str.isalnum, _value(approval.display, type_back)))
    return sum(map(str.isalnum, typed)) == min(_SUFFIX_LENGTH, length)


def _hide_in_display(display: Display, type_back: TypeBack) -> Display:
    hidden = _value(display, type_back)

    def hide_value(text: SafeText) -> SafeText:
        pattern = rf"(?<!\w){re.escape(hidden)}(?!\w)"
        return SafeText(re.sub(pattern, GAP, text)) if hidden else text

    is_uncut = len(hidden) <= _UNCUT_LENGTH
    anomalies = display.unusual and tuple(
        replace(anomaly, text=hide_value(anomaly.text)) for anomaly in display.unusual
    )
    return replace(
        display,
        headline=hide_value(display.headline) if is_uncut else display.title,
        facts=tuple(
            replace(fact, value=GAP if fact.label == type_back.label else hide_value(fact.value))
            for fact in display.facts
        ),
        gives=hide_value(display.gives),
        undo=hide_value(display.undo),
        unusual=anomalies,
        compared=None if display.compared is None else hide_value(display.compared),
    )


def _value(display: Display, type_back: TypeBack) -> SafeText:
    values = [fact.value for fact in display.facts if fact.label == type_back.label]
    return max(values or [display.resource], key=len)


def _hide_in_granted(granted: Granted, type_back: TypeBack) -> Granted:
    """Return the granted part without any value that is, or could be, the one to type."""
    rows = tuple(
        replace(difference, asked=GAP) if difference.label == type_back.label else difference
        for difference in granted.differences
    )
    places = tuple(replace(place, asked=SafeText("")) for place in granted.places)
    return replace(granted, differences=rows, places=places, headline=SafeText(""))
