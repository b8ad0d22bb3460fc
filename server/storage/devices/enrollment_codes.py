"""Rows of enrollment codes."""

from sqlalchemy import bindparam, insert, select, update

from server.model.devices import EnrollmentCode
from server.storage.devices.tables import enrollment_codes as codes
from server.storage.prepared import DatabaseRows, record_reader, row_writer

_ADD = insert(codes)
_GET = select(codes).where(codes.c.id == bindparam("code"))
_COUNT_MISS = (
    update(codes)
    .where(codes.c.id == bindparam("code"))
    .values(tries=codes.c.tries + 1)
    .returning(codes.c.tries)
)
_USE = (
    update(codes)
    .where(
        codes.c.id == bindparam("code"),
        codes.c.used_at.is_(None),
        codes.c.expires_at > bindparam("now"),
    )
    .values(used_at=bindparam("now"))
    .returning(codes.c.id)
)
_WITHDRAW = (
    update(codes)
    .where(
        codes.c.user_id == bindparam("user"),
        codes.c.used_at.is_(None),
        codes.c.expires_at > bindparam("now"),
    )
    .values(expires_at=bindparam("now"))
)
_record = record_reader(EnrollmentCode, codes)
_values = row_writer(codes)


class EnrollmentCodes(DatabaseRows):
    """Enrollment codes in the database."""

    def add(self, code: EnrollmentCode) -> None:
        """Store a new code."""
        self._db.execute(_ADD, _values(code))

    def get(self, code_id: str) -> EnrollmentCode | None:
        """Return the code with this public ID."""
        return self._one(_record, _GET, code=code_id)

    def count_miss(self, code_id: str) -> int:
        """Count a wrong secret; returns the number of wrong secrets so far."""
        attempts: int = self._db.execute(_COUNT_MISS, {"code": code_id}).scalars().all()[0]
        return attempts

    def use(self, code_id: str, now: int) -> bool:
        """Mark a code as used; returns False if it was used or has expired."""
        return self._any(_USE, code=code_id, now=now)

    def withdraw(self, user_id: str, now: int) -> None:
        """Expire the user's unused codes."""
        self._db.execute(_WITHDRAW, {"user": user_id, "now": now})
