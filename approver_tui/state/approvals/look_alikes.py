"""Requests that look alike, and stand in one row of a list.

Two do when nothing by which a person would decide differs: who asks, for whom, for what, the risk,
what is unusual, what a yes takes, what others said. When each was asked and ends, and what the
agent says, may differ. Each keeps its own texts, its own answer and its own end.
Owns: what two must share; which of them a row shows. Never: an answer; the server knows nothing
of this. A request of another risk is never in the same row.
"""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.fingerprint import digest
from approver_tui.state.text import SafeText

_OF_ONE_ACTION = frozenset({"salt"})
_OF_ONE_DISPLAY = frozenset({"approval", "agent_says", "asked_at", "compared", "expires_at"})
_OF_ONE_AGENT = frozenset({"first_request"})

_Key: TypeAlias = tuple[object, ...]


def look_key(action_text: str, display_text: str) -> str:
    """Return what two requests share when they look alike: a digest of the rest of their texts."""
    action, display = json.loads(action_text), json.loads(display_text)
    display["agent"] = _without(display["agent"], _OF_ONE_AGENT)
    both = (_without(action, _OF_ONE_ACTION), _without(display, _OF_ONE_DISPLAY))
    return digest(json.dumps(both, sort_keys=True))


def grouped(approvals: Iterable[Approval]) -> list[list[Approval]]:
    """Return them by their looks, each group where its first one stands."""
    approvals = list(approvals)
    looks = Counter([approval.look for approval in approvals])
    groups: dict[object, list[Approval]] = {}
    for approval in approvals:
        is_alone = approval.look is not None and looks[approval.look] == 1
        key = approval.look if is_alone else _key(approval)
        groups.setdefault(key, []).append(approval)
    return list(groups.values())


def alike(approvals: Iterable[Approval], approval: Approval) -> list[Approval]:
    """Return those that look like this one, itself among them, whether or not it is listed."""
    groups = (group for group in grouped(approvals) if approval in group)
    return next(groups, [approval])


@dataclass(frozen=True, slots=True)
class Fold:
    """One row of the list: a request that stands for itself, or for several that look alike."""

    shown: Approval
    """The one that the row shows; an answer is to this one alone."""
    alike: int = 1
    """How many look like it, itself included."""
    waiting: int = 1
    """How many of these can still be answered."""
    is_open: bool = True
    """Whether each of them has a row of its own."""
    is_new: bool = False
    """Whether its agent never asked before one of these."""
    marked: int = 0
    """How many of these the person has marked."""

    @property
    def stands_for_more(self) -> bool:
        """Whether others are in this row too."""
        return self.alike > 1 and not self.is_open

    @property
    def mark(self) -> SafeText:
        """What its row says of the others."""
        if self.alike == 1:
            return SafeText("")
        if self.is_open:
            return SafeText(f"of {self.alike} alike")
        left = "" if self.waiting == self.alike else f", {self.waiting} wait"
        return SafeText(f"x {self.alike}{left}")


@dataclass(frozen=True, slots=True)
class Folding:
    """What decides how rows are folded."""

    opened: frozenset[str] = frozenset()
    """Looks whose requests each have a row of their own."""
    selected: str | None = None
    now: int = 0
    marked: frozenset[str] = frozenset()

    def folds(self, approvals: Iterable[Approval]) -> list[Fold]:
        """Return the rows. A group keeps its place, whatever becomes of the requests in it."""
        return [fold for group in grouped(approvals) for fold in self._of(group)]

    def of(self, approvals: Iterable[Approval], approval_id: str | None) -> Fold | None:
        """Return the row that shows this request, if there is one."""
        folds = self.folds(approvals)
        return next((fold for fold in folds if fold.shown.id == approval_id), None)

    def _of(self, group: list[Approval]) -> list[Fold]:
        if len(group) == 1:
            one = group[0]
            waits, is_marked = one.is_waiting(self.now), one.id in self.marked
            return [Fold(one, 1, int(waits), is_new=one.agent.first_request, marked=int(is_marked))]
        waiting = sum(each.is_waiting(self.now) for each in group)
        if group[0].look in self.opened:
            return [self._fold(group, each, [each], waiting, is_open=True) for each in group]
        return [self._fold(group, self._shown(group), group, waiting, is_open=False)]

    def _fold(  # what stands in one row, of those that look alike
        self,
        group: list[Approval],
        shown: Approval,
        row: list[Approval],
        waiting: int,
        *,
        is_open: bool,
    ) -> Fold:
        is_new = any(each.agent.first_request for each in row)
        marked = sum(each.id in self.marked for each in row)
        return Fold(shown, len(group), waiting, is_open, is_new, marked)

    def _shown(self, group: list[Approval]) -> Approval:
        """The selected one, or the first that waits, or the first."""
        chosen = [each for each in group if each.id == self.selected]
        return next(iter([*chosen, *(one for one in group if one.is_waiting(self.now)), *group]))


def _key(approval: Approval) -> _Key:
    """What is true of one alone keeps it alone: its id where its texts were not looked at."""
    if approval.look is None:
        return (approval.id,)
    others = (approval.together, approval.granted, approval.supersedes)
    return (approval.look, approval.steps, *others)


def _without(members: dict[str, object], names: frozenset[str]) -> dict[str, object]:
    return {name: value for name, value in members.items() if name not in names}
