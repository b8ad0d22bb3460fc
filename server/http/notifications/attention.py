"""The endpoints for a person's own notification settings."""

from server.http.approvals.approval_wire import Approval, approval
from server.http.notifications import attention_wire as wire
from server.http.route import HttpRequest
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
