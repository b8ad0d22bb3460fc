"""Rows of resources and their secrets."""

from typing import Any

from sqlalchemy import Row, bindparam, delete, insert, select, update

from server.model.resources import Resource
from server.protocol.resources import uris
from server.services.members import members_for_update
from server.services.resources.resource_members import RESOURCE_MEMBERS
from server.storage import codec
from server.storage.clients.names import Names
from server.storage.clients.secrets import ClientRows, SecretTable
from server.storage.resources.tables import resource_secrets, resources

_UPDATED = members_for_update(RESOURCE_MEMBERS)
_ALL = select(resources).order_by(resources.c.uri)
_BY_URI = select(resources).where(resources.c.uri.in_([bindparam("uri"), bindparam("other_form")]))
_BY_CLIENT = select(resources).where(resources.c.client_id == bindparam("client_id"))


class Resources(ClientRows):
    """Resources in the database."""

    secrets = SecretTable(resource_secrets, "resource")

    def add(self, resource: Resource) -> None:
        """Store a new resource; raises `Taken` if its URI, or one that looks like it, is in use."""
        row = {
            "client_id": resource.client_id,
            "created_at": resource.created_at,
            **codec.member_values(RESOURCE_MEMBERS, resource),
        }
        self._write(insert(resources).values(row), resource.uri)
        Names(self._db).give("resource", resource.uri, resource.uri)
        self.secrets.put(self._db, resource.uri, resource.secrets)

    def replace(self, resource: Resource) -> None:
        """Store the members that can change, and the secrets."""
        values = codec.member_values(_UPDATED, resource)
        self._change(update(resources).where(resources.c.uri == resource.uri).values(values))
        self.secrets.put(self._db, resource.uri, resource.secrets)

    def delete(self, uri: str) -> None:
        """Delete the resource with its secrets."""
        Names(self._db).drop(uri)
        self._change(delete(resources).where(resources.c.uri == uri))

    def all(self) -> list[Resource]:
        """Return all resources, by URI."""
        return self._many(self._record, _ALL)

    def get(self, uri: str) -> Resource | None:
        """Return the resource with this URI; a trailing slash matters only if both exist."""
        bare = uris.without_slash(uri)
        other_form = f"{bare}/" if uri == bare else bare
        matches = self._many(self._record, _BY_URI, uri=uri, other_form=other_form)
        return min(matches, key=lambda resource: resource.uri != uri, default=None)

    def by_client_id(self, client_id: str) -> Resource | None:
        """Return the resource that authenticates with this client_id."""
        return self._one(self._record, _BY_CLIENT, client_id=client_id)

    def _record(self, row: Row[Any]) -> Resource:
        return Resource(
            created_at=row.created_at,
            client_id=row.client_id,
            secrets=self.secrets.secrets_of(self._db, row.uri),
            **codec.load_members(RESOURCE_MEMBERS, row),
        )
