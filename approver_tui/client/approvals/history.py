"""Searches past requests page by page.

Owns: how far back to search, and where the next search continues. Never: the matching; that is a
Filter.
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
    """The matches, as one page whose `next` says where to continue."""

    page: Page
    looked_at: int
    """How many approvals were looked at."""


def search(
    client: Client, wanted: Filter, *, limit: int, cursor: str | None = None
) -> SearchResult:
    """Return at most `limit` past requests that match, newest first.

    Looks at no more than 10,000; `next` says where the next search continues.
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
    """Return a page without unverified rows: nothing shows that they match."""
    return replace(last, items=tuple(kept), unverified=(), next=cursor)


def _after(client: Client, page: Page, last: Approval, at: str | None) -> str | None:
    """Return the cursor after `last` by fetching the page that ends with it.

    Only the server makes cursors. With unverified rows the page ends a little earlier: a row may
    appear twice, but never is missing.
    """
    place = next(n for n, approval in enumerate(page.items, 1) if approval.id == last.id)
    return client.inbox("decided", limit=place, cursor=at).next
