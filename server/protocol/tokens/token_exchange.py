"""Token exchange: its parameters, the agents that may act, and the limits of the result (RFC 8693).

Owns: parsing a request and a subject token, the chain of actors, the limits of the new token.
Never: signatures, rows or consents (`server.services`).

Every token and actor in the chain, back to the approval or consent it started from, limits the new
token: a person's signed approval for that resource, or else their consent to the first agent.
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
MAX_DEPTH: Final = 4
"""The maximum number of actors in a chain."""
MAX_ACT_BYTES: Final = 8_192
MAX_TOKEN: Final = 32_768
"""Longer than any token that Sayso issues."""
OFFLINE_ACCESS: Final = "offline_access"
COPIED_CLAIMS: Final = ("acr", "amr", "auth_time")
"""Claims about how the person signed in or answered, which are copied unchanged."""


@dataclass(frozen=True, slots=True)
class ExchangeRequest:
    """A parsed exchange request."""

    subject_token: str
    actor_token: str | None
    target: str | None
    """The requested resource, if any."""
    scope: tuple[str, ...]
    details: tuple[Mapping[str, JsonValue], ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """The claims of a subject token that its database row does not have."""

    token_id: str
    user: str
    audience: str
    client: str
    may_act: Mapping[str, str] | None
    copied_claims: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Link:
    """A token of a chain, with the limits that it sets for a new token for one target."""

    client: str
    resource: str
    scope: frozenset[str]
    depth: int
    """The number of actors in it; 0 for a person's own token."""
    ceiling: frozenset[str]
    """The scopes that its client may have at the target."""
    details: tuple[str, ...] = ()
    """Its `authorization_details`, each as canonical JSON."""
    approved: bool = False
    """Whether a person signed for it."""


@dataclass(frozen=True, slots=True)
class DelegationBasis:
    """What authorizes a chain to get a token for one target."""

    links: tuple[Link, ...]
    """The tokens that limit the new token, newest first."""
    approved: bool
    """Whether a person signed for this resource; otherwise the consent to `first` applies."""
    first: str
    """The agent that the person authorized."""


