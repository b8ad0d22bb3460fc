"""The target of a token: its resource and scopes, within the client's permissions."""

from dataclasses import dataclass

from server.model.clients import Agent, App
from server.model.resources import Resource
from server.model.store import Directory
from server.protocol import errors
from server.protocol.policy.risks import Risk, highest
from server.protocol.resources import scopes


@dataclass(frozen=True, slots=True)
class TokenTarget:
    """One resource and the requested scopes."""

    resource: Resource
    scope: tuple[str, ...]

    @property
    def risk(self) -> Risk:
        """The highest risk of the scopes; low without scopes."""
        return highest([Risk.LOW, *(self.resource.scopes[name] for name in self.scope)])


def resolve(
    directory: Directory, client: Agent | App, resource: str | None, scope: tuple[str, ...]
) -> TokenTarget:
    """Return the target of a request, within the client's permissions.

    Without `resource`, uses the client's only resource, or else the only one with all the scopes.
    Scopes are never dropped silently. Raises errors.InvalidTarget or errors.InvalidScope.
    """
    target_resource = _resource(directory, client, resource, scope)
    for name in scope:
        if name not in target_resource.scopes or not client.allows(target_resource.uri, name):
            raise _scope_error(name, f" at {target_resource.uri}")
    return TokenTarget(target_resource, scope)


def resolve_or_default(
    directory: Directory, client: Agent | App, resource: str | None, scope: tuple[str, ...]
) -> TokenTarget:
    """Return the target; without scopes, it has the resource's default scopes (RFC 6749 3.3).

    Default scopes that the client cannot request are left out. Raises the errors of `resolve`.
    """
    token_target = resolve(directory, client, resource, scope)
    if scope:
        return token_target
    uri, defaults = token_target.resource.uri, token_target.resource.default_scopes
    allowed = tuple(name for name in defaults if client.allows(uri, name))
    if not allowed:
        raise errors.InvalidScope("Specify the scopes. There are no default scopes.")
    return TokenTarget(token_target.resource, allowed)


def about_person(audience: str, scope: tuple[str, ...]) -> TokenTarget:
    """Return the target for OpenID scopes; `audience` is our userinfo endpoint."""
    return TokenTarget(_userinfo_resource(audience), scope)


def resolve_stored(
    directory: Directory, client: Agent | App, uri: str | None, scope: tuple[str, ...]
) -> TokenTarget:
    """Resolve the target of a stored request again. Raises the errors of `resolve`."""
    if uri is not None and scopes.about_person(scope):
        return about_person(uri, scope)
    return resolve(directory, client, uri, scope)


def stored_resource(directory: Directory, uri: str, scope: tuple[str, ...]) -> Resource | None:
    """Return the resource of a stored request; None if it was deleted."""
    return _userinfo_resource(uri) if scopes.about_person(scope) else directory.resource(uri)


def lifetime(agent: Agent | None, resource: Resource | None, default: int) -> int:
    """Return the lifetime of a token in seconds: the lower limit, or `default` without limits."""
    limits = tuple(
        None if limiter is None else limiter.token_seconds for limiter in (agent, resource)
    )
    return min((limit for limit in limits if limit is not None), default=default)


def check_required_types(target: TokenTarget, types: frozenset[str]) -> None:
    """Raise errors.InvalidAuthorizationDetails if a scope needs a type that was not sent."""
    for name in target.scope:
        needed = target.resource.requires.get(name)
        if needed is not None and needed not in types:
            raise errors.InvalidAuthorizationDetails(
                f"scope {name} needs authorization_details of type {needed}."
            )


def _scope_error(scope: str, where: str = "") -> errors.InvalidScope:
    """Return the error, also for unknown scopes, so that it does not reveal which scopes exist."""
    return errors.InvalidScope(
        f"This client cannot request {scope}{where}. An administrator can allow it."
    )


def _userinfo_resource(audience: str) -> Resource:
    return Resource(audience, dict.fromkeys(sorted(scopes.OPENID_SCOPES), Risk.LOW), {}, 0)


def _resource(
    directory: Directory, client: Agent | App, uri: str | None, scope: tuple[str, ...]
) -> Resource:
    if uri is not None:
        resource = directory.resource(uri)
        if resource is None or resource.uri not in client.resources:
            raise errors.InvalidTarget(
                "This client cannot request this resource. An administrator can allow it."
            )
        return resource
    resources = [
        r for own_uri in client.resources if (r := directory.resource(own_uri)) is not None
    ]
    for name in scope if resources else ():
        if all(name not in r.scopes for r in resources):
            raise _scope_error(name)
    if len(resources) == 1:
        return resources[0]
    candidates = [r for r in resources if scope and all(name in r.scopes for name in scope)]
    if len(candidates) > 1:
        candidates = [r for r in candidates if all(client.allows(r.uri, name) for name in scope)]
    if len(candidates) != 1:
        raise errors.InvalidTarget("Specify the resource. The scopes do not identify it.")
    return candidates[0]
