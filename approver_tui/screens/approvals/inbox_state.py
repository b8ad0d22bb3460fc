"""The state of the inbox screen and every change to it.

Owns: which approvals are shown, the cursor, the selection, which are new, which answers are in
progress. Never: Textual, reading a clock, calls to the server. Every change returns a new state.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from approver_tui.client.wire import Page
from approver_tui.state.approvals.approvals import Approval, ApprovalState, Unverified
from approver_tui.state.approvals.inbox import Inbox, waits_for_others
from approver_tui.state.approvals.look_alikes import Fold, Folding, look_alikes_of
from approver_tui.state.approvals.selection import is_selection_lost
from approver_tui.state.approvals.unsent_denials import UnsentDenial
from approver_tui.state.devices.devices import Device, Me
from approver_tui.state.notifications.connection import Connection, Phase
from approver_tui.state.notifications.other_logins import OtherLoginCounts
from approver_tui.state.notifications.preferences import DEFAULT_PREFS, NotificationPrefs
from approver_tui.state.queries import NO_QUERY, Query
from approver_tui.state.text import SafeText
from approver_tui.widgets.approvals.rows import AnswerProgress

_CONNECTING = Connection(phase=Phase.CONNECTING)


@dataclass(frozen=True, slots=True)
class InboxState:
    """The inbox screen at one moment."""

    inbox: Inbox = field(default_factory=Inbox)
    cursor_id: str | None = None
    """The ID of the approval under the cursor; an index would point elsewhere after a change."""
    is_default_cursor: bool = False
    """Whether the program, not the user, put the cursor on a row of the last known list."""
    intended_cursor: str | None = None
    """The cursor to use for the server's list if the program chose the current one."""
    arrived_ids: frozenset[str] = frozenset()
    """The IDs of requests that arrived since the list was sorted."""
    in_progress: Mapping[str, AnswerProgress] = field(default_factory=dict)
    """The answers in progress, at most one per approval."""
    unverified: tuple[Unverified, ...] = ()
    """Requests in the list that failed verification."""
    connection: Connection = _CONNECTING
    fresh_at: int | None = None
    """When the state last matched the server."""
    me: Me | None = None
    is_loaded: bool = False
    is_incomplete: bool = False
    """Whether changes were missed, so that the full list must be loaded again."""
    query: Query = NO_QUERY
    """The filter."""
    other_logins: OtherLoginCounts = field(default_factory=dict)
    """The counts of waiting requests at other servers."""
    expanded_looks: frozenset[str] = frozenset()
    """The look keys of the groups of look-alikes that are expanded."""
    selection: tuple[Approval, ...] = ()
    """The selected requests, each as it was when it was selected."""
    unsent: tuple[UnsentDenial, ...] = ()
    """Denials that an earlier run of the program did not send."""
    log_alarm: SafeText = SafeText("")  # noqa: RUF009  # SafeText is immutable
    """Why the audit log of the server is not trusted; empty if it is."""
    prefs: NotificationPrefs = DEFAULT_PREFS
    """The user's notification settings."""

    @property
    def current(self) -> Approval | None:
        """The approval under the cursor."""
        return None if self.cursor_id is None else self.inbox.find(self.cursor_id)

    def cursor_fold(self, now: int) -> Fold | None:
        """Return the approval under the cursor with its look-alikes in the same section."""
        if (current := self.current) is None:
            return None
        rows = self._same_section(current)
        return Folding(self.expanded_looks, current.id, now).row_of(rows, current.id) or Fold(
            current
        )

    def row_requests(self, now: int) -> tuple[Approval, ...]:
        """Return the requests in the row under the cursor that can be answered."""
        cursor_fold = self.cursor_fold(now)
        if cursor_fold is None:
            return ()
        group = [cursor_fold.approval]
        if cursor_fold.is_group:
            group = look_alikes_of(self._same_section(cursor_fold.approval), cursor_fold.approval)
        return tuple(
            approval
            for approval in group
            if approval.is_waiting(now) and approval.id not in self.in_progress
        )

    @property
    def selected_ids(self) -> frozenset[str]:
        """The IDs of the selected requests."""
        return frozenset(approval.id for approval in self.selection)

    def with_selected(self, approvals: Iterable[Approval]) -> "InboxState":
        """Return the state with `approvals` selected too; the selection is in list order."""
        by_id = {approval.id: approval for approval in (*approvals, *self.selection)}
        return replace(
            self, selection=tuple(by_id[row.id] for row in self.inbox.rows if row.id in by_id)
        )

    def without_selected(self, ids: Collection[str]) -> "InboxState":
        """Return the state with these requests deselected."""
        kept = tuple(approval for approval in self.selection if approval.id not in ids)
        return replace(self, selection=kept)

    def changed_selection(self, now: int) -> tuple[Approval, ...]:
        """Return the selected requests that were answered, changed or ended since."""
        return tuple(approval for approval in self.selection if self.has_changed(approval, now))

    def has_changed(self, approval: Approval, now: int) -> bool:
        """Whether a request has changed since it was chosen."""
        copy = None if self.is_unverified(approval.id) else self.inbox.find(approval.id)
        return is_selection_lost(approval, copy, now)

    def with_fold_toggled(self) -> "InboxState":
        """Return the state with the current request's look-alikes expanded or collapsed."""
        key = None if self.current is None else self.current.look_key
        return self if key is None else replace(self, expanded_looks=self.expanded_looks ^ {key})

    def next_waiting(self, now: int) -> str | None:
        """Return the ID of the next request that waits for the user, or None."""
        ids = [row.id for row in self.visible.rows]
        start = ids.index(self.cursor_id) + 1 if self.cursor_id in ids else 0
        me = None if self.me is None else self.me.user.id
        for row in (*self.visible.rows[start:], *self.visible.rows[:start]):
            is_candidate = row.id != self.cursor_id and row.id not in self.in_progress
            if is_candidate and row.is_waiting(now) and not waits_for_others(row, me):
                return row.id
        return None

    @property
    def device(self) -> Device | None:
        """The device that this program runs on."""
        return None if self.me is None else self.me.device

    def has_approved(self, approval: Approval) -> bool:
        """Whether the user's approval is counted on a request that needs several."""
        if self.me is None or approval.vote_tally is None:
            return False
        return approval.vote_tally.counts(self.me.user.id)

    def is_unverified(self, approval_id: str) -> bool:
        """Whether the server's latest copy of an approval failed verification."""
        return any(row.id == approval_id for row in self.unverified)

    def with_loaded(self, me: Me, page: Page, *, in_order: bool) -> "InboxState":
        """Return the state after the full list was loaded.

        With `in_order`, rows are sorted as fetched and ended rows are dropped. Otherwise no row
        moves, ended rows stay, and new rows go below the heading for new requests.
        """
        if in_order or not self.is_loaded:
            inbox, arrived = self._sorted_inbox(page), frozenset[str]()
        else:
            new = {approval.id for approval in page.items if self.inbox.find(approval.id) is None}
            inbox, arrived = _merge_page(self.inbox, page), self._with_arrived(new)
        state = replace(
            self, inbox=inbox, arrived_ids=arrived, me=me, is_loaded=True, is_incomplete=False
        )
        state = replace(state, unverified=page.unverified)
        before = replace(self, cursor_id=self.intended_cursor) if self.is_default_cursor else self
        cursor_id = _cursor_after(before, inbox, me.user.id)
        state = replace(
            state, fresh_at=page.server_time, cursor_id=cursor_id, is_default_cursor=False
        )
        return state.with_query(self.query) if self.query else state

    def with_last_known(self, page: Page) -> "InboxState":
        """Return the state with the last known list.

        The list does not count as loaded until the server returns the current one. The intended
        cursor then replaces a cursor that the user did not move.
        """
        if self.is_loaded:
            return self
        inbox = Inbox.from_list(page.items)
        cursor_id = _cursor_after(self, inbox)
        state = replace(self, inbox=inbox, cursor_id=cursor_id, fresh_at=page.server_time)
        return replace(
            state,
            is_default_cursor=cursor_id != self.cursor_id,
            intended_cursor=self.cursor_id,
        )

    def without_ended_denials(self, now: int) -> "tuple[InboxState, tuple[UnsentDenial, ...]]":
        """Return the state without unsent denials whose requests have ended, and those denials."""
        if not self.is_loaded:
            return self, ()
        ended = tuple(
            denial for denial in self.unsent if not self._is_waiting(denial.approval_id, now)
        )
        return replace(
            self, unsent=tuple(denial for denial in self.unsent if denial not in ended)
        ), ended

    def _is_waiting(self, approval_id: str, now: int) -> bool:
        row = self.inbox.find(approval_id)
        return row is not None and row.is_waiting(now)

    def missing_from(self, page: Page, now: int) -> tuple[str, ...]:
        """Return the IDs of rows that wait here but are missing from the full list."""
        if not self.is_loaded:
            return ()
        listed = {row.id for row in page.items} | {row.id for row in page.unverified}
        return tuple(row.id for row in self.inbox.waiting(now) if row.id not in listed)

    def with_approval(self, approval: Approval) -> "InboxState":
        """Return the state with the server's copy of a listed approval."""
        return replace(
            self,
            inbox=self.inbox.with_update(approval),
            unverified=self._other_unverified(approval.id),
        )

    def with_unverified(self, row: Unverified) -> "InboxState":
        """Return the state with a request whose latest copy failed verification."""
        return replace(self, unverified=(*self._other_unverified(row.id), row))

    def with_request(self, approval: Approval) -> "InboxState":
        """Return the state with a new request at the end; an existing cursor stays."""
        if approval.state is not ApprovalState.PENDING or self.inbox.find(approval.id) is not None:
            return self.with_approval(approval)
        is_first = self.cursor_id is None and self.query.matches(approval)
        return replace(
            self,
            inbox=self.inbox.with_approval(approval),
            unverified=self._other_unverified(approval.id),
            arrived_ids=self._with_arrived({approval.id}),
            cursor_id=approval.id if is_first else self.cursor_id,
        )

    def waiting_count(self, now: int) -> int | None:
        """Return how many requests wait for this user; None until the list is loaded."""
        waiting = self.inbox.waiting(now)
        me = None if self.me is None else self.me.user.id
        mine = [row for row in waiting if not waits_for_others(row, me)]
        return len(mine) if self.is_loaded else None

    @property
    def visible(self) -> Inbox:
        """The approvals that match the filter."""
        if not self.query:
            return self.inbox
        return Inbox(tuple(row for row in self.inbox.rows if self.query.matches(row)))

    def with_query(self, query: Query) -> "InboxState":
        """Return the state with a different filter; a hidden request loses the cursor."""
        state = replace(self, query=query)
        inbox = state.visible
        if self.cursor_id is not None and inbox.find(self.cursor_id):
            return state
        return replace(state, cursor_id=inbox.rows[0].id if inbox.rows else None)

    def with_cursor(self, approval_id: str) -> "InboxState":
        """Return the state with a different cursor; unchanged if the ID is not listed."""
        if self.inbox.find(approval_id) is None:
            return self
        return replace(self, cursor_id=approval_id, is_default_cursor=False)

    def with_progress(self, approval_id: str, step: AnswerProgress) -> "InboxState":
        """Return the state with an answer in progress."""
        return replace(self, in_progress=MappingProxyType({**self.in_progress, approval_id: step}))

    def without_progress(self, approval_id: str) -> "InboxState":
        """Return the state with no answer in progress for that approval."""
        others = {key: step for key, step in self.in_progress.items() if key != approval_id}
        return replace(self, in_progress=MappingProxyType(others))

    def with_connection(self, connection: Connection) -> "InboxState":
        """Return the state with a different connection state."""
        return replace(self, connection=connection)

    def with_contact(self, last_contact_at: int | None) -> "InboxState":
        """Return the state with `fresh_at` moved to the feed's last contact, if it is current."""
        is_fresh = self.connection.is_live and self.is_loaded and not self.is_incomplete
        if not is_fresh or last_contact_at is None:
            return self
        return replace(self, fresh_at=max(last_contact_at, self.fresh_at or 0))

    def with_device(self, device: Device) -> "InboxState":
        """Return the state with an update of this program's device."""
        if self.me is None or self.device is None or device.id != self.device.id:
            return self
        return replace(self, me=replace(self.me, device=replace(device, is_this=True)))

    def _same_section(self, current: Approval) -> list[Approval]:
        alike = [row for row in self.visible.rows if row.look_key == current.look_key]
        return [row for row in alike if self._is_same_section(row, current)]

    def _is_same_section(self, row: Approval, current: Approval) -> bool:
        """Whether two look-alikes are in the same section, so that they may share a row."""
        if row.is_held_back != current.is_held_back:
            return False
        return row.is_held_back or (row.id in self.arrived_ids) == (current.id in self.arrived_ids)

    def _with_arrived(self, new_ids: set[str]) -> frozenset[str]:
        """Return the arrived IDs with `new_ids`; none if the list is empty: it needs no heading."""
        return self.arrived_ids | new_ids if self.inbox.rows else frozenset()

    def _other_unverified(self, approval_id: str) -> tuple[Unverified, ...]:
        return tuple(row for row in self.unverified if row.id != approval_id)

    def _sorted_inbox(self, page: Page) -> Inbox:
        """Return the list as fetched; keep rows with an answer in progress that it omits."""
        inbox = Inbox.from_list(page.items)
        for approval_id in self.in_progress:
            approval = self.inbox.find(approval_id)
            if approval is not None and inbox.find(approval_id) is None:
                inbox = inbox.with_approval(approval)
        return inbox


def _cursor_after(before: InboxState, inbox: Inbox, me: str | None = None) -> str | None:
    """Return the cursor if it is still listed, otherwise the row that takes its index.

    Without a cursor, return the first row that waits for the user.
    """
    if before.cursor_id is not None and inbox.find(before.cursor_id):
        return before.cursor_id
    if not inbox.rows:
        return None
    if before.cursor_id is None:
        mine = (row for row in inbox.rows if not waits_for_others(row, me))
        return next(mine, inbox.rows[0]).id
    ids = [row.id for row in before.inbox.rows]
    index = ids.index(before.cursor_id) if before.cursor_id in ids else 0
    return inbox.rows[min(index, len(inbox.rows) - 1)].id


def _merge_page(inbox: Inbox, page: Page) -> Inbox:
    for approval in page.items:
        inbox = inbox.with_approval(approval)
    return inbox
