"""Rows of apps and their secrets, and of unregistered apps' checks and uses."""

from typing import Any

from sqlalchemy import Row, bindparam, delete, func, or_, select

from server.model.clients import App, AppUse
from server.services.clients.app_members import APP_MEMBERS
from server.storage import codec
from server.storage.clients.names import Names
from server.storage.clients.secrets import ClientRows, SecretTable
from server.storage.clients.tables import app_secrets, apps
from server.storage.clients.tables import app_uses as u
from server.storage.prepared import RecordRows, RecordTable

_COLUMNS = ("id", "state", "created_at", "origin", "claimed_name")
"""The columns that the server sets, not callers."""
_ALL = select(apps).order_by(apps.c.name_key)
_BY_ID = select(apps).where(apps.c.id == bindparam("id"))
_BY_NAME = select(apps).where(apps.c.name_key == bindparam("key"))
_DELETE = delete(apps).where(apps.c.id == bindparam("app"))
"""Also deletes the app's secrets and uses, which refer to it."""


class Apps(ClientRows):
    """Apps in the database."""

    secrets = SecretTable(app_secrets, "app_id")

    def add(self, app: App) -> None:
        """Store a new app; raises `Taken` if the name is in use."""
        self._insert(apps, "client", _values(app))
        self.secrets.put(self._db, app.id, app.secrets)

    def replace(self, app: App) -> None:
        """Replace all members, including the secrets; raises `Taken` if the name is in use."""
        self._replace(apps, "client", _values(app))
        self.secrets.put(self._db, app.id, app.secrets)

    def delete(self, app_id: str) -> None:
        """Remove the app with its name and secrets."""
        Names(self._db).drop(app_id)
        self._db.execute(_DELETE, {"app": app_id})

    def all(self) -> list[App]:
        """Return every app, sorted by name."""
        return self._many(self._record, _ALL)

    def get(self, app_id: str) -> App | None:
        """Return the app with this client_id."""
        return self._one(self._record, _BY_ID, id=app_id)

    def by_name(self, name: str) -> App | None:
        """Return the app with this name, ignoring case."""
        return self._one(self._record, _BY_NAME, key=codec.key(name))

    def _record(self, row: Row[Any]) -> App:
        return App(
            secrets=self.secrets.secrets_of(self._db, row.id),
            **{name: getattr(row, name) for name in _COLUMNS},
            **codec.load_members(APP_MEMBERS, row),
        )


def _values(app: App) -> dict[str, object]:
    return {
        "name_key": codec.key(app.name),
        **{name: getattr(app, name) for name in _COLUMNS},
        **codec.member_values(APP_MEMBERS, app),
    }


_COUNT_UNUSED = select(func.count()).select_from(u).where(u.c.used_at.is_(None))


class AppUses(RecordRows[AppUse, str]):
    """Checks and uses in the database."""

    records = RecordTable(AppUse, u)

    def check(self, app_id: str, checked_at: int, fresh_until: int) -> None:
        """Record that the app's metadata document was fetched."""
        self._set(app_id, checked_at=checked_at, fresh_until=fresh_until)

    def use(self, app_id: str, now: int) -> None:
        """Record that the app received a token."""
        self._set(app_id, used_at=now)

    def count_unused(self) -> int:
        """Return how many apps never received a token."""
        return self._number(_COUNT_UNUSED)

    def unused(self, created_before: int, used_before: int) -> list[str]:
        """Return apps last used before `used_before`, or never used since `created_before`."""
        was_never_used = u.c.used_at.is_(None) & (u.c.created_at < created_before)
        unused = select(u.c.app_id).where(or_(u.c.used_at < used_before, was_never_used))
        return self._column(unused.order_by(u.c.app_id))
