"""Rows of apps and their secrets."""

from sqlalchemy import bindparam, delete, insert, or_, select, update
from sqlalchemy.engine import RowMapping
from sqlalchemy.exc import IntegrityError

from server.model.clients import App, Secret
from server.model.store import Taken
from server.services.clients.app_members import APP_MEMBERS
from server.storage import codec
from server.storage.account_tables import app_secrets, app_uses, apps
from server.storage.clients.names import Names, kept_key
from server.storage.prepared import DatabaseRows

_USE_NOTED_MS = 60_000

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
_SECRETS = (
    select(app_secrets)
    .where(app_secrets.c.app_id == bindparam("id"))
    .order_by(app_secrets.c.created_at, app_secrets.c.id)
)
_DROP_SECRETS = delete(app_secrets).where(app_secrets.c.app_id == bindparam("app"))
_DROP_USE = delete(app_uses).where(app_uses.c.app_id == bindparam("app"))
_ADD_SECRET = insert(app_secrets)
_SECRET_USED = (
    update(app_secrets)
    .where(
        app_secrets.c.id == bindparam("secret"),
        or_(app_secrets.c.last_used_at.is_(None), app_secrets.c.last_used_at < bindparam("before")),
    )
    .values(last_used_at=bindparam("now"))
)


class Apps(DatabaseRows):
    """Apps in the database."""

    def add(self, app: App) -> None:
        """Raises `Taken` if the name is used."""
        try:
            self._db.execute(_ADD, _values(app))
        except IntegrityError as error:
            raise Taken(app.name) from error
        Names(self._db).give("client", app.id, app.name)
        self._attach(app)

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
        self._db.execute(_DROP_SECRETS, {"app": app.id})
        self._attach(app)

    def delete(self, app_id: str) -> None:
        """Remove the app with its name and secrets."""
        Names(self._db).drop(app_id)
        for statement in (_DROP_SECRETS, _DROP_USE, _DELETE):
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

    def mark_secret_used(self, secret_id: str, now: int) -> None:
        """Record the use, at most once a minute."""
        self._db.execute(
            _SECRET_USED, {"secret": secret_id, "now": now, "before": now - _USE_NOTED_MS}
        )

    def _attach(self, app: App) -> None:
        for secret in app.secrets:
            row = {"app_id": app.id, **{name: getattr(secret, name) for name in Secret.__slots__}}
            self._db.execute(_ADD_SECRET, row)

    def _record(self, m: RowMapping) -> App:
        rows = self._db.execute(_SECRETS, {"id": m["id"]}).mappings().all()
        return App(
            id=m["id"],
            secrets=tuple(_secret(row) for row in rows),
            state=m["state"],
            created_at=m["created_at"],
            origin=m["origin"],
            claimed_name=m["claimed_name"],
            **codec.load_members(APP_MEMBERS, m),
        )


def _secret(m: RowMapping) -> Secret:
    members = {name: m[name] for name in Secret.__slots__}
    return Secret(**{**members, "hash": bytes(m["hash"])})


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
