"""Scopes and tokens in the server's JSON.

Owns: what can be reduced in a request, the active tokens; parsed as strictly as in `wire.py`.
Never: HTTP.
"""

from approver_tui.client.reading import JsonObject
from approver_tui.state.approvals.narrowable import Narrowable, NarrowableFact, NarrowingRule
from approver_tui.state.clients.access import RevokedAccess
from approver_tui.state.text import display_safe
from approver_tui.state.tokens.delegations import Actor, Delegation, DelegationState

_LONG = 4_000
_NAME = 200


def read_narrowable(members: JsonObject) -> Narrowable:
    """Return what can be reduced in a request."""
    return Narrowable(
        scopes=members.texts("scopes"),
        facts=tuple(_read_fact(each) for each in members.children("facts")),
        token_seconds=members.integer("token_seconds"),
    )


def read_delegations(members: JsonObject) -> tuple[Delegation, ...]:
    """Return a page of the list of tokens."""
    return tuple(read_delegation(each) for each in members.children("items"))


def read_delegation(members: JsonObject) -> Delegation:
    """Return one token."""
    return Delegation(
        id=members.text("id"),
        state=members.choice("state", DelegationState),
        client=_read_actor(members.child("client")),
        resource=members.safe("resource", max_len=_LONG),
        scopes=tuple(display_safe(scope, max_len=_NAME) for scope in members.texts("scope")),
        actors=tuple(_read_actor(each) for each in members.children("actors")),
        issued_at=members.time("issued_at"),
        expires_at=members.time("expires_at"),
        last_used_at=members.time_or_none("last_used_at"),
        revoked_at=members.time_or_none("revoked_at"),
        approval_id=members.safe_or_none("approval"),
    )


def read_revoked_access(members: JsonObject) -> RevokedAccess:
    """Return what ended with an agent's access."""
    return RevokedAccess(
        grants=members.integer("grants_ended"),
        consents=members.integer("consents_revoked"),
        tokens=members.integer("tokens_revoked"),
    )


def _read_fact(members: JsonObject) -> NarrowableFact:
    return NarrowableFact(
        place=members.integer("place"),
        pointer=members.text("fact"),
        label=members.safe("label"),
        asked=members.safe("asked", max_len=_LONG),
        rule=members.choice("rule", NarrowingRule),
        items=tuple(display_safe(item) for item in members.texts("items")),
    )


def _read_actor(members: JsonObject) -> Actor:
    return Actor(members.text("id"), members.safe("name"))
