"""Type-back: the display without the fact to type, and which entries cannot be right.

Owns: finding the value and leaving a gap there; rejecting impossible entries. Never: the signed
texts; whether an entry is right, which the server checks.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from approver_tui.state.approvals.approvals import Anomaly, Approval, Display, Fact
from approver_tui.state.approvals.ceremony import FactKind, Step, TypeBack
from approver_tui.state.approvals.narrowing import Granted
from approver_tui.state.text import SafeText

GAP = SafeText("[you type this]")

_NUMBER = re.compile(r"[0-9]{3}")
_LAST = 4
_SURELY_WHOLE = 100
"""Values up to this length are never cut in a headline."""


def hide_typed_fact(approval: Approval) -> Approval:
    """Return the approval with a gap wherever the fact to type appears."""
    type_back = approval.display.type_back
    if type_back is None:
        return approval
    granted = None if approval.granted is None else _gapped_part(approval.granted, type_back)
    return replace(approval, display=_with_gaps(approval.display, type_back), granted=granted)


def is_plausible(approval: Approval, step: Step, typed: str) -> bool:
    """Whether the entry could be right for the step; an impossible one would waste an attempt."""
    if step is Step.MATCH:
        return _NUMBER.fullmatch("".join(typed.split())) is not None
    type_back = approval.display.type_back
    if step is not Step.TYPE_BACK or type_back is None or type_back.kind is not FactKind.LAST_FOUR:
        return typed.strip() != ""
    whole = sum(map(str.isalnum, _value(approval.display, type_back)))
    return sum(map(str.isalnum, typed)) == min(_LAST, whole)


def _with_gaps(display: Display, asked: TypeBack) -> Display:
    hidden = _value(display, asked)

    def gapped(text: SafeText) -> SafeText:
        alone = rf"(?<!\w){re.escape(hidden)}(?!\w)"
        return SafeText(re.sub(alone, GAP, text)) if hidden else text

    whole = len(hidden) <= _SURELY_WHOLE
    return replace(
        display,
        headline=gapped(display.headline) if whole else display.title,
        facts=tuple(_gapped_fact(fact, asked, gapped(fact.value)) for fact in display.facts),
        gives=gapped(display.gives),
        undo=gapped(display.undo),
        unusual=None if display.unusual is None else _gapped_signals(display.unusual, gapped),
        compared=None if display.compared is None else gapped(display.compared),
    )


def _gapped_signals(
    signals: Sequence[Anomaly], gapped: Callable[[SafeText], SafeText]
) -> tuple[Anomaly, ...]:
    return tuple(replace(signal, text=gapped(signal.text)) for signal in signals)


def _value(display: Display, asked: TypeBack) -> SafeText:
    values = [fact.value for fact in display.facts if fact.label == asked.label]
    return max(values or [display.resource], key=len)


def _gapped_part(granted: Granted, asked: TypeBack) -> Granted:
    """The granted part, without the value that must be typed or could be it."""
    rows = tuple(
        replace(difference, asked=GAP) if difference.label == asked.label else difference
        for difference in granted.differences
    )
    places = tuple(replace(place, asked=SafeText("")) for place in granted.places)
    return replace(granted, differences=rows, places=places, headline=SafeText(""))


def _gapped_fact(fact: Fact, asked: TypeBack, elsewhere: SafeText) -> Fact:
    return replace(fact, value=GAP if fact.label == asked.label else elsewhere)
