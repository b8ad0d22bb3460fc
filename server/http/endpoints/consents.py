"""What a person lets clients have, and taking it back."""

from server.http import wire
from server.http.message import HttpRequest, HttpResponse, as_json
from server.http.site import Site
from server.protocol import errors
from server.services.people import Person


def listed(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """GET /api/consents?ended=true|false."""
    ended = request.query.get("ended", "false")
    if ended not in {"true", "false"}:
        raise errors.Problem(422, "invalid_body", "ended must be true or false.")
    found = site.consents.mine(person, ended=ended == "true")
    items = [wire.consent(given, site.clock.now()) for given in found]
    return as_json(200, wire.Consents(items=items).model_dump())


def revoke(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """DELETE /api/consents/<id>."""
    given, tokens = site.consents.revoke_mine(person, request.params["id"])
    consent = wire.consent(given, site.clock.now())
    answer = wire.ConsentRevoked(consent=consent, tokens_revoked=tokens)
    return as_json(200, answer.model_dump())
