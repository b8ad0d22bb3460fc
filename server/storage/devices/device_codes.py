"""Rows of device codes (RFC 8628)."""

from typing import Final

from sqlalchemy import bindparam, delete, insert, select, update

from server.model.devices import DeviceCode
from server.storage.devices.tables import device_codes as d
from server.storage.prepared import DatabaseRows, record_reader, row_writer

_ADD = insert(d)
_BY_DEVICE = select(d).where(d.c.device_code_hash == bindparam("hash"))
_BY_USER = select(d).where(d.c.user_code_hash == bindparam("hash"))
_USE = (
    update(d)
    .where(
        d.c.id == bindparam("code"), d.c.approval_id.is_(None), d.c.expires_at > bindparam("now")
    )
    .values(approval_id=bindparam("approval_id"))
    .returning(d.c.id)
)
_RECORD_POLL = (
    update(d)
    .where(d.c.id == bindparam("code"))
    .values(last_poll_at=bindparam("now"), interval_ms=bindparam("interval"))
)
_PRUNE = delete(d).where(d.c.expires_at <= bindparam("before")).returning(d.c.id)
_record = record_reader(DeviceCode, d)
_values = row_writer(d)
_KEPT_MS: Final = 60 * 60 * 1000
"""How long after expiry a poll gets `expired_token` instead of the error for unknown codes."""


class DeviceCodes(DatabaseRows):
    """Device codes in the database."""

    def add(self, code: DeviceCode) -> None:
        """Store a new device code; the table allows each code once."""
        self._db.execute(_ADD, _values(code))

    def by_device_code(self, device_code_hash: bytes) -> DeviceCode | None:
        """Return the row with this hash of the device code, which the device polls with."""
        return self._one(_record, _BY_DEVICE, hash=device_code_hash)

    def by_user_code(self, user_code_hash: bytes) -> DeviceCode | None:
        """Return the row with this keyed hash of the user code, which a person types."""
        return self._one(_record, _BY_USER, hash=user_code_hash)

    def use(self, code_id: str, approval_id: str, now: int) -> bool:
        """Store the approval that the code created; at most one call returns True."""
        return self._any(_USE, code=code_id, approval_id=approval_id, now=now)

    def record_poll(self, code_id: str, *, now: int, interval_ms: int) -> None:
        """Store the time of a poll and the new interval."""
        self._db.execute(_RECORD_POLL, {"code": code_id, "now": now, "interval": interval_ms})

    def prune(self, now: int) -> int:
        """Delete codes that expired at least an hour ago; returns the number of deleted codes."""
        return len(self._db.execute(_PRUNE, {"before": now - _KEPT_MS}).all())
