"""Token exchange: its parameters, who may act for whom, and that nothing ever widens (RFC 8693).

Owns: what is read from a request and from a subject token, the chain of actors, the bounds of what
comes out. Never: signatures, rows, consents; those are `server.services`.

What comes out of a chain is bounded by every token and every actor before it, back to the ground
that it stands on: a person's signed answer at that resource, or else the person's consent to the
first agent of the chain.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from server.protocol import errors
from server.protocol.ciba import requests
from server.protocol.forms import Form
from server.protocol.json_text import JsonValue
from server.protocol.resources import scopes, uris

ACCESS_TOKEN: Final = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105  # a name
MOST_DEPTH: Final = 4
"""Actors in one chain."""
MOST_ACT_BYTES: Final = 8_192
MOST_TOKEN: Final = 32_768
OFFLINE_ACCESS: Final = "offline_access"
CARRIED: Final = ("acr", "amr", "auth_time")
"""How the person once signed in or answered: it goes on as it was and is never made younger."""


@dataclass(frozen=True, slots=True)
class ExchangeRequest:
    """An exchange as it was asked for, parsed."""

    subject_token: str
    actor_token: str | None
    target: str | None
    """The resource, when one was named."""
    scope: tuple[str, ...]
    details: tuple[Mapping[str, JsonValue], ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """What a subject token says beyond its row in the ledger."""

    token_id: str
    user: str
    audience: str
    client: str
    may_act: Mapping[str, str] | None
    carried: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Link:
    """One token of a chain, as a bound of what may come out of it at one target."""

    client: str
    resource: str
    scope: frozenset[str]
    depth: int
    """Actors in it; a person's own token has none."""
    ceiling: frozenset[str]
    """What its client may have at the target."""
    details: tuple[str, ...] = ()
    """Its `authorization_details`, as canonical text each."""
    approved: bool = False
    """A person's signed answer stands behind it."""


@dataclass(frozen=True, slots=True)
class DelegationGround:
    """What a chain stands on at one target."""

    links: tuple[Link, ...]
    """The tokens that bound what comes out, nearest first."""
    approved: bool
    """A person signed for this resource; else the consent to `first` counts."""
    first: str
    """The agent that the person gave it to."""


def parse_request(form: Form) -> ExchangeRequest:
    """Read the parameters of RFC 8693 2.1. Raises errors.ProtocolError.

    What is missing, sent twice or too long is an error and never counts as left out.
    """
    subject = _token(form, "subject_token")
    if subject is None:
        raise errors.InvalidRequest("subject_token is missing.")
    actor = _token(form, "actor_token")
    if form.get("requested_token_type") not in {None, ACCESS_TOKEN}:
        raise errors.InvalidRequest(f"requested_token_type must be {ACCESS_TOKEN}.")
    details = requests.read_details(form.get("authorization_details"))
    return ExchangeRequest(subject, actor, _target(form), _scope(form, details), details)


def read_subject(claims: Mapping[str, object], *, issuer: str, now: int) -> Subject:
    """What an access token says whose signature holds; `now` in milliseconds.

    Raises errors.InvalidRequest, with the reason for the log.
    """
    if claims.get("iss") != issuer:
        raise _unfit("another issuer")
    if not _seconds(claims, "nbf", 0) * 1000 <= now < _seconds(claims, "exp", 0) * 1000:
        raise _unfit("it is not in date")
    if set(_object(claims, "cnf")) - {"jkt"}:
        raise _unfit("bound to what cannot be proved here")
    return Subject(
        token_id=_text(claims, "jti"),
        user=_text(claims, "sub"),
        audience=_text(claims, "aud"),
        client=_text(claims, "client_id"),
        may_act=_may_act(claims),
        carried={name: claims[name] for name in CARRIED if name in claims},
    )


def names_agent(may_act: Mapping[str, str], agent: str, issuer: str) -> bool:
    """Reports whether this `may_act` lets the agent act (RFC 8693 4.4).

    PingOne writes the client's id into `sub`, PingAM adds `client_id`; whatever is there must fit.
    """
    named = {may_act[member] for member in ("sub", "client_id") if member in may_act}
    return named == {agent} and may_act.get("iss", issuer) == issuer


def actors(act: object) -> tuple[str, ...]:
    """The actors of an `act` claim, the current one first (RFC 8693 4.1).

    Raises errors.InvalidRequest for a chain that cannot be read, or is longer than any may be.
    """
    found: list[str] = []
    while act is not None:
        sub = act.get("sub") if isinstance(act, Mapping) else None
        if not isinstance(act, Mapping) or not isinstance(sub, str) or len(found) >= MOST_DEPTH:
            raise _unfit("its actors cannot be read")
        found.append(sub)
        act = act.get("act")
    return tuple(found)


