"""The ceiling of a client: the resources and scopes beyond which it gets nothing.

Owns: whether one can be meant. Never: what of it anybody is granted.
"""

from collections.abc import Sequence

from server.model.store import Unit
from server.protocol.resources import scopes
from server.services.refusals import Invalid, about
from server.services.resources import resources


@about("scopes")
def check(tx: Unit, uris: Sequence[str], scope_names: Sequence[str]) -> None:
    """Every resource exists, and every scope is one of theirs. Raises `Invalid` or `NotFound`."""
    with about("resources"):
        found = [resources.find(tx.directory, uri) for uri in uris]
    for scope in scope_names:
        if scope in scopes.OPENID_SCOPES:
            raise Invalid(f"Everybody may ask for {scope}; leave it out of the ceiling.")
        if not any(scope in resource.scopes for resource in found):
            raise Invalid(_unknown_scope(tx, scope, uris))


def _unknown_scope(tx: Unit, scope: str, named: Sequence[str]) -> str:
    elsewhere = [r.uri for r in tx.resources.all() if scope in r.scopes]
    if elsewhere:
        return f"The scope {scope} belongs to {elsewhere[0]}. Add: --resource {elsewhere[0]}"
    uri = named[0] if named else "URI"
    return (
        f"No resource has the scope {scope}. "
        f"Add it: sayso resources update {uri} --scope {scope}=low|medium|high|critical"
    )
