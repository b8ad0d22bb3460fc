"""The lines of a file that a change adds and removes, with their numbers.

Owns: comparing two texts. Never: HTML.
"""

from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final, Literal

_CONTEXT_LINES: Final = 3
"""The unchanged lines before and after a change."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a comparison."""

    kind: Literal["same", "removed", "added", "gap"]
    """A gap replaces unchanged lines."""
    old: int | None
    """Its number in the old text; None if the line was added."""
    new: int | None
    """Its number in the new text; None if the line was removed."""
    text: str


def lines(old: str, new: str) -> list[Line]:
    """The changed lines of two texts, with the lines around them; empty if they are the same."""
    old_lines, new_lines = old.splitlines(), new.splitlines()
    matcher = SequenceMatcher(None, old_lines, new_lines, autojunk=False)
    result: list[Line] = []
    for index, group in enumerate(matcher.get_grouped_opcodes(_CONTEXT_LINES)):
        if index:
            result.append(Line("gap", None, None, ""))
        for kind, *span in group:
            (old_start, old_end), (new_start, new_end) = span[:2], span[2:]
            removed = enumerate(old_lines[old_start:old_end], old_start + 1)
            added = enumerate(new_lines[new_start:new_end], new_start + 1)
            if kind == "equal":
                pairs = zip(removed, added, strict=True)
                result += [Line("same", old, new, text) for (old, text), (new, _) in pairs]
            else:
                result += [Line("removed", number, None, text) for number, text in removed]
                result += [Line("added", None, number, text) for number, text in added]
    return result
