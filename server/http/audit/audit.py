"""Endpoints of the audit log."""

from server.http import listing
from server.http.audit import audit_wire as wire
from server.http.route import HttpRequest, managed
from server.http.site import Site
from server.model.audit import EntrySearch
from server.services import paging
from server.services.operations.administration import AdminServices

_SEARCH = (
    *("type", "actor", "agent", "user", "resource"),
    *("approval", "correlation", "hash", "since", "until"),
)


@managed("GET /api/audit", query=(*_SEARCH, *listing.QUERY))
def search(_site: Site, request: HttpRequest, admin: AdminServices) -> wire.LogEntries:
    """Search the audit log, newest first."""
    query = request.query
    wanted = EntrySearch(
        type=query.get("type"),
        actor=query.get("actor"),
        agent_id=query.get("agent"),
        subject=query.get("user"),
        resource=query.get("resource"),
        approval_id=query.get("approval"),
        correlation_id=query.get("correlation"),
        value_hash=query.get("hash"),
        since=listing.moment(request, "since"),
        until=listing.moment(request, "until"),
    )
    return answer(request, admin, wanted)


@managed("GET /api/audit/<id>")
def show(_site: Site, request: HttpRequest, admin: AdminServices) -> wire.LogEntry:
    """Get one audit entry."""
    entry = admin.entries.get(request.params["id"])
    return wire.entry(entry)


@managed("GET /api/audit/<id>/timeline")
def timeline(_site: Site, request: HttpRequest, admin: AdminServices) -> wire.Timeline:
    """Get all entries of one request, token, entry or API call (correlation ID), oldest first."""
    entries = admin.entries.timeline(request.params["id"])
    return wire.timeline(entries)


def answer(request: HttpRequest, admin: AdminServices, wanted: EntrySearch) -> wire.LogEntries:
    """A page of matching entries, newest first."""
    limit, where = listing.limit(request), listing.cursor(request)
    entries = admin.entries.search(wanted, limit + 1, where or None)
    part = paging.part(entries, limit, lambda entry: entry.id)
    return listing.page(wire.LogEntries, part, wire.entry)
