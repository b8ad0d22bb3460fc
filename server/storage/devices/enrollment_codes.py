"""Rows of enrollment codes."""

from sqlalchemy import ColumnElement, update

from server.model.devices import EnrollmentCode
from server.storage.devices.tables import enrollment_codes as codes
from server.storage.prepared import RecordRows, RecordTable


class EnrollmentCodes(RecordRows[EnrollmentCode, str]):
    """Enrollment codes in the database."""

    records = RecordTable(EnrollmentCode, codes)

    def count_miss(self, code_id: str) -> int:
        """Count a wrong secret; return the number of wrong secrets so far."""
        counted = self.records.update(code_id, tries=codes.c.tries + 1).returning(codes.c.tries)
        return self._number(counted)

    def use(self, code_id: str, now: int) -> bool:
        """Mark a code as used; return False if it was used or has expired."""
        return self._set(code_id, *_is_usable(now), used_at=now)

    def withdraw(self, user_id: str, now: int) -> None:
        """Expire the user's unused codes."""
        usable = update(codes).where(codes.c.user_id == user_id, *_is_usable(now))
        self._db.execute(usable.values(expires_at=now))


def _is_usable(now: int) -> tuple[ColumnElement[bool], ...]:
    return codes.c.used_at.is_(None), codes.c.expires_at > now
