"""What was decided, looked through page by page for what a person wants to see.

Owns: how far back is looked, and where the next look goes on. Never: what fits; that is a Filter.
"""

from dataclasses import dataclass, replace

from approver_tui.client.api import Client
from approver_tui.client.wire import Page
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.approvals.filters import Filter

_PAGE = 200
_MOST = 10_000


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What fits, as one page whose `next` says where to go on."""

    page: Page
    looked_at: int
    """How many approvals were looked at."""


def search(
    client: Client, wanted: Filter, *, limit: int, cursor: str | None = None
) -> SearchResult:
    """Return at most `limit` decided approvals that fit, newest first.

    At most 10,000 are looked at; `next` then says where the next search goes on.
    """
    if not wanted:
        page = client.inbox("decided", limit=limit, cursor=cursor)
        return SearchResult(page, len(page.items))
    kept: list[Approval] = []
    looked_at, at = 0, cursor
    while True:
        page = client.inbox("decided", limit=_PAGE, cursor=at)
        fitting = [approval for approval in page.items if wanted.fits(approval)]
        missing = limit - len(kept)
        looked_at += len(page.items)
        kept += fitting[:missing]
        if len(fitting) > missing:
            return SearchResult(_page(page, kept, _after(client, page, kept[-1], at)), looked_at)
        if page.next is None or any(map(wanted.is_past, page.items)):
            return SearchResult(_page(page, kept, None), looked_at)
        if len(kept) == limit or looked_at >= _MOST:
            return SearchResult(_page(page, kept, page.next), looked_at)
        at = page.next


def _page(last: Page, kept: list[Approval], cursor: str | None) -> Page:
    """Rows that cannot be verified are told by the plain history; nothing says that they fit."""
    return replace(last, items=tuple(kept), unverified=(), next=cursor)


def _after(client: Client, page: Page, last: Approval, at: str | None) -> str | None:
    """The server alone makes cursors: ask it for the page that ends with `last`.

    Where rows could not be verified that page ends a little earlier: better a row twice than never.
    """
    place = next(n for n, approval in enumerate(page.items, 1) if approval.id == last.id)
    return client.inbox("decided", limit=place, cursor=at).next
