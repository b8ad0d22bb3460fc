"""Endpoints of the audit log."""

from server.http import listing
from server.http.audit import audit_wire as wire
from server.http.route import READS, STAFF, HttpRequest, managed
from server.http.wire import milliseconds
from server.model.audit import EntrySearch
from server.services import paging
from server.services.operations.administration import AdminServices

_SEARCH = (
    *("type", "actor", "agent", "user", "resource"),
    *("approval", "correlation", "hash", "since", "until"),
)


@managed("GET /api/audit", query=(*_SEARCH, *listing.QUERY))
def search(request: HttpRequest, admin: AdminServices) -> wire.LogEntries:
    """Search the audit log, newest first."""
    query = request.query
    entry_search = EntrySearch(
        type=query.get("type"),
        actor=query.get("actor"),
        agent_id=query.get("agent"),
        subject=query.get("user"),
        resource=query.get("resource"),
        approval_id=query.get("approval"),
        correlation_id=query.get("correlation"),
        value_hash=query.get("hash"),
        since=listing.timestamp(request, "since"),
        until=listing.timestamp(request, "until"),
    )
    return answer(request, admin, entry_search)


@managed("GET /api/audit/<id>")
def show(admin: AdminServices, record_id: str) -> wire.LogEntry:
    """Get one audit entry."""
    entry = admin.entries.get(record_id)
    return wire.entry(entry)


@managed("GET /api/audit/<id>/timeline")
def timeline(admin: AdminServices, record_id: str) -> wire.Timeline:
    """Get all entries of one request, token, entry or API call (correlation ID), oldest first."""
    entries = admin.entries.timeline(record_id)
    return wire.timeline(entries)


@managed("POST /api/audit/hash", roles=STAFF, errors=READS)
def hash_value(admin: AdminServices, body: wire.HashInput) -> wire.ValueHash:
    """Get the hash to search the log for a login hint or an `auth_req_id`."""
    return wire.ValueHash(hash=admin.value_hash(body.value))


@managed("POST /api/audit/trim", signed=True)
def trim(admin: AdminServices, body: wire.TrimInput) -> wire.Trim:
    """Delete the contents of old entries. The server does so within a minute."""
    announced = admin.retention.announce(milliseconds(body.before), by=admin.by)
    return wire.Trim(before=announced.before, entries=announced.entries)


@managed("POST /api/users/<id>/erase", signed=True)
def erase(admin: AdminServices, record_id: str) -> wire.Erasure:
    """Erase the personal texts of a user from the audit log."""
    user, texts = admin.retention.erase(record_id, by=admin.by)
    return wire.Erasure(user=user.id, texts=texts)


def answer(
    request: HttpRequest, admin: AdminServices, entry_search: EntrySearch
) -> wire.LogEntries:
    """A page of matching entries, newest first."""
    limit, before = listing.limit(request), listing.cursor(request)
    entries = admin.entries.search(entry_search, limit + 1, before or None)
    part = paging.part(entries, limit, lambda entry: entry.id)
    return listing.page(wire.LogEntries, part, wire.entry)
