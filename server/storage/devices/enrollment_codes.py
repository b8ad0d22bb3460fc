"""Rows of enrollment codes."""

from sqlalchemy import bindparam, insert, select, update

from server.model.devices import EnrollmentCode
from server.storage.devices.tables import enrollment_codes as codes
from server.storage.prepared import DatabaseRows, reading, writing

_ADD = insert(codes)
_GET = select(codes).where(codes.c.id == bindparam("code"))
_MISSED = (
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
_record = reading(EnrollmentCode, codes)
_values = writing(codes)


class EnrollmentCodes(DatabaseRows):
    """Enrollment codes in the database."""

    def add(self, code: EnrollmentCode) -> None:
        """Store a new code."""
        self._db.execute(_ADD, _values(code))

    def get(self, code_id: str) -> EnrollmentCode | None:
        """By its public ID."""
        return self._one(_record, _GET, code=code_id)

    def count_miss(self, code_id: str) -> int:
        """Count a wrong secret; returns how many there were."""
        attempts: int = self._db.execute(_MISSED, {"code": code_id}).scalars().all()[0]
        return attempts

    def use(self, code_id: str, now: int) -> bool:
        """Return whether this call used it up."""
        return self._any(_USE, code=code_id, now=now)

    def withdraw(self, user_id: str, now: int) -> None:
        """End the user's unused codes."""
        self._db.execute(_WITHDRAW, {"user": user_id, "now": now})
