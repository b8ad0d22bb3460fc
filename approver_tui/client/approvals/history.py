"""Searches past requests page by page.

Owns: how far back to search, and where the next search continues. Never: matching, which
`Filter` does.
"""

from dataclasses import replace

from approver_tui.client.api import Client
from approver_tui.client.wire import Page
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.approvals.filters import Filter

_PAGE = 200
_MAX_SCANNED = 10_000


def search(client: Client, condition: Filter, *, limit: int, cursor: str | None = None) -> Page:
    """Return at most `limit` past requests that match, newest first, as one page.

    Looks at 10,000 requests at most; `next` says where the next search continues.
    """
    if not condition:
        return client.inbox("decided", limit=limit, cursor=cursor)
    approvals: list[Approval] = []
    scanned, page_cursor = 0, cursor
    while True:
        page = client.inbox("decided", limit=_PAGE, cursor=page_cursor)
        matching = [approval for approval in page.items if condition.matches(approval)]
        missing = limit - len(approvals)
        scanned += len(page.items)
        approvals += matching[:missing]
        if len(matching) > missing:
            next_cursor = _cursor_after(client, page, approvals[-1], page_cursor)
            return _page(page, approvals, next_cursor)
        if page.next is None or any(map(condition.is_past, page.items)):
            return _page(page, approvals, None)
        if len(approvals) == limit or scanned >= _MAX_SCANNED:
            return _page(page, approvals, page.next)
        page_cursor = page.next


def _page(last: Page, approvals: list[Approval], cursor: str | None) -> Page:
    """Return a page without unverified rows: nothing shows that they match."""
    return replace(last, items=tuple(approvals), unverified=(), next=cursor)


def _cursor_after(
    client: Client, page: Page, last: Approval, page_cursor: str | None
) -> str | None:
    """Return the cursor after `last` by fetching the page that ends with it.

    Only the server can create cursors. If there are unverified rows, the page ends a little
    earlier: a row may appear twice, but none is missing.
    """
    count = next(number for number, approval in enumerate(page.items, 1) if approval.id == last.id)
    return client.inbox("decided", limit=count, cursor=page_cursor).next
