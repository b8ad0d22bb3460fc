"""What leaves the installation: how it stands, and trying once more."""

from server import telemetry
from server.http.message import HttpRequest, HttpResponse, as_json
from server.http.notifications import outbox_wire as wire
from server.http.site import Site
from server.protocol import errors
from server.services.operations.administration import AdminServices

_MOST_DIGITS = 18


def state(_site: Site, _request: HttpRequest, desk: AdminServices) -> HttpResponse:
    """GET /api/admin/outbox."""
    found = wire.answer(desk.outgoing.state(), telemetry.loops())
    return as_json(200, found.model_dump())


def retry(_site: Site, request: HttpRequest, desk: AdminServices) -> HttpResponse:
    """POST /api/admin/outbox/<id>/retry: answers it as it is now."""
    message_id = request.params["id"]
    if not message_id.isdecimal() or len(message_id) > _MOST_DIGITS:
        raise errors.Problem(404, "not_found", "There is no such message.")
    found = desk.outgoing.retry(int(message_id), by=desk.by)
    return as_json(200, wire.given_up(found).model_dump())
