"""What is on the table: the state of the inbox screen and every way it can change.

Owns: which approvals are shown, which is selected, which came later, what is under way.
Never: Textual, a clock, a call. Every function returns another table.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from approver_tui.client.wire import Page
from approver_tui.state.approvals import Approval, ApprovalState, Unverified
from approver_tui.state.connection import Connection, Phase
from approver_tui.state.devices import Device, Me
from approver_tui.state.inbox import Inbox
from approver_tui.widgets.rows import Doing

_DIALLING = Connection(phase=Phase.CONNECTING)


@dataclass(frozen=True, slots=True)
class Table:
    """One moment of the inbox screen."""

    inbox: Inbox = field(default_factory=Inbox)
    selected: str | None = None
    """The id of the selected approval: a place in the list would name another one tomorrow."""
    arrived: frozenset[str] = frozenset()
    """Ids that came since the list was put in order."""
    doing: Mapping[str, Doing] = field(default_factory=dict)
    """What is under way, at most one thing per approval."""
    unverified: tuple[Unverified, ...] = ()
    """What the server lists and this program does not believe."""
    connection: Connection = _DIALLING
    fresh_at: int | None = None
    """When the table last was what the server knew."""
    me: Me | None = None
    is_loaded: bool = False

    @property
    def current(self) -> Approval | None:
        """The selected approval."""
        return None if self.selected is None else self.inbox.find(self.selected)

    @property
    def device(self) -> Device | None:
        """The device on which this program runs."""
        return None if self.me is None else self.me.device

    def doubts(self, approval_id: str) -> bool:
        """Tell whether the server's latest copy of an approval is one that nobody can answer."""
        return any(each.id == approval_id for each in self.unverified)

    def loaded(self, me: Me, page: Page, *, in_order: bool) -> "Table":
        """Return the table after a full answer.

        `in_order` puts all rows in the server's order, soonest first, and drops the records of
        what is over: the person asked for that. Otherwise nothing moves, what is over stays as a
        record, and what is new goes below the divider.
        """
        if in_order or not self.is_loaded:
            inbox, arrived = self._kept_in_order(page), frozenset[str]()
        else:
            new = {approval.id for approval in page.items if self.inbox.find(approval.id) is None}
            inbox, arrived = _merged(self.inbox, page), self.arrived | new
        table = replace(self, inbox=inbox, arrived=arrived, me=me, is_loaded=True)
        table = replace(table, unverified=page.unverified)
        return replace(table, fresh_at=page.server_time, selected=_still_selected(self, inbox))

    def unlisted(self, page: Page, now: int) -> tuple[str, ...]:
        """Return the ids of rows that look open here but are not in the server's full answer."""
        listed = {row.id for row in page.items} | {each.id for each in page.unverified}
        return tuple(row.id for row in self.inbox.waiting(now) if row.id not in listed)

    def seen(self, approval: Approval) -> "Table":
        """Return the table with the server's copy of an approval that is on it."""
        return replace(
            self, inbox=self.inbox.decided(approval), unverified=self._others(approval.id)
        )

    def doubted(self, each: Unverified) -> "Table":
        """Return the table with a request whose latest copy cannot be answered."""
        return replace(self, unverified=(*self._others(each.id), each))

    def asked(self, approval: Approval) -> "Table":
        """Return the table with a new request at its end; the selection does not move."""
        if approval.state is not ApprovalState.PENDING or self.inbox.find(approval.id) is not None:
            return self.seen(approval)
        return replace(
            self,
            inbox=self.inbox.seen(approval),
            unverified=self._others(approval.id),
            arrived=self.arrived | {approval.id},
            selected=approval.id if self.selected is None else self.selected,
        )

    def moved_to(self, approval_id: str) -> "Table":
        """Return the table with another selection."""
        return replace(self, selected=approval_id) if self.inbox.find(approval_id) else self

    def busy(self, approval_id: str, doing: Doing) -> "Table":
        """Return the table with something under way."""
        return replace(self, doing=MappingProxyType({**self.doing, approval_id: doing}))

    def idle(self, approval_id: str) -> "Table":
        """Return the table with nothing under way for that approval."""
        rest = {key: doing for key, doing in self.doing.items() if key != approval_id}
        return replace(self, doing=MappingProxyType(rest))

    def connected(self, connection: Connection) -> "Table":
        """Return the table with another state of the feed."""
        return replace(self, connection=connection)

    def fresh(self, now: int) -> "Table":
        """Return the table, known to be what the server knows at `now` while the feed stands."""
        return replace(self, fresh_at=now) if self.connection.is_live and self.is_loaded else self

    def on_device(self, device: Device) -> "Table":
        """Return the table with news about the device on which this program runs."""
        if self.me is None or self.device is None or device.id != self.device.id:
            return self
        return replace(self, me=replace(self.me, device=replace(device, is_this=True)))

    def _others(self, approval_id: str) -> tuple[Unverified, ...]:
        return tuple(each for each in self.unverified if each.id != approval_id)

    def _kept_in_order(self, page: Page) -> Inbox:
        """What is under way keeps its row even when the server no longer lists it as waiting."""
        inbox = Inbox.listed(page.items)
        for approval_id in self.doing:
            known = self.inbox.find(approval_id)
            if known is not None and inbox.find(approval_id) is None:
                inbox = inbox.seen(known)
        return inbox


def _still_selected(before: Table, inbox: Inbox) -> str | None:
    """The same approval, or the one that now stands where it stood."""
    if before.selected is not None and inbox.find(before.selected):
        return before.selected
    if not inbox.rows:
        return None
    ids = [row.id for row in before.inbox.rows]
    place = ids.index(before.selected) if before.selected in ids else 0
    return inbox.rows[min(place, len(inbox.rows) - 1)].id


def _merged(inbox: Inbox, page: Page) -> Inbox:
    for approval in page.items:
        inbox = inbox.seen(approval)
    return inbox
