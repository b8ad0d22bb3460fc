"""A user's notification settings on the server.

Owns: paths, bodies, reading the answers. Never: what the settings mean.
"""

from dataclasses import dataclass
from urllib.parse import quote

from approver_tui.client.api import Client
from approver_tui.client.reading import JsonObject, read_as, read_each
from approver_tui.state.notifications.preferences import (
    HeldRequest,
    Mute,
    NotificationPrefs,
    QuietHours,
)

_PATH = "/api/attention"
DEFAULT_SNOOZE_MINUTES = 15
"""The default length of a snooze, in minutes."""


@dataclass(frozen=True, slots=True)
class NotificationPrefsClient:
    """The calls of one client."""

    client: Client

    def settings(self) -> NotificationPrefs:
        """Return the settings."""
        return _read(self.client.session.get(_PATH))

    def set_quiet_hours(
        self, begins: str, ends: str, zone: str, days: tuple[str, ...] = ()
    ) -> NotificationPrefs:
        """Set quiet hours: no notifications for low and medium risk. No days means every day."""
        body: dict[str, object] = {"from": begins, "to": ends, "zone": zone}
        body |= {"days": list(days)} if days else {}
        return _read(self.client.session.send_json("PUT", f"{_PATH}/quiet-hours", body))

    def clear_quiet_hours(self) -> None:
        """Clear the quiet hours."""
        self.client.session.delete(f"{_PATH}/quiet-hours")

    def mute(self, agent: str, minutes: int | None = None) -> Mute:
        """Mute an agent for some minutes, or until it is unmuted."""
        body = {"agent": agent} | ({} if minutes is None else {"minutes": minutes})
        return _read_mute(self.client.session.post(f"{_PATH}/mutes", body))

    def unmute(self, agent: str) -> None:
        """Unmute an agent: the muted one of that name, or the one with that ID."""
        mutes = self.settings().mutes
        ids = (muted.agent_id for muted in mutes if muted.agent_name == agent)
        self.client.session.delete(f"{_PATH}/mutes/{quote(next(ids, agent), safe='')}")

    def snooze(self, approval_id: str, minutes: int = DEFAULT_SNOOZE_MINUTES) -> HeldRequest:
        """Snooze a request for some minutes."""
        answer = self.client.session.post(_snooze_path(approval_id), {"minutes": minutes})
        return read_as(HeldRequest, answer)

    def unsnooze(self, approval_id: str) -> None:
        """End the snooze of a request."""
        self.client.session.delete(_snooze_path(approval_id))


def _snooze_path(approval_id: str) -> str:
    return f"/api/approvals/{quote(approval_id, safe='')}/snooze"


def _read(members: JsonObject) -> NotificationPrefs:
    return read_as(
        NotificationPrefs,
        members,
        quiet_hours=members.read_child("quiet_hours", _read_hours),
        mutes=tuple(map(_read_mute, members.children("mutes"))),
        holds=read_each(HeldRequest, members, "held"),
    )


def _read_hours(members: JsonObject) -> QuietHours:
    days = members.safe_texts("days", max_len=9)
    begins, ends = members.safe("from"), members.safe("to")
    return read_as(QuietHours, members, days=days, begins=begins, ends=ends)


def _read_mute(members: JsonObject) -> Mute:
    return read_as(Mute, members, **members.id_and_name("agent"))
