"""Rows of devices."""

from sqlalchemy import bindparam, func, insert, or_, select, tuple_, update

from server.model.devices import Device
from server.storage import codec
from server.storage.devices.tables import devices, sessions
from server.storage.prepared import DatabaseRows, record_reader, row_writer

_SEEN_INTERVAL_MS = 60_000

_ADD = insert(devices)
_GET = select(devices).where(devices.c.id == bindparam("device"))
_ALL = select(devices).order_by(devices.c.created_at, devices.c.id)
_BY_USER = _ALL.where(devices.c.user_id == bindparam("user"))
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
_SEEN = (
    update(devices)
    .where(
        devices.c.id == bindparam("device"),
        or_(devices.c.last_seen_at.is_(None), devices.c.last_seen_at < bindparam("before")),
    )
    .values(last_seen_at=bindparam("now"))
)
_COUNT_ATTEMPT = (
    update(devices)
    .where(
        devices.c.id == bindparam("device"),
        devices.c.pin_tries < bindparam("max_attempts"),
        devices.c.pin_unconfirmed < bindparam("max_calls"),
    )
    .values(
        pin_tries=devices.c.pin_tries + 1,
        pin_calls=devices.c.pin_calls + 1,
        pin_unconfirmed=devices.c.pin_unconfirmed + 1,
        pin_for=bindparam("purpose"),
        pin_for_at=bindparam("now"),
    )
    .returning(devices)
)
_CONFIRM = (
    update(devices)
    .where(devices.c.id == bindparam("device"), devices.c.pin_tries > 0)
    .values(pin_tries=0)
)
_CONFIRM_CALL = _CONFIRM.values(pin_unconfirmed=devices.c.pin_unconfirmed - 1)
"""Subtract the confirmed call from the unconfirmed ones; earlier wrong attempts stay counted."""
_UNLOCK = (
    update(devices)
    .where(devices.c.id == bindparam("device"))
    .values(pin_tries=0, statements=devices.c.statements + 1)
)
_VOUCH = (
    update(devices)
    .where(devices.c.id == bindparam("device"))
    .values(high_from=bindparam("now"), statements=devices.c.statements + 1)
)
_MARK_ALARMED = (
    update(devices).where(devices.c.id == bindparam("device")).values(alarmed_at=bindparam("now"))
)
_RENAME = update(devices).where(devices.c.id == bindparam("device")).values(name=bindparam("name"))
_COUNT_STATEMENT = (
    update(devices)
    .where(devices.c.id == bindparam("device"), devices.c.statements == bindparam("seen"))
    .values(statements=devices.c.statements + 1)
    .returning(devices.c.id)
)
_REVOKE = (
    update(devices)
    .where(devices.c.id == bindparam("device"), devices.c.state == "active")
    .values(state="revoked")
    .returning(devices.c.id)
)
_ENABLE = (
    update(devices)
    .where(devices.c.id == bindparam("device"), devices.c.state == "revoked")
    .values(state="active", high_from=bindparam("high_from"))
)
_record = record_reader(Device, devices, keys=codec.load_map, kids=codec.string_map)
_values = row_writer(devices, keys=codec.dump, kids=codec.dump)


class Devices(DatabaseRows):
    """Devices in the database."""

    def add(self, device: Device) -> None:
        """Store a new device."""
        self._db.execute(_ADD, _values(device))

    def get(self, device_id: str) -> Device | None:
        """Return the device with this id."""
        return self._one(_record, _GET, device=device_id)

    def of_user(self, user_id: str) -> list[Device]:
        """Return the user's devices, including revoked ones, oldest first."""
        return self._many(_record, _BY_USER, user=user_id)

    def all(self) -> list[Device]:
        """Return all devices, oldest first."""
        return self._many(_record, _ALL)

    def page(self, user_id: str | None, after: tuple[int, str], limit: int | None) -> list[Device]:
        """Return the next devices of one or all users, oldest first; None is no limit."""
        position = tuple_(devices.c.created_at, devices.c.id)
        statement = _ALL.where(position > after).limit(limit)
        if user_id is not None:
            statement = statement.where(devices.c.user_id == user_id)
        return self._many(_record, statement)

    def active_count(self, user_id: str, now: int) -> int:
        """Return the number of devices that the user can decide with."""
        values = {"user": user_id, "now": now}
        return int(self._db.execute(_ACTIVE, values).scalar_one())

    def had_recently(self, user_id: str, *, not_ended_before: int, used_after: int) -> bool:
        """Return whether the user has, or had, a device that was in use at these times."""
        return self._any(_PRESENT, user=user_id, not_before=not_ended_before, used_after=used_after)

    def in_use(self, user_id: str, *, now: int, used_after: int) -> bool:
        """Return whether the user has an active device, past its waiting time, used recently."""
        return self._any(_IN_USE, user=user_id, now=now, used_after=used_after)

    def mark_seen(self, device_id: str, now: int) -> None:
        """Record that the device was used, at most once a minute."""
        values = {"device": device_id, "now": now, "before": now - _SEEN_INTERVAL_MS}
        self._db.execute(_SEEN, values)

    def count_attempt(
        self, device_id: str, purpose: str | None, now: int, *, max_attempts: int, max_calls: int
    ) -> Device | None:
        """Count a PIN call; None if a limit was already reached."""
        return self._one(
            _record,
            _COUNT_ATTEMPT,
            device=device_id,
            purpose=purpose,
            now=now,
            max_attempts=max_attempts,
            max_calls=max_calls,
        )

    def confirm(self, device_id: str, *, entered: bool) -> None:
        """Reset the PIN attempts after a valid signature by the high-risk key or passkey.

        If the PIN was entered for it, the PIN call is no longer counted as unconfirmed.
        """
        self._db.execute(_CONFIRM_CALL if entered else _CONFIRM, {"device": device_id})

    def unlock(self, device_id: str) -> None:
        """Reset the PIN attempts; unconfirmed calls are still counted."""
        self._db.execute(_UNLOCK, {"device": device_id})

    def vouch(self, device_id: str, now: int) -> None:
        """Let the device approve high-risk requests from now on."""
        self._db.execute(_VOUCH, {"device": device_id, "now": now})

    def mark_alarmed(self, device_id: str, now: int) -> None:
        """Record that a copy of the device's passkey may be in use."""
        self._db.execute(_MARK_ALARMED, {"device": device_id, "now": now})

    def rename(self, device_id: str, name: str) -> None:
        """Change the device's name."""
        self._db.execute(_RENAME, {"device": device_id, "name": name})

    def count_statement(self, device_id: str, seen: int) -> bool:
        """Count a statement; returns whether it is the first one with this nonce."""
        return self._any(_COUNT_STATEMENT, device=device_id, seen=seen)

    def revoke(self, device_id: str) -> bool:
        """Revoke a device; returns False if it was already revoked."""
        return self._any(_REVOKE, device=device_id)

    def enable(self, device_id: str, high_from: int) -> None:
        """Enable a device disabled by a restore; high-risk approvals start at `high_from`."""
        self._db.execute(_ENABLE, {"device": device_id, "high_from": high_from})