def too_large(act: Mapping[str, object]) -> bool:
    """Reports whether the chain has grown beyond what a token may carry."""
    return len(json.dumps(act, separators=(",", ":")).encode()) > MOST_ACT_BYTES


def ground(lineage: Sequence[Link], target: str, caller: str) -> DelegationGround:
    """What an exchange of the first of these tokens for the target stands on.

    `lineage` is the subject token and what it came from, nearest first.
    """
    for place, link in enumerate(lineage):
        if link.approved and link.depth and link.resource == target:
            return DelegationGround(tuple(lineage[: place + 1]), approved=True, first=link.client)
    acting = [link.client for link in lineage if link.depth]
    return DelegationGround(tuple(lineage), approved=False, first=acting[-1] if acting else caller)


def bounded(
    asked: frozenset[str], target: str, ceiling: frozenset[str], stands_on: DelegationGround
) -> frozenset[str]:
    """The scopes that the chain leaves of those that were asked for, before any consent.

    `ceiling` is what the caller may have at the target. Every actor is held to its own, and a token
    of the target itself to its scope.
    """
    left = asked & ceiling
    for link in stands_on.links:
        if link.depth:
            left &= link.ceiling
        if link.resource == target:
            left &= link.scope
    return left


def covered(details: Sequence[Mapping[str, JsonValue]], stands_on: DelegationGround) -> bool:
    """Reports whether a person has signed for every one of these, and no token since lost one.

    For each as often as it is there: twice the same payment is two payments.
    """
    wanted = Counter(canonical(detail) for detail in details)
    return stands_on.approved and all(wanted <= Counter(link.details) for link in stands_on.links)


def canonical(detail: Mapping[str, JsonValue]) -> str:
    """One text for each detail; for Python, but not for us, 1 and true are the same."""
    return json.dumps(detail, sort_keys=True, separators=(",", ":"))


def _token(form: Form, name: str) -> str | None:
    """A token and its type, both or none; only access tokens are exchanged (2.1)."""
    token, kind = form.get(name), form.get(f"{name}_type")
    if (token is None) != (kind is None):
        raise errors.InvalidRequest(f"{name} and {name}_type belong together.")
    if token is not None and kind != ACCESS_TOKEN:
        raise errors.InvalidRequest(f"{name}_type must be {ACCESS_TOKEN}.")
    if token is not None and len(token) > MOST_TOKEN:
        raise errors.InvalidRequest(f"{name} is longer than {MOST_TOKEN} characters.")
    return token


def _target(form: Form) -> str | None:
    """The one target; `audience` names a resource by its URI too."""
    named = {uris.check_resource(uri) for uri in (*form.every("resource"), *form.every("audience"))}
    if len(named) > 1 or len(form.every("resource")) > 1 or len(form.every("audience")) > 1:
        raise errors.InvalidTarget("A token is for one resource; exchange once for each.")
    return next(iter(named), None)


def _scope(form: Form, details: Sequence[object]) -> tuple[str, ...]:
    asked = form.get("scope")
    if asked is None:
        if not details:
            raise errors.InvalidScope("Name the scopes; there is no default.")
        return ()
    openid, scope = scopes.split(scopes.parse(asked))
    if openid or OFFLINE_ACCESS in scope:
        raise errors.InvalidScope("An exchange gives scopes of a resource, and none but those.")
    return scope


def _may_act(claims: Mapping[str, object]) -> Mapping[str, str] | None:
    if "may_act" not in claims:
        return None
    members = _object(claims, "may_act")
    named = {name: members[name] for name in ("sub", "client_id", "iss") if name in members}
    if not all(isinstance(value, str) for value in named.values()):
        raise _unfit("its may_act cannot be read")
    return {name: str(value) for name, value in named.items()}


def _object(claims: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = claims.get(name, {})
    if not isinstance(value, Mapping):
        raise _unfit(f"its {name} is no object")
    return value


def _seconds(claims: Mapping[str, object], name: str, otherwise: int) -> int:
    value = claims.get(name, otherwise)
    if isinstance(value, bool) or not isinstance(value, int):
        raise _unfit(f"its {name} is no time")
    return value


def _text(claims: Mapping[str, object], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str):
        raise _unfit(f"its {name} is no string")
    return value


def _unfit(why: str) -> errors.InvalidRequest:
    return errors.InvalidRequest("subject_token is not an access token that is good.", detail=why)
