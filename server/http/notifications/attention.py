"""The endpoints for a person's own notification settings."""

from typing import Final

from server.http.approvals.approval_wire import Approval, approval
from server.http.notifications import attention_wire as wire
from server.http.route import HttpRequest, own
from server.http.site import Site
from server.services.users.device_auth import Person


def shown(site: Site, _request: HttpRequest, person: Person) -> wire.Attention:
    """GET /api/attention."""
    return _all(site, person)


def set_quiet_hours(
    site: Site, _request: HttpRequest, person: Person, body: wire.QuietHours
) -> wire.Attention:
    """PUT /api/attention/quiet-hours."""
    site.notifications.settings.set_hours(person, body.record())
    return _all(site, person)


def clear_quiet_hours(site: Site, _request: HttpRequest, person: Person) -> None:
    """DELETE /api/attention/quiet-hours."""
    site.notifications.settings.clear_hours(person)


def mute(site: Site, _request: HttpRequest, person: Person, body: wire.NewMute) -> wire.Mute:
    """POST /api/attention/mutes."""
    muted = site.notifications.settings.mute(person, body.agent, body.minutes)
    return wire.mute(muted)


def unmute(site: Site, request: HttpRequest, person: Person) -> None:
    """DELETE /api/attention/mutes/<id>."""
    site.notifications.settings.unmute(person, request.params["id"])


def extend(site: Site, request: HttpRequest, person: Person) -> Approval:
    """POST /api/approvals/<id>/extension."""
    shown = site.approvals.extensions.extend(person, request.params["id"])
    return approval(shown)


def ask_again(site: Site, request: HttpRequest, person: Person) -> Approval:
    """POST /api/approvals/<id>/retry."""
    shown = site.approvals.retries.ask(person, request.params["id"])
    return approval(shown)


def snooze(site: Site, request: HttpRequest, person: Person, body: wire.NewSnooze) -> wire.Snooze:
    """POST /api/approvals/<id>/snooze."""
    hold = site.notifications.settings.snooze(person, request.params["id"], body.minutes)
    return wire.snooze(hold)


def wake(site: Site, request: HttpRequest, person: Person) -> None:
    """DELETE /api/approvals/<id>/snooze."""
    site.notifications.settings.wake(person, request.params["id"])


def _all(site: Site, person: Person) -> wire.Attention:
    return wire.attention(site.notifications.settings.get(person))


ATTENTION_ROUTES: Final = (
    own(
        "GET /api/attention",
        shown,
        "Get your quiet hours, muted agents and held requests.",
    ),
    own(
        "PUT /api/attention/quiet-hours",
        set_quiet_hours,
        "Set quiet hours for low and medium risk.",
        errors=(422,),
    ),
    own("DELETE /api/attention/quiet-hours", clear_quiet_hours, "Remove quiet hours."),
    own(
        "POST /api/attention/mutes",
        mute,
        "Mute an agent at low and medium risk.",
        errors=(404, 422),
    ),
    own("DELETE /api/attention/mutes/<id>", unmute, "Unmute an agent.", errors=(404,)),
    own(
        "POST /api/approvals/<id>/extension",
        extend,
        "Extend a request.",
        errors=(404, 409),
    ),
    own(
        "POST /api/approvals/<id>/retry",
        ask_again,
        "Ask the agent of an expired request to retry.",
        errors=(404, 409),
    ),
    own(
        "POST /api/approvals/<id>/snooze",
        snooze,
        "Snooze a request.",
        errors=(404, 409, 422),
        browsers=False,
    ),
    own(
        "DELETE /api/approvals/<id>/snooze",
        wake,
        "End the snooze of a request.",
        errors=(404,),
        browsers=False,
    ),
)
