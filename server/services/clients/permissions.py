"""A client's permissions: the resources and scopes that it may request.

Owns: whether permissions are valid. Never: granting them.
"""

from collections.abc import Sequence

from server.model.store import Unit
from server.protocol.resources import scopes
from server.services.refusals import Invalid, error_member
from server.services.resources import resource_checks


@error_member("scopes")
def check(tx: Unit, uris: Sequence[str], scope_names: Sequence[str]) -> None:
    """Check that every resource exists, and that every scope belongs to one of them.

    Raises `Invalid` or `NotFound`.
    """
    with error_member("resources"):
        resources = [resource_checks.find(tx.directory, uri) for uri in uris]
    for scope in scope_names:
        if scope in scopes.OPENID_SCOPES:
            raise Invalid(f"Every client can request {scope}. Leave it out.")
        if not any(scope in resource.scopes for resource in resources):
            raise _unknown_scope(tx, scope, uris)


def _unknown_scope(tx: Unit, scope: str, uris: Sequence[str]) -> Invalid:
    for resource in tx.resources.all():
        if scope in resource.scopes:
            return Invalid(
                f"The scope {scope} belongs to {resource.uri}. Add that resource to `resources`."
            )
    return Invalid(
        f"No resource has the scope {scope}. Add it to a resource first.",
        remedy=("resource.scope", uris[0] if uris else "URI", scope),
    )
