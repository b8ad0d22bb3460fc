"""A user's notification settings on the server.

Owns: paths, bodies, reading the answers. Never: what the settings mean.
"""

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


def settings(client: Client) -> NotificationPrefs:
    """Return the settings."""
    return _read(client.session.get(_PATH))


def set_quiet_hours(
    client: Client, *, begins: str, ends: str, zone: str, days: tuple[str, ...]
) -> NotificationPrefs:
    """Set quiet hours: no notifications for low and medium risk during them."""
    body: dict[str, object] = {"from": begins, "to": ends, "zone": zone}
    body |= {"days": list(days)} if days else {}
    return _read(client.session.send_json("PUT", f"{_PATH}/quiet-hours", body))


def clear_quiet_hours(client: Client) -> None:
    """Clear the quiet hours."""
    client.session.delete(f"{_PATH}/quiet-hours")


def mute(client: Client, agent: str, minutes: int | None) -> Mute:
    """Mute an agent for some minutes, or until it is unmuted."""
    body = {"agent": agent} | ({} if minutes is None else {"minutes": minutes})
    return _read_mute(client.session.post(f"{_PATH}/mutes", body))


def unmute(client: Client, agent: str) -> None:
    """Unmute an agent."""
    client.session.delete(f"{_PATH}/mutes/{_find_agent_id(client, agent)}")


def snooze(client: Client, approval_id: str, minutes: int) -> HeldRequest:
    """Snooze a request for some minutes."""
    return read_as(
        HeldRequest, client.session.post(_snooze_path(approval_id), {"minutes": minutes})
    )


def unsnooze(client: Client, approval_id: str) -> None:
    """End the snooze of a request."""
    client.session.delete(_snooze_path(approval_id))


class NotificationPrefsClient:
    """A user's notification settings. Each call may block and returns all settings."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def settings(self) -> NotificationPrefs:
        """Return the settings."""
        return settings(self._client)

    def snooze(self, approval_id: str) -> NotificationPrefs:
        """Snooze a request for 15 minutes."""
        snooze(self._client, approval_id, DEFAULT_SNOOZE_MINUTES)
        return self.settings()

    def unsnooze(self, approval_id: str) -> NotificationPrefs:
        """End the snooze of a request."""
        unsnooze(self._client, approval_id)
        return self.settings()

    def mute(self, agent_id: str) -> NotificationPrefs:
        """Mute an agent until it is unmuted."""
        mute(self._client, agent_id, None)
        return self.settings()

    def unmute(self, agent_id: str) -> NotificationPrefs:
        """Unmute an agent."""
        unmute(self._client, agent_id)
        return self.settings()

    def set_quiet_hours(
        self, begins: str, ends: str, zone: str, days: tuple[str, ...] = ()
    ) -> NotificationPrefs:
        """Set quiet hours; without `days` they apply every day."""
        return set_quiet_hours(self._client, begins=begins, ends=ends, zone=zone, days=days)

    def clear_quiet_hours(self) -> NotificationPrefs:
        """Clear the quiet hours."""
        clear_quiet_hours(self._client)
        return self.settings()


def _snooze_path(approval_id: str) -> str:
    return f"/api/approvals/{quote(approval_id, safe='')}/snooze"


def _find_agent_id(client: Client, agent: str) -> str:
    """Return the ID of a muted agent; any other text is sent to the server as typed."""
    mutes = settings(client).mutes
    return quote(
        next((muted.agent_id for muted in mutes if muted.agent_name == agent), agent), safe=""
    )


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
