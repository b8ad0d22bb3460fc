"""What the server's JSON about rights becomes in this program.

Owns: what may be less of a request, and the tokens by which somebody acts for the person; read as
strictly as in `wire.py`. Never: HTTP.
"""

from approver_tui.client.reading import Members
from approver_tui.state.acting import Stopped
from approver_tui.state.delegations import Actor, Delegation, DelegationState
from approver_tui.state.leeway import Leeway, LesserFact, Rule
from approver_tui.state.text import display_safe

_LONG = 4_000
_NAME = 200


def read_leeway(members: Members) -> Leeway:
    """Return what may be less of a request."""
    return Leeway(
        scopes=members.texts("scopes"),
        facts=tuple(_read_fact(each) for each in members.children("facts")),
        token_seconds=members.integer("token_seconds"),
    )


def read_part(members: Members) -> tuple[Delegation, ...]:
    """Return a part of the list of tokens."""
    return tuple(read_delegation(each) for each in members.children("items"))


def read_delegation(members: Members) -> Delegation:
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


def read_stopped(members: Members) -> Stopped:
    """Return what ended with an agent's right to act."""
    return Stopped(
        grants=members.integer("grants_ended"),
        consents=members.integer("consents_revoked"),
        tokens=members.integer("tokens_revoked"),
    )


def _read_fact(members: Members) -> LesserFact:
    return LesserFact(
        place=members.integer("place"),
        pointer=members.text("fact"),
        label=members.safe("label"),
        asked=members.safe("asked", max_len=_LONG),
        rule=members.choice("rule", Rule),
        items=tuple(display_safe(item) for item in members.texts("items")),
    )


def _read_actor(members: Members) -> Actor:
    return Actor(members.text("id"), members.safe("name"))
