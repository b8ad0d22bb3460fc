"""The JSON of a person's own notification settings."""

from datetime import time
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from server.http.wire import Reference, StrictBody
from server.model.notifications import Hold, Why
from server.model.policy import Hours as HoursRecord
from server.model.policy_rules import DAYS
from server.services.notifications.notification_settings import MutedAgent, NotificationSettings
from server.services.policy.displays import moment, rfc3339

_HOUR = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
_END = r"^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$"
_MONTH = 31 * 24 * 60

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class QuietHours(StrictBody):
    """Quiet hours on some days in a time zone. They span midnight if `to` is not after `from`."""

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


class Mute(BaseModel):
    """A muted agent."""

    agent: Reference
    since: str
    until: str | None


class Snooze(BaseModel):
    """A snoozed request, and when the snooze ends."""

    approval: str
    until: str
    why: Why


class Attention(BaseModel):
    """The notification settings of a person."""

    quiet_hours: QuietHours | None
    quiet_until: str | None
    mutes: list[Mute]
    held: list[Snooze]


def attention(settings: NotificationSettings) -> Attention:
    """Notification settings as JSON."""
    return Attention(
        quiet_hours=None if settings.hours is None else _hours(settings.hours),
        quiet_until=moment(settings.quiet_until),
        mutes=[mute(muted) for muted in settings.muted],
        held=[snooze(hold) for hold in settings.holds],
    )


def mute(muted: MutedAgent) -> Mute:
    """A mute as JSON."""
    record = muted.mute
    return Mute(
        agent=Reference(id=record.agent_id, name=muted.agent_name),
        since=rfc3339(record.since),
        until=moment(record.until),
    )


def snooze(hold: Hold) -> Snooze:
    """A hold as JSON."""
    return Snooze(approval=hold.approval_id, until=rfc3339(hold.until), why=hold.why)


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
