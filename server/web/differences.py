"""The lines of a file that a change adds and removes, with their numbers.

Owns: comparing two texts. Never: HTML.
"""

from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final, Literal

_AROUND: Final = 3
"""The unchanged lines before and after a change."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a comparison."""

    kind: Literal["same", "removed", "added", "gap"]
    """A gap stands for unchanged lines."""
    old: int | None
    """Its number in the old text; None if it is not there."""
    new: int | None
    text: str


def lines(old: str, new: str) -> list[Line]:
    """The changed lines of two texts, with the lines around them; empty if they are the same."""
    before, after = old.splitlines(), new.splitlines()
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    shown: list[Line] = []
    for number, group in enumerate(matcher.get_grouped_opcodes(_AROUND)):
        if number:
            shown.append(Line("gap", None, None, ""))
        for kind, *span in group:
            (was, was_end), (now, now_end) = span[:2], span[2:]
            removed = enumerate(before[was:was_end], was + 1)
            added = enumerate(after[now:now_end], now + 1)
            if kind == "equal":
                pairs = zip(removed, added, strict=True)
                shown += [Line("same", old, new, text) for (old, text), (new, _) in pairs]
            else:
                shown += [Line("removed", place, None, text) for place, text in removed]
                shown += [Line("added", None, place, text) for place, text in added]
    return shown
