"""Routes of the audit log."""

from typing import Final

from server.http import listing
from server.http.audit import audit, proofs
from server.http.route import Caller, Route, managed, own

_SEARCH = (
    *("type", "actor", "agent", "user", "resource"),
    *("approval", "correlation", "hash", "since", "until"),
)

AUDIT_ROUTES: Final = (
    managed(
        "GET /api/audit",
        audit.search,
        "Search the audit log, newest first.",
        query=(*_SEARCH, *listing.QUERY),
    ),
    managed("GET /api/audit/<id>", audit.show, "Get one audit entry."),
    managed(
        "GET /api/audit/<id>/timeline",
        audit.timeline,
        "Get all entries of one request, token, entry or API call (correlation ID), oldest first.",
    ),
)

PROOF_ROUTES: Final = (
    Route(
        "GET",
        "/api/audit/checkpoint",
        proofs.checkpoint,
        Caller.PERSON,
        "Get the newest signed checkpoint of the audit log, as text.",
        errors=(401, 403, 409),
        browsers=True,
    ),
    own(
        "GET /api/audit/consistency",
        proofs.consistency,
        "Get a proof that an older audit log is the beginning of the current one.",
        query=("from",),
        errors=(409, 422),
    ),
    own("GET /api/audit/keys", proofs.keys, "Get the public keys of the audit log."),
    own(
        "GET /api/audit/<id>/inclusion",
        proofs.inclusion,
        "Get a proof that an entry is in the audit log.",
        errors=(404, 409),
    ),
)
