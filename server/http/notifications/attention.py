"""The endpoints for a person's own notification settings."""

from datetime import time
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from server.http.approvals.approval_wire import Approval, approval
from server.http.route import own
from server.http.site import Site
from server.http.wire import RecordResponse, Reference, StrictBody, Time
from server.model.notifications import Hold, Why
from server.model.policy import Hours as HoursRecord
from server.model.policy_rules import DAYS
from server.protocol.times import rfc3339_or_none
from server.services.notifications.notification_settings import MutedAgent
from server.services.users.device_auth import Person

_HOUR = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
_END = r"^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$"
_MONTH = 31 * 24 * 60

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class QuietHours(StrictBody):
    """Quiet hours on some days in a time zone. They span midnight if `to` is before `from`.

    If both are equal, they last 24 hours.
    """

    model_config = ConfigDict(populate_by_name=True)

    days: list[Day] = Field(default=list(DAYS), min_length=1, max_length=7)
    begins: str = Field(alias="from", pattern=_HOUR)
    ends: str = Field(alias="to", pattern=_END)
    zone: str = Field(min_length=1, max_length=64)

    def record(self) -> HoursRecord:
        """The quiet hours as a record."""
        days = tuple(sorted({DAYS.index(day) for day in self.days}))
        return HoursRecord(_time(self.begins), _time(self.ends), days, self.zone)


class NewMute(StrictBody):
    """The agent to mute, by name or ID, and for how long. Without `minutes`, it stays muted."""

    agent: str = Field(min_length=1, max_length=128)
    minutes: int | None = Field(default=None, ge=1, le=_MONTH)


class NewSnooze(StrictBody):
    """The number of minutes to snooze the request."""

    minutes: int = Field(ge=1, le=_MONTH)


class Mute(RecordResponse):
    """A muted agent."""

    agent: Reference
    since: Time
    until: Time | None


class Snooze(RecordResponse):
    """A snoozed request, and when the snooze ends."""

    approval: str
    until: Time
    why: Why


class Attention(BaseModel):
    """The notification settings of a person."""

    quiet_hours: QuietHours | None
    quiet_until: str | None
    mutes: list[Mute]
    held: list[Snooze]


def _attention(site: Site, person: Person) -> Attention:
    """The person's notification settings as JSON."""
    settings = site.notifications.settings.get(person)
    return Attention(
        quiet_hours=None if settings.hours is None else _hours(settings.hours),
        quiet_until=rfc3339_or_none(settings.quiet_until),
        mutes=[_mute(muted) for muted in settings.muted],
        held=[_snooze(hold) for hold in settings.holds],
    )


def _mute(muted: MutedAgent) -> Mute:
    """A mute as JSON."""
    agent = Reference(id=muted.mute.agent_id, name=muted.agent_name)
    return Mute.of(muted.mute, agent=agent)


def _snooze(hold: Hold) -> Snooze:
    """A hold as JSON."""
    return Snooze.of(hold, approval=hold.approval_id)


def _time(text: str) -> time:
    return time() if text == "24:00" else time.fromisoformat(text)


def _hours(record: HoursRecord) -> QuietHours:
    return QuietHours.model_validate(
        {
            "days": [DAYS[day] for day in record.days],
            "from": record.begins.isoformat("minutes"),
            "to": "24:00" if record.ends == time() else record.ends.isoformat("minutes"),
            "zone": record.zone,
        }
    )


@own("GET /api/attention")
def show_attention(site: Site, person: Person) -> Attention:
    """Get your quiet hours, muted agents and held requests."""
    return _attention(site, person)


@own("PUT /api/attention/quiet-hours", errors=(422,))
def set_quiet_hours(site: Site, person: Person, body: QuietHours) -> Attention:
    """Set quiet hours for low and medium risk."""
    site.notifications.settings.set_hours(person, body.record())
    return _attention(site, person)


@own("DELETE /api/attention/quiet-hours")
def clear_quiet_hours(site: Site, person: Person) -> None:
    """Remove quiet hours."""
    site.notifications.settings.clear_hours(person)


@own("POST /api/attention/mutes", errors=(404, 422))
def mute(site: Site, person: Person, body: NewMute) -> Mute:
    """Mute an agent at low and medium risk."""
    return _mute(site.notifications.settings.mute(person, body.agent, body.minutes))


@own("DELETE /api/attention/mutes/<id>", errors=(404,))
def unmute(site: Site, person: Person, record_id: str) -> None:
    """Unmute an agent."""
    site.notifications.settings.unmute(person, record_id)


@own("POST /api/approvals/<id>/extension", errors=(404, 409))
def extend(site: Site, person: Person, record_id: str) -> Approval:
    """Extend a request."""
    return approval(site.approvals.extensions.extend(person, record_id))


@own("POST /api/approvals/<id>/retry", errors=(404, 409))
def ask_again(site: Site, person: Person, record_id: str) -> Approval:
    """Ask the agent of an expired request to retry."""
    return approval(site.approvals.retries.ask(person, record_id))


@own("POST /api/approvals/<id>/snooze", errors=(404, 409, 422), browsers=False)
def snooze(site: Site, person: Person, record_id: str, body: NewSnooze) -> Snooze:
    """Snooze a request."""
    return _snooze(site.notifications.settings.snooze(person, record_id, body.minutes))


@own("DELETE /api/approvals/<id>/snooze", errors=(404,), browsers=False)
def wake(site: Site, person: Person, record_id: str) -> None:
    """End the snooze of a request."""
    site.notifications.settings.wake(person, record_id)
