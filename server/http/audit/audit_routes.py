"""Routes of the audit log."""

from typing import Final

from server.http.audit import audit, proofs
from server.http.route import Caller, Route

AUDIT_ROUTES: Final = (
    *(audit.search, audit.show, audit.timeline),
    *(audit.hash_value, audit.trim, audit.erase),
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
    proofs.consistency,
    proofs.keys,
    proofs.inclusion,
)
