"""Finds resources, and validates each of their fields separately, and a client's permissions.

Owns: checking one field, with the remedy in the error. Never: rules across fields; those are in
`resources.py`.
"""

from collections.abc import Sequence
from typing import Final

from server.model.resources import Resource
from server.model.store import Directory, Unit
from server.protocol.resources import scopes, uris
from server.services.refusals import Invalid, NotFound, error_member

MIN_LIFETIME: Final = 10
MAX_LIFETIME: Final = 3_600
"""In seconds. A resource that only checks signatures accepts a revoked token for this long."""


def lifetime(_tx: Unit, seconds: int) -> int:
    """Return a valid token lifetime in seconds. Raises `Invalid`."""
    if not MIN_LIFETIME <= seconds <= MAX_LIFETIME:
        raise Invalid(f"A token lifetime must be {MIN_LIFETIME} to {MAX_LIFETIME} seconds.")
    return seconds


def uri(_tx: Unit, raw: str) -> str:
    """Return a valid URI. The caller checks whether it is free. Raises `Invalid`."""
    if problem := uris.resource_problem(raw):
        raise Invalid(f"The resource {problem}.")
    return raw


def default_scopes(_tx: Unit, named: Sequence[str]) -> tuple[str, ...]:
    """Return the default scopes, sorted. `resources.py` checks them against other members."""
    return tuple(sorted(set(named)))


def registered_uri(directory: Directory, uri: str) -> str:
    """Return the URI as registered; the given URI if no resource has it."""
    resource = directory.resource(uri)
    return uri if resource is None else resource.uri


def find(directory: Directory, uri: str) -> Resource:
    """Return the resource with this URI. Raises `NotFound`."""
    resource = directory.resource(uri)
    if resource is None:
        raise NotFound("resource", uri)
    return resource


@error_member("scopes")
def check_permissions(tx: Unit, resource_uris: Sequence[str], scope_names: Sequence[str]) -> None:
    """Check that every resource exists, and that every scope belongs to one of them.

    Raises `Invalid` or `NotFound`.
    """
    with error_member("resources"):
        resources = [find(tx.directory, uri) for uri in resource_uris]
    for scope in scope_names:
        if scope in scopes.OPENID_SCOPES:
            raise Invalid(f"Every client can request {scope}. Leave it out.")
        if not any(scope in resource.scopes for resource in resources):
            raise _unknown_scope(tx, scope, resource_uris)


def _unknown_scope(tx: Unit, scope: str, resource_uris: Sequence[str]) -> Invalid:
    for resource in tx.resources.all():
        if scope in resource.scopes:
            return Invalid(
                f"The scope {scope} belongs to {resource.uri}. Add that resource to `resources`."
            )
    return Invalid(
        f"No resource has the scope {scope}. Add it to a resource first.",
        remedy=("resource.scope", resource_uris[0] if resource_uris else "URI", scope),
    )
