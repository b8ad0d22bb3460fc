"""Rows of unregistered apps' checks and uses."""

from sqlalchemy import bindparam, func, insert, or_, select, update

from server.model.clients import AppUse
from server.storage.clients.tables import app_uses as u
from server.storage.prepared import DatabaseRows, record_reader, row_writer

_record, _values = record_reader(AppUse, u), row_writer(u)
_ADD = insert(u)
_GET = select(u).where(u.c.app_id == bindparam("app"))
_CHECK = (
    update(u)
    .where(u.c.app_id == bindparam("app"))
    .values(checked_at=bindparam("checked"), fresh_until=bindparam("fresh"))
)
_USE = update(u).where(u.c.app_id == bindparam("app")).values(used_at=bindparam("now"))
_COUNT = select(func.count()).select_from(u).where(u.c.used_at.is_(None))
_UNUSED = (
    select(u.c.app_id)
    .where(
        or_(
            u.c.used_at < bindparam("used"),
            u.c.used_at.is_(None) & (u.c.created_at < bindparam("created")),
        )
    )
    .order_by(u.c.app_id)
)


class AppUses(DatabaseRows):
    """Checks and uses in the database."""

    def add(self, use: AppUse) -> None:
        """Store the first check of a new app."""
        self._db.execute(_ADD, _values(use))

    def get(self, app_id: str) -> AppUse | None:
        """Return the checks and uses of the app with this client_id."""
        return self._one(_record, _GET, app=app_id)

    def check(self, app_id: str, checked_at: int, fresh_until: int) -> None:
        """Record that the app's metadata document was fetched."""
        values = {"app": app_id, "checked": checked_at, "fresh": fresh_until}
        self._db.execute(_CHECK, values)

    def use(self, app_id: str, now: int) -> None:
        """Record that the app received a token."""
        self._db.execute(_USE, {"app": app_id, "now": now})

    def count_unused(self) -> int:
        """Return how many apps never received a token."""
        return int(self._db.execute(_COUNT).scalar_one())

    def unused(self, created_before: int, used_before: int) -> list[str]:
        """Return the IDs of apps without a token: never in time, or not since `used_before`."""
        values = {"created": created_before, "used": used_before}
        return list(self._db.execute(_UNUSED, values).scalars())
