"""Which resource a token is for, and which scopes the client may have there."""

from dataclasses import dataclass

from server.model.clients import Agent, App
from server.model.resources import Resource
from server.model.store import Directory
from server.protocol import errors
from server.protocol.policy.risks import Risk, highest
from server.protocol.resources import scopes


@dataclass(frozen=True, slots=True)
class TokenTarget:
    """One resource and the scopes asked for there."""

    resource: Resource
    scope: tuple[str, ...]

    @property
    def risk(self) -> Risk:
        """The highest risk of the scopes; low when an action alone is asked for."""
        return highest([Risk.LOW, *(self.resource.scopes[name] for name in self.scope)])


def resolve(
    directory: Directory, client: Agent | App, resource: str | None, scope: tuple[str, ...]
) -> TokenTarget:
    """The target of a request, within the client's ceiling.

    Without `resource` it is the client's only one, else the one that has all the scopes. Raises
    errors.InvalidTarget or errors.InvalidScope; nothing is narrowed in silence.
    """
    found = _resource(directory, client, resource, scope)
    if not all(name in found.scopes and client.may(found.uri, name) for name in scope):
        raise errors.InvalidScope(
            "This client may not ask for every one of these scopes at this resource."
        )
    return TokenTarget(found, scope)


def about_person(audience: str, scope: tuple[str, ...]) -> TokenTarget:
    """The target of OpenID scopes alone: an endpoint of ours, at which nobody registers anything.

    `audience` is that of our `/userinfo`.
    """
    return TokenTarget(_ours(audience), scope)


def again(
    directory: Directory, client: Agent | App, uri: str | None, scope: tuple[str, ...]
) -> TokenTarget:
    """The target of what was asked before, as `resolve` finds it now; it raises what that does."""
    if uri is not None and scopes.about_person(scope):
        return about_person(uri, scope)
    return resolve(directory, client, uri, scope)


def standing(directory: Directory, uri: str, scope: tuple[str, ...]) -> Resource | None:
    """The resource of what was asked before; None when it is not there any more."""
    return _ours(uri) if scopes.about_person(scope) else directory.resource(uri)


def lifetime(agent: Agent | None, resource: Resource | None, usual: int) -> int:
    """How many seconds a token lives: the shorter of both limits, or what is usual here."""
    limits = tuple(None if one is None else one.token_seconds for one in (agent, resource))
    return min((limit for limit in limits if limit is not None), default=usual)


def check_required_types(target: TokenTarget, types: frozenset[str]) -> None:
    """Raises errors.InvalidAuthorizationDetails when a scope needs a type that was not sent."""
    for name in target.scope:
        needed = target.resource.requires.get(name)
        if needed is not None and needed not in types:
            raise errors.InvalidAuthorizationDetails(
                f"scope {name} needs authorization_details of type {needed}."
            )


def _ours(audience: str) -> Resource:
    return Resource(audience, dict.fromkeys(sorted(scopes.OPENID_SCOPES), Risk.LOW), {}, 0)


def _resource(
    directory: Directory, client: Agent | App, named: str | None, scope: tuple[str, ...]
) -> Resource:
    if named is not None:
        found = directory.resource(named) if named in client.resources else None
        if found is None:
            raise errors.InvalidTarget("This client may not ask for this resource.")
        return found
    known = [r for uri in client.resources if (r := directory.resource(uri)) is not None]
    if len(known) == 1:
        return known[0]
    owners = [r for r in known if scope and all(name in r.scopes for name in scope)]
    if len(owners) > 1:
        owners = [r for r in owners if all(client.may(r.uri, name) for name in scope)]
    if len(owners) != 1:
        raise errors.InvalidTarget("Name the resource: the scopes do not say which one is meant.")
    return owners[0]
