"""The endpoints for a person's own notification settings."""

from server.http.approvals.approval_wire import Approval, approval
from server.http.notifications import attention_wire as wire
from server.http.route import own
from server.http.site import Site
from server.services.users.device_auth import Person


@own("GET /api/attention")
def show_attention(site: Site, person: Person) -> wire.Attention:
    """Get your quiet hours, muted agents and held requests."""
    return _all_settings(site, person)


@own("PUT /api/attention/quiet-hours", errors=(422,))
def set_quiet_hours(site: Site, person: Person, body: wire.QuietHours) -> wire.Attention:
    """Set quiet hours for low and medium risk."""
    site.notifications.settings.set_hours(person, body.record())
    return _all_settings(site, person)


@own("DELETE /api/attention/quiet-hours")
def clear_quiet_hours(site: Site, person: Person) -> None:
    """Remove quiet hours."""
    site.notifications.settings.clear_hours(person)


@own("POST /api/attention/mutes", errors=(404, 422))
def mute(site: Site, person: Person, body: wire.NewMute) -> wire.Mute:
    """Mute an agent at low and medium risk."""
    muted = site.notifications.settings.mute(person, body.agent, body.minutes)
    return wire.mute(muted)


@own("DELETE /api/attention/mutes/<id>", errors=(404,))
def unmute(site: Site, person: Person, record_id: str) -> None:
    """Unmute an agent."""
    site.notifications.settings.unmute(person, record_id)


@own("POST /api/approvals/<id>/extension", errors=(404, 409))
def extend(site: Site, person: Person, record_id: str) -> Approval:
    """Extend a request."""
    approver_view = site.approvals.extensions.extend(person, record_id)
    return approval(approver_view)


@own("POST /api/approvals/<id>/retry", errors=(404, 409))
def ask_again(site: Site, person: Person, record_id: str) -> Approval:
    """Ask the agent of an expired request to retry."""
    approver_view = site.approvals.retries.ask(person, record_id)
    return approval(approver_view)


@own("POST /api/approvals/<id>/snooze", errors=(404, 409, 422), browsers=False)
def snooze(site: Site, person: Person, record_id: str, body: wire.NewSnooze) -> wire.Snooze:
    """Snooze a request."""
    hold = site.notifications.settings.snooze(person, record_id, body.minutes)
    return wire.snooze(hold)


@own("DELETE /api/approvals/<id>/snooze", errors=(404,), browsers=False)
def wake(site: Site, person: Person, record_id: str) -> None:
    """End the snooze of a request."""
    site.notifications.settings.wake(person, record_id)


def _all_settings(site: Site, person: Person) -> wire.Attention:
    return wire.attention(site.notifications.settings.get(person))