def parse_request(form: Form) -> ExchangeRequest:
    """Parse the parameters of RFC 8693 2.1. Raises errors.ProtocolError.

    Missing, repeated and overlong parameters are errors.
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
    """Read the claims of an access token whose signature is valid; `now` is in milliseconds.

    Raises errors.InvalidRequest, with the reason for the log.
    """
    if claims.get("iss") != issuer:
        raise _invalid_subject("a different issuer")
    if not _seconds(claims, "nbf", 0) * 1000 <= now < _seconds(claims, "exp", 0) * 1000:
        raise _invalid_subject("it is expired or not yet valid")
    if set(_object(claims, "cnf")) - {"jkt"}:
        raise _invalid_subject("bound by an unsupported confirmation method")
    return Subject(
        token_id=_text(claims, "jti"),
        user=_text(claims, "sub"),
        audience=_text(claims, "aud"),
        client=_text(claims, "client_id"),
        may_act=_may_act(claims),
        copied_claims={name: claims[name] for name in COPIED_CLAIMS if name in claims},
    )


def names_agent(may_act: Mapping[str, str], agent: str, issuer: str) -> bool:
    """Return whether this `may_act` lets the agent act (RFC 8693 4.4).

    PingOne puts the client ID into `sub`; PingAM adds `client_id`. Every member that is present
    must match.
    """
    named = {may_act[member] for member in ("sub", "client_id") if member in may_act}
    return named == {agent} and may_act.get("iss", issuer) == issuer


def actors(act: object) -> tuple[str, ...]:
    """Return the actors of an `act` claim, the current one first (RFC 8693 4.1).

    Raises errors.InvalidRequest for a chain that is malformed or too long.
    """
    subjects: list[str] = []
    while act is not None:
        sub = act.get("sub") if isinstance(act, Mapping) else None
        if not isinstance(act, Mapping) or not isinstance(sub, str) or len(subjects) >= MAX_DEPTH:
            raise _invalid_subject("its actors cannot be read")
        subjects.append(sub)
        act = act.get("act")
    return tuple(subjects)


def too_large(act: Mapping[str, object]) -> bool:
    """Return whether the chain is too large for a token."""
    return len(json.dumps(act, separators=(",", ":")).encode()) > MAX_ACT_BYTES


def delegation_basis(lineage: Sequence[Link], target: str, caller: str) -> DelegationBasis:
    """Return the basis for exchanging a subject token for a token for the target.

    `lineage` is the subject token and its ancestors, newest first.
    """
    for index, link in enumerate(lineage):
        if link.approved and link.depth and link.resource == target:
            return DelegationBasis(tuple(lineage[: index + 1]), approved=True, first=link.client)
    actor_ids = [link.client for link in lineage if link.depth]
    return DelegationBasis(
        tuple(lineage), approved=False, first=actor_ids[-1] if actor_ids else caller
    )


def allowed_scopes(
    requested: frozenset[str], target: str, ceiling: frozenset[str], basis: DelegationBasis
) -> frozenset[str]:
    """Return the requested scopes that the chain allows, before any consent.

    `ceiling` has the scopes that the caller may have at the target. The ceiling of each actor and
    the scope of each token for the target limit the result.
    """
    allowed = requested & ceiling
    for link in basis.links:
        if link.depth:
            allowed &= link.ceiling
        if link.resource == target:
            allowed &= link.scope
    return allowed


def details_approved(details: Sequence[Mapping[str, JsonValue]], basis: DelegationBasis) -> bool:
    """Return whether a person signed for all of these details, and no token dropped any.

    Duplicates count: two equal payments need two signed payments.
    """
    counter = Counter(canonical(detail) for detail in details)
    return basis.approved and all(counter <= Counter(link.details) for link in basis.links)


def canonical(detail: Mapping[str, JsonValue]) -> str:
    """Return canonical JSON for comparing details.

    Unlike Python's `==`, it distinguishes 1 from true.
    """
    return json.dumps(detail, sort_keys=True, separators=(",", ":"))


def _token(form: Form, name: str) -> str | None:
    """Return a token parameter, whose type must be access_token (2.1)."""
    token, kind = form.get(name), form.get(f"{name}_type")
    if (token is None) != (kind is None):
        raise errors.InvalidRequest(f"{name} and {name}_type must be sent together.")
    if token is not None and kind != ACCESS_TOKEN:
        raise errors.InvalidRequest(f"{name}_type must be {ACCESS_TOKEN}.")
    if token is not None and len(token) > MAX_TOKEN:
        raise errors.InvalidRequest(f"{name} is longer than {MAX_TOKEN} characters.")
    return token


def _target(form: Form) -> str | None:
    """Return the single target, if any. `audience` may also name a resource by its URI."""
    resources, audiences = form.every("resource"), form.every("audience")
    targets = [uris.check_resource(uri) for uri in (*resources, *audiences)]
    is_ambiguous = len(set(map(uris.without_slash, targets))) > 1
    if is_ambiguous or len(resources) > 1 or len(audiences) > 1:
        raise errors.InvalidTarget(
            "A token is for one resource. Do a separate exchange for each resource."
        )
    return targets[0] if targets else None


def _scope(form: Form, details: Sequence[object]) -> tuple[str, ...]:
    requested = form.get("scope")
    if requested is None:
        if not details:
            raise errors.InvalidScope("Specify the scopes. There are no default scopes.")
        return ()
    openid, scope = scopes.split(scopes.parse(requested))
    if openid or OFFLINE_ACCESS in scope:
        raise errors.InvalidScope(
            "An exchange can grant only resource scopes, not OpenID scopes or offline_access."
        )
    return scope


def _may_act(claims: Mapping[str, object]) -> Mapping[str, str] | None:
    if "may_act" not in claims:
        return None
    members = _object(claims, "may_act")
    named = {name: members[name] for name in ("sub", "client_id", "iss") if name in members}
    if not all(isinstance(value, str) for value in named.values()):
        raise _invalid_subject("its may_act cannot be read")
    return {name: str(value) for name, value in named.items()}


def _object(claims: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = claims.get(name, {})
    if not isinstance(value, Mapping):
        raise _invalid_subject(f"its {name} is not an object")
    return value


def _seconds(claims: Mapping[str, object], name: str, default: int) -> int:
    value = claims.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int):
        raise _invalid_subject(f"its {name} is not a time")
    return value


def _text(claims: Mapping[str, object], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str):
        raise _invalid_subject(f"its {name} is not a string")
    return value


def _invalid_subject(why: str) -> errors.InvalidRequest:
    return errors.InvalidRequest("subject_token is not a valid access token.", detail=why)
