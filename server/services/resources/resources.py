"""Resources: protected APIs with their scopes, risks and secrets."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from server.model.audit import Entry
from server.model.clients import Agent, App
from server.model.ports import Secrets
from server.model.reactions import ResourceDeleted
from server.model.resources import Resource
from server.model.store import Directory, Store, Unit
from server.protocol.confusables import name_keys
from server.protocol.names import PREFIX_RESOURCE, PREFIX_RESOURCE_SECRET, name_id
from server.protocol.policy.risks import Risk
from server.protocol.resources import scopes, uris
from server.services import client_secrets, members, paging
from server.services.audit import audit
from server.services.members import Written, members_for_update, names_of
from server.services.paging import ResultPage
from server.services.refusals import Exists, Invalid, NotFound, error_member
from server.services.resources.resource_checks import find
from server.services.resources.resource_members import RESOURCE_MEMBERS

MAX_SCOPES: Final = 200
_NO_ITEMS: Final[Mapping[str, Any]] = {}


class NewResource(Written):
    """A new resource, as described by an administrator."""

    member_names = names_of(RESOURCE_MEMBERS)


class ResourceChanges(Written):
    """Changes to a resource: scopes to add, change or remove, and changed other members.

    An empty type in `requires` removes the requirement.
    """

    member_names = names_of(members_for_update(RESOURCE_MEMBERS)) | {"remove_scopes"}


@dataclass(frozen=True, slots=True)
class NewResourceSecret:
    """A resource and its new secret, which is shown once."""

    resource: Resource
    secret: str


@dataclass(frozen=True, slots=True)
class DeletedResource:
    """A deleted resource, and what was revoked with it."""

    resource: Resource
    tokens_revoked: int
    """Tokens for it, and the tokens derived from them."""
    requests_cancelled: int
    agents_narrowed: tuple[str, ...]
    """Names of the agents that could request it."""
    apps_narrowed: tuple[str, ...]
    """Names of the apps that could request it."""


@dataclass(frozen=True, slots=True)
class Resources:
    """Administers resources. URIs that differ only by a trailing slash name the same resource."""

    store: Store
    secrets: Secrets
    issuer: str = ""
    """Our own URL; resources below it cannot be registered."""

    def all(self) -> list[Resource]:
        """Return all resources, ordered by URI."""
        with self.store.read() as view:
            return view.resources.all()

    def page(self, after: str, limit: int) -> ResultPage[Resource]:
        """Return the resources after this URI."""
        return paging.page_after(self.all(), lambda resource: resource.uri, after, limit)

    def by_id(self, resource_id: str) -> Resource:
        """Return the resource with this `names.name_id`. Raises `NotFound`."""
        for resource in self.all():
            if name_id(resource.uri) == resource_id:
                return resource
        raise NotFound("resource", resource_id)

    def show(self, uri: str) -> Resource:
        """Return one resource. Raises `NotFound`."""
        with self.store.read() as view:
            return find(view.directory, uri)

    def add(
        self,
        uri: str,
        scopes: Mapping[str, Risk] = _NO_ITEMS,
        requires: Mapping[str, str] = _NO_ITEMS,
        *,
        by: str,
        **more: object,
    ) -> NewResourceSecret:
        """Register a resource, with a secret for introspecting tokens.

        Raises `Exists`, `Invalid`, or `NotFound` for an unknown action type.
        """
        new = NewResource(uri=uri, scopes=dict(scopes), requires=dict(requires), **more)
        with self.store.administer() as tx:
            checked = members.initial_values(tx, RESOURCE_MEMBERS, new)
            if self.issuer and uris.is_below(uri, self.issuer):
                raise Invalid(
                    f"{uri} belongs to Sayso itself. Register your own APIs.", member="uri"
                )
            _refuse_similar_uri(tx, uri)
            secret, text = client_secrets.new(self.secrets, PREFIX_RESOURCE_SECRET, tx.now)
            client_id = self.secrets.new_id(PREFIX_RESOURCE)
            resource = Resource(
                created_at=tx.now, client_id=client_id, secrets=(secret,), **checked
            )
            _check(tx.directory, resource)
            tx.resources.add(resource)
            _record(tx, audit.Type.RESOURCE_ADDED, resource, by)
            return NewResourceSecret(resource, text)

    def update(self, uri: str, changes: ResourceChanges, *, by: str) -> Resource:
        """Change scopes or the lifetime of tokens. Raises `NotFound` or `Invalid`."""
        with self.store.administer() as tx:
            before = find(tx.directory, uri)
            resource = _apply_changes(tx, before, changes)
            _check(tx.directory, resource)
            if resource != before:
                tx.resources.replace(resource)
                _record(tx, audit.Type.RESOURCE_UPDATED, resource, by)
            return resource

    def rotate_secret(
        self, uri: str, *, by: str, overlap_ms: int = client_secrets.DEFAULT_OVERLAP_MS
    ) -> NewResourceSecret:
        """Create a new secret; the old ones work during the overlap.

        Raises `NotFound`, or `Invalid` if the overlap is too long.
        """
        client_secrets.check_overlap(overlap_ms)
        with self.store.administer() as tx:
            before = find(tx.directory, uri)
            secret, text = client_secrets.new(self.secrets, PREFIX_RESOURCE_SECRET, tx.now)
            old = client_secrets.expire_by(before.secrets, tx.now + overlap_ms, tx.now)
            resource = replace(before, secrets=(*old, secret))
            tx.resources.replace(resource)
            facts = {"overlap_ms": overlap_ms, "working": len(resource.secrets)}
            kind = audit.Type.RESOURCE_SECRET_ROTATED
            tx.audit.add(Entry(kind, by, resource=resource.uri, facts=facts))
            return NewResourceSecret(resource, text)

    def delete(self, uri: str, *, by: str) -> DeletedResource:
        """Delete a resource with its tokens and open requests, and remove it from clients.

        Clients do not regain access if it is registered again. Raises `NotFound`.
        """
        with self.store.administer() as tx:
            resource = find(tx.directory, uri)
            uri = resource.uri
            revoked = len(tx.delegations.revoke_resource(uri, tx.now))
            cancelled = tx.react(ResourceDeleted(uri, by)).requests
            tx.resources.delete(uri)
            agents = tx.agents.all()
            for agent in agents:
                if uri in agent.resources or uri in agent.serves:
                    tx.agents.replace(_without_resource(tx, agent, uri), tx.now)
            narrowed = tuple(agent.name for agent in agents if uri in agent.resources)
            apps = tuple(_narrow_app(tx, app, uri) for app in tx.apps.all() if uri in app.resources)
            facts = {
                "tokens_revoked": revoked,
                "requests_cancelled": cancelled,
                "agents_narrowed": list(narrowed),
                "apps_narrowed": list(apps),
            }
            tx.audit.add(Entry(audit.Type.RESOURCE_DELETED, by, resource=uri, facts=facts))
            return DeletedResource(resource, revoked, cancelled, narrowed, apps)


@error_member("uri")
def _refuse_similar_uri(tx: Unit, uri: str) -> None:
    """Refuse a URI that looks like another one, because people recognize resources by URI."""
    if (resource := tx.directory.resource(uri)) is not None:
        slash = "" if resource.uri == uri else "; a trailing slash makes no difference"
        text = f"{resource.uri} is already registered{slash}."
        raise Exists(text, remedy=("resource.update", resource.uri, resource.uri))
    for taken in tx.names.ids_with_name_like("resource", name_keys(uri)):
        raise Exists(
            f"{uri} can be confused with {taken}, which is registered. Use a more distinctive URI."
        )


def _apply_changes(tx: Unit, before: Resource, changes: ResourceChanges) -> Resource:
    remove_scopes = changes.get("remove_scopes", ())
    for name in remove_scopes:
        if name not in before.scopes:
            raise Invalid(f"{before.uri} has no scope {name}.", member="remove_scopes")
    checked = members.check_changes(tx, RESOURCE_MEMBERS, changes)
    remaining_scopes = {
        name: risk for name, risk in before.scopes.items() if name not in remove_scopes
    }
    new_scopes = {**remaining_scopes, **checked.get("scopes", {})}
    requires = {name: kind for name, kind in before.requires.items() if name in new_scopes}
    requires |= checked.get("requires", {})
    required_types = {name: kind for name, kind in requires.items() if kind}
    default_scopes = checked.get("default_scopes", before.default_scopes)
    defaults = tuple(name for name in default_scopes if name not in remove_scopes)
    values = {
        **checked,
        "scopes": new_scopes,
        "requires": required_types,
        "default_scopes": defaults,
    }
    return replace(before, **values)


@error_member("scopes")
def _check(directory: Directory, resource: Resource) -> None:
    if len(resource.scopes) > MAX_SCOPES:
        raise Invalid(f"A resource can have at most {MAX_SCOPES} scopes.")
    for name in resource.scopes:
        if not scopes.is_scope(name):
            raise Invalid("A scope name must be ASCII without spaces, quotes or backslashes.")
        if name in scopes.OPENID_SCOPES:
            raise Invalid(f"The scope {name} belongs to OpenID; use another name.")
    _check_required_types(directory, resource)
    _check_default(resource)


@error_member("default_scopes")
def _check_default(resource: Resource) -> None:
    """Check that a consent can include each default scope. Raises `Invalid`."""
    for name in resource.default_scopes:
        if name not in resource.scopes:
            raise Invalid(f"{resource.uri} has no scope {name}, so it cannot be a default.")
        if resource.scopes[name] is Risk.CRITICAL or name in resource.requires:
            raise Invalid(f"{name} needs an approval each time, so it cannot be a default scope.")


@error_member("requires")
def _check_required_types(directory: Directory, resource: Resource) -> None:
    for name, kind in resource.requires.items():
        if name not in resource.scopes:
            raise Invalid(
                f"{resource.uri} has no scope {name}, so it cannot require {kind} for it."
            )
        if directory.action(kind) is None:
            raise NotFound("action type", kind)


def _without_resource(tx: Unit, agent: Agent, uri: str) -> Agent:
    """Remove the resource, and the scopes that none of the agent's other resources has."""
    agent = replace(
        agent, serves=tuple(other_uri for other_uri in agent.serves if other_uri != uri)
    )
    if uri not in agent.resources:
        return agent
    remaining, scope = _permissions_without(tx, agent, uri)
    limits = {
        other_uri: tuple(name for name in allowed if name in scope)
        for other_uri, allowed in agent.only.items()
        if other_uri != uri
    }
    return replace(agent, resources=remaining, scopes=scope, only=limits)


def _narrow_app(tx: Unit, app: App, uri: str) -> str:
    remaining, scope = _permissions_without(tx, app, uri)
    tx.apps.replace(replace(app, resources=remaining, scopes=scope))
    return app.name


def _permissions_without(
    tx: Unit, client: Agent | App, uri: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    remaining = tuple(other_uri for other_uri in client.resources if other_uri != uri)
    resources = [
        r for other_uri in remaining if (r := tx.directory.resource(other_uri)) is not None
    ]
    return remaining, tuple(
        name for name in client.scopes if any(name in r.scopes for r in resources)
    )


def _record(tx: Unit, kind: audit.Type, resource: Resource, by: str) -> None:
    facts = {"client_id": resource.client_id, **members.facts(RESOURCE_MEMBERS, resource)}
    tx.audit.add(Entry(kind, by, resource=resource.uri, facts=facts))
