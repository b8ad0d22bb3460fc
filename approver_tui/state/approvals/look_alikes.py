"""Requests that look alike and share one row of a list.

Two requests look alike if everything that matters for a decision is equal: who asks, for whom, for
what, the risk, what is unusual, the approval steps, the votes. The times and the agent's own
words may differ. Each request keeps its own texts, answer and expiry.

Owns: what two requests must share; which of them a row shows. Never: answers; the server does not
know about this.
"""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.fingerprint import digest
from approver_tui.state.text import SafeText

_VARYING_IN_ACTION = frozenset({"salt"})
_VARYING_IN_DISPLAY = frozenset({"approval", "agent_says", "asked_at", "compared", "expires_at"})
_VARYING_IN_AGENT = frozenset({"first_request"})

_Key: TypeAlias = tuple[object, ...]


def look_key(action_text: str, display_text: str) -> str:
    """Return the key that look-alike requests share: a digest of their equal members."""
    action, display = json.loads(action_text), json.loads(display_text)
    display["agent"] = _drop_members(display["agent"], _VARYING_IN_AGENT)
    compared_members = (
        _drop_members(action, _VARYING_IN_ACTION),
        _drop_members(display, _VARYING_IN_DISPLAY),
    )
    return digest(json.dumps(compared_members, sort_keys=True))


def group_by_look(approvals: Iterable[Approval]) -> list[list[Approval]]:
    """Group the requests by look, each group at the position of its first request."""
    approvals = list(approvals)
    counts = Counter([approval.look_key for approval in approvals])
    groups: dict[object, list[Approval]] = {}
    for approval in approvals:
        is_unique = approval.look_key is not None and counts[approval.look_key] == 1
        key = approval.look_key if is_unique else _group_key(approval)
        groups.setdefault(key, []).append(approval)
    return list(groups.values())


def look_alikes_of(approvals: Iterable[Approval], approval: Approval) -> list[Approval]:
    """Return the requests that look like this one, including itself, listed or not."""
    groups = (group for group in group_by_look(approvals) if approval in group)
    return next(groups, [approval])


@dataclass(frozen=True, slots=True)
class Fold:
    """One row of the list: a single request, or several that look alike."""

    approval: Approval
    """The request that the row shows; an answer applies to this one only."""
    count: int = 1
    """The number of requests that look alike, including this one."""
    waiting: int = 1
    """The number of these that can still be answered."""
    is_open: bool = True
    """Whether each of them has its own row."""
    is_new: bool = False
    """Whether any of these is its agent's first request."""
    selected_count: int = 0
    """The number of these that are selected."""

    @property
    def is_group(self) -> bool:
        """Whether the row represents other requests too."""
        return self.count > 1 and not self.is_open

    @property
    def count_label(self) -> SafeText:
        """The note in the row about the other requests."""
        if self.count == 1:
            return SafeText("")
        if self.is_open:
            return SafeText(f"of {self.count} alike")
        left = "" if self.waiting == self.count else f", {self.waiting} waiting"
        return SafeText(f"x {self.count}{left}")


@dataclass(frozen=True, slots=True)
class Folding:
    """The state that decides how rows are folded."""

    expanded_looks: frozenset[str] = frozenset()
    """The look keys of expanded groups, in which each request has its own row."""
    cursor_id: str | None = None
    now: int = 0
    selected_ids: frozenset[str] = frozenset()

    def folds(self, approvals: Iterable[Approval]) -> list[Fold]:
        """Return the rows. A group keeps its position, whatever happens to its requests."""
        return [fold for group in group_by_look(approvals) for fold in self._group_folds(group)]

    def row_of(self, approvals: Iterable[Approval], approval_id: str | None) -> Fold | None:
        """Return the row that shows this request, or None."""
        folds = self.folds(approvals)
        return next((fold for fold in folds if fold.approval.id == approval_id), None)

    def _group_folds(self, group: list[Approval]) -> list[Fold]:
        if len(group) == 1:
            approval = group[0]
            waits, is_selected = approval.is_waiting(self.now), approval.id in self.selected_ids
            is_new = approval.agent.first_request
            return [Fold(approval, 1, int(waits), is_new=is_new, selected_count=int(is_selected))]
        waiting = sum(approval.is_waiting(self.now) for approval in group)
        if group[0].look_key in self.expanded_looks:
            return [
                self._fold(group, approval, [approval], waiting, is_open=True) for approval in group
            ]
        return [self._fold(group, self._request_to_show(group), group, waiting, is_open=False)]

    def _fold(  # the row that shows one request of its group
        self,
        group: list[Approval],
        shown: Approval,
        row: list[Approval],
        waiting: int,
        *,
        is_open: bool,
    ) -> Fold:
        is_new = any(approval.agent.first_request for approval in row)
        selected_count = sum(approval.id in self.selected_ids for approval in row)
        return Fold(shown, len(group), waiting, is_open, is_new, selected_count)

    def _request_to_show(self, group: list[Approval]) -> Approval:
        """Return the request at the cursor, else the first waiting one, else the first one."""
        at_cursor = [approval for approval in group if approval.id == self.cursor_id]
        waiting = [approval for approval in group if approval.is_waiting(self.now)]
        return [*at_cursor, *waiting, *group][0]


def _group_key(approval: Approval) -> _Key:
    """Return the look of a request, or its ID if its texts were not compared."""
    if approval.look_key is None:
        return (approval.id,)
    others = (approval.vote_tally, approval.granted, approval.supersedes)
    return (approval.look_key, approval.steps, *others)


def _drop_members(members: dict[str, object], names: frozenset[str]) -> dict[str, object]:
    return {name: value for name, value in members.items() if name not in names}
