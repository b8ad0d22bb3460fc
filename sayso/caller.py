"""The caller of an API: who calls, for whom, and what they may do.

Owns: reading a verified token, and the checks of one call. Never: the token's signature.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sayso.challenge import Challenge
from sayso.rejection import Realm, Rejected
from sayso.request_form import details_of

_MAX_ACTORS: Final = 8
"""The maximum number of actors in a chain; Sayso issues four at most."""


@dataclass(frozen=True, slots=True)
class Approval:
    """The approval behind a token."""

    id: str
    action_digest: str
    granted_digest: str
    single_use: bool
    """Whether the API must call `Guard.consume` before the action."""
    decided_by: Mapping[str, Any] | None
    """The consent, standing grant or other users that decided, if it was not the person."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A verified token."""

    token: str = field(repr=False)
    user: str | None
    """The person for whom the agent acts; None if the agent acts for itself."""
    client: str
    """The client that received the token: an agent or an app."""
    chain: Sequence[str]
    """The acting agents, the current one first. Empty if a person's app calls."""
    scope: frozenset[str]
    details: Sequence[Mapping[str, Any]]
    """The granted `authorization_details`."""
    approval: Approval | None
    claims: Mapping[str, Any] = field(repr=False)
    """All claims; with introspection also `username` and `agent` (name and owners)."""
    scheme: str
    """`Bearer` or `DPoP`."""
    _realm: Realm = field(repr=False)

    @property
    def agent(self) -> str | None:
        """The agent that acts now; None if a person's app calls."""
        if self.chain:
            return self.chain[0]
        return self.client if self.user is None else None

    def require(self, *scopes: str) -> None:
        """Require all these scopes. Raises Rejected (403 `insufficient_scope`)."""
        if not self.scope.issuperset(scopes):
            raise self._realm.insufficient_scope(" ".join(scopes), self.scheme)

    def require_approval(
        self, details: Mapping[str, Any] | Sequence[Mapping[str, Any]], scope: str = ""
    ) -> None:
        """Require that exactly these details were granted.

        `details` must completely describe what is about to run. `scope` is what the agent must ask
        for besides them. Raises ApprovalRequired (403), which tells the agent what to ask a person
        for, or Rejected (400) for invalid details.
        """
        try:
            required = details_of(details)
        except ValueError as error:
            raise Rejected(400, "invalid_request", str(error)) from error
        if self.approval is None or _count_details(required) != _count_details(self.details):
            message = "A person must approve exactly this. Ask with these authorization_details."
            challenge = Challenge(required, self._realm.resource, scope)
            raise self._realm.approval_required(challenge, message, self.scheme)


def read_caller(token: str, claims: Mapping[str, Any], scheme: str, realm: Realm) -> Caller:
    """Read verified claims. Raises ValueError for claims that Sayso never issues."""
    subject, client = claims["sub"], claims["client_id"]
    details = claims.get("authorization_details", [])
    if not isinstance(details, list) or not all(isinstance(detail, dict) for detail in details):
        raise ValueError("authorization_details must be a list of objects")
    return Caller(
        token=token,
        user=None if subject == client else subject,
        client=client,
        chain=tuple(_chain(claims.get("act"))),
        scope=frozenset(claims.get("scope", "").split()),
        details=details,
        approval=_approval(claims.get("approval")),
        claims=claims,
        scheme=scheme,
        _realm=realm,
    )


def _chain(act: object) -> Iterable[str]:
    for _ in range(_MAX_ACTORS):
        if act is None:
            return
        if not isinstance(act, dict) or not isinstance(act.get("sub"), str):
            break
        yield act["sub"]
        act = act.get("act")
    raise ValueError("act must be nested objects, each with sub")


def _approval(claim: Mapping[str, Any] | None) -> Approval | None:
    if claim is None:
        return None
    return Approval(
        id=claim["id"],
        action_digest=claim["action_digest"],
        granted_digest=claim["granted_digest"],
        single_use=claim["single_use"] is not False,
        decided_by=claim.get("decided_by"),
    )


def _count_details(details: Iterable[Mapping[str, Any]]) -> Counter[str]:
    return Counter(json.dumps(detail, sort_keys=True, separators=(",", ":")) for detail in details)
