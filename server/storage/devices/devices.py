"""Rows of devices."""

from sqlalchemy import bindparam, func, or_, select, tuple_

from server.model.devices import Device
from server.storage import codec
from server.storage.devices.tables import devices, sessions
from server.storage.prepared import RecordRows, RecordTable, matches

_SEEN_INTERVAL_MS = 60_000

_ALL = select(devices).order_by(devices.c.created_at, devices.c.id)
_BY_USER = _ALL.where(devices.c.user_id == bindparam("user"))
_LOCK_ACTIVE = (
    select(devices)
    .where(devices.c.id == bindparam("device"), devices.c.state == "active")
    .with_for_update(read=True)
)
_ACTIVE = (
    select(func.count())
    .select_from(devices.join(sessions, sessions.c.id == devices.c.session_id))
    .where(
        devices.c.user_id == bindparam("user"),
        devices.c.state == "active",
        sessions.c.revoked_at.is_(None),
        sessions.c.expires_at > bindparam("now"),
    )
)
"""A device with an expired session cannot vouch or decide, so it is ignored."""
_USED = (
    select(devices.c.id)
    .select_from(devices.outerjoin(sessions, sessions.c.id == devices.c.session_id))
    .where(
        devices.c.user_id == bindparam("user"),
        func.coalesce(devices.c.last_seen_at, devices.c.created_at) > bindparam("used_after"),
    )
    .limit(1)
)
_IN_USE = _USED.where(
    devices.c.state == "active",
    sessions.c.revoked_at.is_(None),
    devices.c.high_from <= bindparam("now"),
)
_PRESENT = _USED.where(
    or_(sessions.c.revoked_at.is_(None), sessions.c.revoked_at >= bindparam("not_before"))
)
"""A device is revoked when its session is revoked."""


class Devices(RecordRows[Device, str]):
    """Devices in the database."""

    records = RecordTable(Device, devices, keys=codec.load_map, kids=codec.load_map)

    def lock_active(self, device_id: str) -> Device | None:
        """Return the device if active. PostgreSQL blocks its revocation during the unit of work."""
        return self._find(_LOCK_ACTIVE, device=device_id)

    def of_user(self, user_id: str) -> list[Device]:
        """Return the user's devices, including revoked ones, oldest first."""
        return self._list(_BY_USER, user=user_id)

    def all(self) -> list[Device]:
        """Return all devices, oldest first."""
        return self._list(_ALL)

    def page(self, user_id: str | None, after: tuple[int, str], limit: int | None) -> list[Device]:
        """Return the next devices of one or all users, oldest first; None is no limit."""
        position = tuple_(devices.c.created_at, devices.c.id)
        statement = _ALL.where(position > after, *matches(devices, user_id=user_id)).limit(limit)
        return self._list(statement)

    def active_count(self, user_id: str, now: int) -> int:
        """Return the number of devices that the user can decide with."""
        return self._number(_ACTIVE, user=user_id, now=now)

    def had_recently(self, user_id: str, *, not_ended_before: int, used_after: int) -> bool:
        """Return whether the user has, or had, a device that was in use at these times."""
        return self._any(_PRESENT, user=user_id, not_before=not_ended_before, used_after=used_after)

    def in_use(self, user_id: str, *, now: int, used_after: int) -> bool:
        """Return whether the user has a recently used active device past its waiting time."""
        return self._any(_IN_USE, user=user_id, now=now, used_after=used_after)

    def mark_seen(self, device_id: str, now: int) -> None:
        """Record that the device was used, at most once a minute."""
        seen_at = devices.c.last_seen_at
        is_due = or_(seen_at.is_(None), seen_at < now - _SEEN_INTERVAL_MS)
        self._set(device_id, is_due, last_seen_at=now)

    def count_attempt(
        self, device_id: str, purpose: str | None, now: int, *, max_attempts: int, max_calls: int
    ) -> Device | None:
        """Count a PIN call; None if a limit was already reached."""
        d = devices.c
        counted = self.records.update(
            device_id,
            d.pin_tries < max_attempts,
            d.pin_unconfirmed < max_calls,
            pin_tries=d.pin_tries + 1,
            pin_calls=d.pin_calls + 1,
            pin_unconfirmed=d.pin_unconfirmed + 1,
            pin_for=purpose,
            pin_for_at=now,
        )
        return self._find(counted.returning(devices))

    def confirm(self, device_id: str, *, entered: bool) -> None:
        """Reset the PIN attempts after a valid signature by the high-risk key or passkey.

        If the PIN was entered for it, the PIN call is no longer counted as unconfirmed. Earlier
        wrong attempts stay counted.
        """
        unconfirmed = devices.c.pin_unconfirmed - int(entered)
        self._set(device_id, devices.c.pin_tries > 0, pin_tries=0, pin_unconfirmed=unconfirmed)

    def unlock(self, device_id: str) -> None:
        """Reset the PIN attempts; unconfirmed calls are still counted."""
        self._set(device_id, pin_tries=0, statements=devices.c.statements + 1)

    def vouch(self, device_id: str, now: int) -> None:
        """Let the device approve high-risk requests from now on."""
        self._set(device_id, high_from=now, statements=devices.c.statements + 1)

    def mark_alarmed(self, device_id: str, now: int) -> None:
        """Record that a copy of the device's passkey may be in use."""
        self._set(device_id, alarmed_at=now)

    def rename(self, device_id: str, name: str) -> None:
        """Change the device's name."""
        self._set(device_id, name=name)

    def count_statement(self, device_id: str, seen: int) -> bool:
        """Count a statement; return whether it is the first one with this nonce."""
        return self._set(device_id, devices.c.statements == seen, statements=seen + 1)

    def revoke(self, device_id: str) -> bool:
        """Revoke a device; return False if it was already revoked."""
        return self._set(device_id, devices.c.state == "active", state="revoked")

    def enable(self, device_id: str, high_from: int) -> None:
        """Enable a device disabled by a restore; high-risk approvals start at `high_from`."""
        self._set(device_id, devices.c.state == "revoked", state="active", high_from=high_from)
