"""Rows of apps and their secrets."""

from typing import Any

from sqlalchemy import Row, bindparam, delete, select

from server.model.clients import App
from server.services.clients.app_members import APP_MEMBERS
from server.storage import codec
from server.storage.clients.names import Names
from server.storage.clients.secrets import ClientRows, SecretTable
from server.storage.clients.tables import app_secrets, app_uses, apps

_COLUMNS = ("id", "state", "created_at", "origin", "claimed_name")
"""The columns that callers cannot set as members."""
_ALL = select(apps).order_by(apps.c.name_key)
_BY_ID = select(apps).where(apps.c.id == bindparam("id"))
_BY_NAME = select(apps).where(apps.c.name_key == bindparam("key"))
_DELETE = delete(apps).where(apps.c.id == bindparam("app"))
_DROP_USE = delete(app_uses).where(app_uses.c.app_id == bindparam("app"))


class Apps(ClientRows):
    """Apps in the database."""

    secrets = SecretTable(app_secrets, "app_id")

    def add(self, app: App) -> None:
        """Store a new app; raises `Taken` if the name is in use."""
        self._insert(apps, "client", _values(app))
        self.secrets.add(self._db, app.id, app.secrets)

    def replace(self, app: App) -> None:
        """Store all members, with the secrets; raises `Taken` if the name is in use."""
        self._replace(apps, "client", _values(app))
        self.secrets.drop(self._db, app.id)
        self.secrets.add(self._db, app.id, app.secrets)

    def delete(self, app_id: str) -> None:
        """Remove the app with its name and secrets."""
        Names(self._db).drop(app_id)
        self.secrets.drop(self._db, app_id)
        for statement in (_DROP_USE, _DELETE):
            self._db.execute(statement, {"app": app_id})

    def all(self) -> list[App]:
        """Return every app, by name."""
        return self._many(self._record, _ALL)

    def get(self, app_id: str) -> App | None:
        """Return the app with this client_id."""
        return self._one(self._record, _BY_ID, id=app_id)

    def called(self, name: str) -> App | None:
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
