"""Finds resources, and validates each member of a resource by itself.

Owns: the check of one member, with the remedy in its error. Never: rules across members; those are
in `resources.py`.
"""

from collections.abc import Sequence
from typing import Final

from server.model.resources import Resource
from server.model.store import Directory, Unit
from server.protocol.resources import uris
from server.services.refusals import Invalid, NotFound

SHORTEST_TOKEN: Final = 10
LONGEST_TOKEN: Final = 3_600
"""Seconds; a resource that only checks signatures accepts a revoked token until it expires."""


def lifetime(_tx: Unit, seconds: int) -> int:
    """A lifetime limit in seconds. Raises `Invalid`."""
    if not SHORTEST_TOKEN <= seconds <= LONGEST_TOKEN:
        raise Invalid(f"A token lifetime must be {SHORTEST_TOKEN} to {LONGEST_TOKEN} seconds.")
    return seconds


def uri(_tx: Unit, raw: str) -> str:
    """Its URI; whether it is free is checked where all of them are known."""
    if problem := uris.resource_problem(raw):
        raise Invalid(f"The resource {problem}.")
    return raw


def default_scopes(_tx: Unit, named: Sequence[str]) -> tuple[str, ...]:
    """The default scopes, sorted; whether each may be one depends on the other members."""
    return tuple(sorted(set(named)))


def registered_uri(directory: Directory, uri: str) -> str:
    """Return the URI as the resource was registered; the same one if there is none."""
    resource = directory.resource(uri)
    return uri if resource is None else resource.uri


def find(directory: Directory, uri: str) -> Resource:
    """Return the resource with this URI. Raises `NotFound`."""
    resource = directory.resource(uri)
    if resource is None:
        raise NotFound("resource", uri)
    return resource
