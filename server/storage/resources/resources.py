"""Rows of resources and their secrets."""

from sqlalchemy import bindparam, delete, insert, or_, select, update
from sqlalchemy.engine import RowMapping
from sqlalchemy.exc import IntegrityError

from server.model.clients import Secret
from server.model.resources import Resource
from server.model.store import Taken
from server.protocol.resources import uris
from server.services.members import updated
from server.services.resources.resource_members import RESOURCE_MEMBERS
from server.storage import codec
from server.storage.account_tables import resource_secrets, resources
from server.storage.clients.names import Names
from server.storage.prepared import DatabaseRows

_USE_NOTED_MS = 60_000

_UPDATED = updated(RESOURCE_MEMBERS)
_ADD = insert(resources)
_ALL = select(resources).order_by(resources.c.uri)
_BY_URI = select(resources).where(resources.c.uri.in_([bindparam("uri"), bindparam("twin")]))
_BY_CLIENT = select(resources).where(resources.c.client_id == bindparam("client_id"))
_REPLACE = (
    update(resources)
    .where(resources.c.uri == bindparam("resource"))
    .values({member.name: bindparam(member.name) for member in _UPDATED})
)
_DELETE = delete(resources).where(resources.c.uri == bindparam("resource"))
_SECRETS = (
    select(resource_secrets)
    .where(resource_secrets.c.resource == bindparam("resource"))
    .order_by(resource_secrets.c.created_at, resource_secrets.c.id)
)
_ADD_SECRET = insert(resource_secrets)
_DROP_SECRETS = delete(resource_secrets).where(resource_secrets.c.resource == bindparam("resource"))
_SECRET_USED = (
    update(resource_secrets)
    .where(
        resource_secrets.c.id == bindparam("secret"),
        or_(
            resource_secrets.c.last_used_at.is_(None),
            resource_secrets.c.last_used_at < bindparam("before"),
        ),
    )
    .values(last_used_at=bindparam("now"))
)


class Resources(DatabaseRows):
    """Resources in the database."""

    def add(self, resource: Resource) -> None:
        """Raises `Taken` if the URI is used, or one that looks like it."""
        row = {
            "client_id": resource.client_id,
            "created_at": resource.created_at,
            **codec.member_values(RESOURCE_MEMBERS, resource),
        }
        try:
            self._db.execute(_ADD, row)
        except IntegrityError as error:
            raise Taken(resource.uri) from error
        Names(self._db).give("resource", resource.uri, resource.uri)
        self._attach(resource)

    def replace(self, resource: Resource) -> None:
        """Write its scopes, its lifetime and its secrets."""
        self._db.execute(
            _REPLACE, {"resource": resource.uri, **codec.member_values(_UPDATED, resource)}
        )
        self._db.execute(_DROP_SECRETS, {"resource": resource.uri})
        self._attach(resource)

    def delete(self, uri: str) -> None:
        """Remove it with its secrets."""
        Names(self._db).drop(uri)
        for statement in (_DROP_SECRETS, _DELETE):
            self._db.execute(statement, {"resource": uri})

    def all(self) -> list[Resource]:
        """Return all resources, by URI."""
        return [self._record(row) for row in self._db.execute(_ALL).mappings().all()]

    def get(self, uri: str) -> Resource | None:
        """By URI; a trailing slash makes no difference, unless both forms were registered."""
        bare = uris.without_slash(uri)
        twin = f"{bare}/" if uri == bare else bare
        rows = self._db.execute(_BY_URI, {"uri": uri, "twin": twin}).mappings().all()
        found = sorted(rows, key=lambda row: row["uri"] != uri)
        return self._record(found[0]) if found else None

    def by_client_id(self, client_id: str) -> Resource | None:
        """By the client_id with which it authenticates."""
        row = self._db.execute(_BY_CLIENT, {"client_id": client_id}).mappings().first()
        return None if row is None else self._record(row)

    def mark_secret_used(self, secret_id: str, now: int) -> None:
        """Record the use, at most once a minute."""
        self._db.execute(
            _SECRET_USED, {"secret": secret_id, "now": now, "before": now - _USE_NOTED_MS}
        )

    def _attach(self, resource: Resource) -> None:
        for secret in resource.secrets:
            row = {name: getattr(secret, name) for name in _SECRET_COLUMNS}
            self._db.execute(_ADD_SECRET, {"resource": resource.uri, **row})

    def _record(self, m: RowMapping) -> Resource:
        secrets = self._db.execute(_SECRETS, {"resource": m["uri"]}).mappings().all()
        return Resource(
            created_at=m["created_at"],
            client_id=m["client_id"],
            secrets=tuple(_secret(secret) for secret in secrets),
            **codec.load_members(RESOURCE_MEMBERS, m),
        )


_SECRET_COLUMNS = ("id", "hash", "hint", "created_at", "expires_at", "last_used_at")


def _secret(m: RowMapping) -> Secret:
    return Secret(**{name: m[name] for name in _SECRET_COLUMNS} | {"hash": bytes(m["hash"])})
