"""Rows of apps and their secrets."""

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.engine import RowMapping
from sqlalchemy.exc import IntegrityError

from server.model.clients import App
from server.model.store import Taken
from server.services.clients.app_members import APP_MEMBERS
from server.storage import codec
from server.storage.account_tables import app_secrets, app_uses, apps
from server.storage.clients.names import Names, kept_key
from server.storage.clients.secrets import ClientRows, SecretTable

_ADD = insert(apps)
_ALL = select(apps).order_by(apps.c.name_key)
_BY_ID = select(apps).where(apps.c.id == bindparam("id"))
_BY_NAME = select(apps).where(apps.c.name_key == bindparam("key"))
_REPLACE = (
    update(apps)
    .where(apps.c.id == bindparam("app"))
    .values(
        {
            column.name: bindparam(column.name)
            for column in apps.c
            if column.name not in {"id", "created_at"}
        }
    )
)
_DELETE = delete(apps).where(apps.c.id == bindparam("app"))
_DROP_USE = delete(app_uses).where(app_uses.c.app_id == bindparam("app"))


class Apps(ClientRows):
    """Apps in the database."""

    secrets = SecretTable(app_secrets, "app_id")

    def add(self, app: App) -> None:
        """Raises `Taken` if the name is used."""
        try:
            self._db.execute(_ADD, _values(app))
        except IntegrityError as error:
            raise Taken(app.name) from error
        Names(self._db).give("client", app.id, app.name)
        self.secrets.add(self._db, app.id, app.secrets)

    def replace(self, app: App) -> None:
        """Write every member, secrets included; raises `Taken` for a used name."""
        key = kept_key(self._db, apps, app.id, app.name)
        values = _values(app) | {"app": app.id}
        values["name_key"] = key or values["name_key"]
        del values["id"], values["created_at"]
        try:
            self._db.execute(_REPLACE, values)
        except IntegrityError as error:
            raise Taken(app.name) from error
        names = Names(self._db)
        (names.keep if key else names.give)("client", app.id, app.name)
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
        return [self._record(row) for row in self._db.execute(_ALL).mappings().all()]

    def get(self, app_id: str) -> App | None:
        """By client_id."""
        row = self._db.execute(_BY_ID, {"id": app_id}).mappings().first()
        return None if row is None else self._record(row)

    def called(self, name: str) -> App | None:
        """By name, without regard to case."""
        row = self._db.execute(_BY_NAME, {"key": codec.key(name)}).mappings().first()
        return None if row is None else self._record(row)

    def _record(self, m: RowMapping) -> App:
        return App(
            id=m["id"],
            secrets=self.secrets.of(self._db, m["id"]),
            state=m["state"],
            created_at=m["created_at"],
            origin=m["origin"],
            claimed_name=m["claimed_name"],
            **codec.load_members(APP_MEMBERS, m),
        )


def _values(app: App) -> dict[str, object]:
    return {
        "id": app.id,
        "name_key": codec.key(app.name),
        "state": app.state,
        "created_at": app.created_at,
        "origin": app.origin,
        "claimed_name": app.claimed_name,
        **codec.member_values(APP_MEMBERS, app),
    }
