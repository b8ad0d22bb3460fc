"""The endpoints for the outbox."""

from server import telemetry
from server.http.notifications import outbox_wire as wire
from server.http.route import managed
from server.protocol import errors
from server.services.operations.administration import AdminServices

_MAX_DIGITS = 18


@managed("GET /api/admin/outbox")
def state(admin: AdminServices) -> wire.OutboxStatus:
    """Get the state of the outbox, push services and loops."""
    return wire.answer(admin.outbox.state(), telemetry.loops())


@managed("POST /api/admin/outbox/<id>/retry")
def retry(admin: AdminServices, record_id: str) -> wire.UndeliveredMessage:
    """Retry an undelivered message."""
    message_id = record_id
    if not message_id.isdecimal() or len(message_id) > _MAX_DIGITS:
        raise errors.Problem(404, "not_found", "This message does not exist.")
    message = admin.outbox.retry(int(message_id), by=admin.by)
    return wire.undelivered(message)
