"""Rows of protected APIs."""

from sqlalchemy import Connection, bindparam, delete, insert, select, update
from sqlalchemy.engine import RowMapping
from sqlalchemy.exc import IntegrityError

from server.protocol.risks import Risk
from server.services.ports import Taken
from server.services.records import Resource
from server.storage import codec
from server.storage.tables import resources

_ADD = insert(resources)
_ALL = select(resources).order_by(resources.c.uri)
_BY_URI = select(resources).where(resources.c.uri == bindparam("uri"))
_REPLACE = (
    update(resources)
    .where(resources.c.uri == bindparam("of"))
    .values(scopes=bindparam("scopes"), requires=bindparam("requires"))
)
_DELETE = delete(resources).where(resources.c.uri == bindparam("of"))


class Resources:
    """Protected APIs in the database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, resource: Resource) -> None:
        """Raises `Taken` if the URI is there."""
        row = {"uri": resource.uri, "created_at": resource.created_at, **_values(resource)}
        try:
            self._connection.execute(_ADD, row)
        except IntegrityError as error:
            raise Taken(resource.uri) from error

    def replace(self, resource: Resource) -> None:
        """Write its scopes."""
        self._connection.execute(_REPLACE, {"of": resource.uri, **_values(resource)})

    def delete(self, uri: str) -> None:
        """Remove it."""
        self._connection.execute(_DELETE, {"of": uri})

    def all(self) -> list[Resource]:
        """Every resource, by URI."""
        return [_record(row) for row in self._connection.execute(_ALL).mappings().all()]

    def get(self, uri: str) -> Resource | None:
        """By URI, compared exactly."""
        row = self._connection.execute(_BY_URI, {"uri": uri}).mappings().first()
        return None if row is None else _record(row)


def _record(m: RowMapping) -> Resource:
    scopes = codec.string_map(m["scopes"])
    return Resource(
        uri=m["uri"],
        scopes={name: Risk(risk) for name, risk in scopes.items()},
        requires=codec.string_map(m["requires"]),
        created_at=m["created_at"],
    )


def _values(resource: Resource) -> dict[str, object]:
    return {
        "scopes": codec.dump({name: str(risk) for name, risk in resource.scopes.items()}),
        "requires": codec.dump(dict(resource.requires)),
    }
