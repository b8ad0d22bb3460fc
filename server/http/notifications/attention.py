"""The endpoints for a person's own notification settings."""

from server.http.approvals.approval_wire import approval
from server.http.message import NO_STORE, HttpRequest, HttpResponse, as_json
from server.http.notifications import attention_wire as wire
from server.http.site import Site
from server.http.wire import read
from server.services.users.device_auth import Person


def shown(site: Site, _request: HttpRequest, person: Person) -> HttpResponse:
    """GET /api/attention."""
    return _all(site, person)


def set_quiet_hours(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """PUT /api/attention/quiet-hours."""
    site.notifications.settings.set_hours(person, read(wire.QuietHours, request.body).record())
    return _all(site, person)


def clear_quiet_hours(site: Site, _request: HttpRequest, person: Person) -> HttpResponse:
    """DELETE /api/attention/quiet-hours."""
    site.notifications.settings.clear_hours(person)
    return HttpResponse(204, headers=NO_STORE)


def mute(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """POST /api/attention/mutes."""
    body = read(wire.NewMute, request.body)
    muted = site.notifications.settings.mute(person, body.agent, body.minutes)
    return as_json(200, wire.mute(muted).model_dump())


def unmute(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """DELETE /api/attention/mutes/<id>."""
    site.notifications.settings.unmute(person, request.params["id"])
    return HttpResponse(204, headers=NO_STORE)


def extend(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """POST /api/approvals/<id>/extension."""
    shown = site.approvals.extensions.extend(person, request.params["id"])
    return as_json(200, approval(shown).model_dump())


def ask_again(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """POST /api/approvals/<id>/retry."""
    shown = site.approvals.retries.ask(person, request.params["id"])
    return as_json(200, approval(shown).model_dump())


def snooze(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """POST /api/approvals/<id>/snooze."""
    body = read(wire.NewSnooze, request.body)
    hold = site.notifications.settings.snooze(person, request.params["id"], body.minutes)
    return as_json(200, wire.snooze(hold).model_dump())


def wake(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """DELETE /api/approvals/<id>/snooze."""
    site.notifications.settings.wake(person, request.params["id"])
    return HttpResponse(204, headers=NO_STORE)


def _all(site: Site, person: Person) -> HttpResponse:
    return as_json(
        200, wire.attention(site.notifications.settings.get(person)).model_dump(by_alias=True)
    )
