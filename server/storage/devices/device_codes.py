"""Rows of device codes (RFC 8628)."""

from sqlalchemy import bindparam, select

from server.model.devices import DeviceCode
from server.storage.devices.tables import device_codes as d
from server.storage.prepared import ExpiringRows, RecordRows, RecordTable

_BY_DEVICE = select(d).where(d.c.device_code_hash == bindparam("hash"))
_BY_USER = select(d).where(d.c.user_code_hash == bindparam("hash"))


class DeviceCodes(RecordRows[DeviceCode, str], ExpiringRows):
    """Device codes in the database."""

    records = RecordTable(DeviceCode, d)
    expires_at = d.c.expires_at
    kept_ms = 60 * 60 * 1000
    """Until then, a poll gets `expired_token` instead of the error for unknown codes."""

    def by_device_code(self, device_code_hash: bytes) -> DeviceCode | None:
        """Return the row with this hash of the device code, which the device polls with."""
        return self._find(_BY_DEVICE, hash=device_code_hash)

    def by_user_code(self, user_code_hash: bytes) -> DeviceCode | None:
        """Return the row with this keyed hash of the user code, which a person types."""
        return self._find(_BY_USER, hash=user_code_hash)

    def use(self, code_id: str, approval_id: str, now: int) -> bool:
        """Store the approval that the code created; at most one call returns True."""
        is_unused = d.c.approval_id.is_(None), d.c.expires_at > now
        return self._set(code_id, *is_unused, approval_id=approval_id)

    def record_poll(self, code_id: str, *, now: int, interval_ms: int) -> None:
        """Store the time of a poll and the new interval."""
        self._set(code_id, last_poll_at=now, interval_ms=interval_ms)
