"""The log."""

from server.http import admin_bodies as bodies
from server.http import admin_documents as documents
from server.http import admin_wire as wire
from server.http.endpoints import listing
from server.http.message import HttpRequest, HttpResponse, as_json
from server.http.site import Site
from server.protocol import errors
from server.services import paging
from server.services.administration import Desk
from server.services.searches import EntrySearch


def search(_site: Site, request: HttpRequest, desk: Desk) -> HttpResponse:
    """GET /api/audit: the newest entries that match."""
    query = request.query
    wanted = EntrySearch(
        type=query.get("type"),
        actor=query.get("actor"),
        agent_id=query.get("agent"),
        subject=query.get("user"),
        resource=query.get("resource"),
        approval_id=query.get("approval"),
        correlation_id=query.get("correlation"),
        since=_moment(request, "since"),
        until=_moment(request, "until"),
    )
    return answer(request, desk, wanted)


def show(_site: Site, request: HttpRequest, desk: Desk) -> HttpResponse:
    """GET /api/audit/<id>."""
    entry = desk.oversight.entry(request.params["id"])
    return as_json(200, documents.entry(entry).model_dump())


def answer(request: HttpRequest, desk: Desk, wanted: EntrySearch) -> HttpResponse:
    """A part of the log that matches, newest first."""
    limit, where = listing.limit(request), listing.cursor(request)
    found = desk.oversight.search(wanted, limit + 1, where or None)
    part = paging.part(found, limit, lambda entry: entry.id)
    items = [documents.entry(entry) for entry in part.items]
    document = wire.LogEntries(items=items, next=documents.write_cursor(part.next))
    return as_json(200, document.model_dump())


def _moment(request: HttpRequest, name: str) -> int | None:
    text = request.query.get(name)
    if text is None:
        return None
    try:
        return bodies.milliseconds(text)
    except (ValueError, OverflowError) as error:
        detail = f"{name} must be a time like 2027-01-31T00:00:00Z."
        raise errors.Problem(422, "invalid_body", detail) from error
