"""`sayso delegations`: list, show and revoke issued tokens."""

from collections.abc import Sequence

import click

from server.cli.opening import OpenInstallation, Printed, prints
from server.cli.output import Document, members_of, moment, sheet, table
from server.lazy_imports import lazily
from server.model.tokens import NamedDelegation

with lazily():
    from server.http.tokens import delegation_wire as wire


@click.group("delegations")
def command() -> None:
    """Issued tokens: who acts for whom, where, through which chain, until when."""


@command.command("list")
@click.option("--client", metavar="CLIENT", help="Only tokens of this agent or app.")
@click.option("--user", metavar="USER", help="Only tokens that act for this user.")
@click.option("--resource", metavar="URI", help="Only tokens for this resource.")
@click.option("--ended", is_flag=True, help="Include expired and revoked tokens.")
@click.option("--limit", type=click.IntRange(1, 1_000), default=50, show_default=True)
@prints
def show_all(
    admin: OpenInstallation,
    client: str | None,
    user: str | None,
    resource: str | None,
    limit: int,
    *,
    ended: bool,
) -> Printed:
    """List the newest delegations that match."""
    delegations = admin.delegations.search(
        client=client, user=user, resource=resource, ended=ended, limit=limit
    )
    return (
        lambda: {"items": [wire.delegation(delegation, admin.now) for delegation in delegations]},
        delegation_table(delegations, admin.now),
    )


@command.command("show")
@click.argument("jti", metavar="ID")
@prints
def show(admin: OpenInstallation, jti: str) -> Printed:
    """Show one delegation, its ancestors and its descendants."""
    chain, now = admin.delegations.show(jti), admin.now
    lines = _lines(chain.delegation, now)
    lines += _section("Derived from:", chain.ancestors, now)
    lines += _section("Tokens derived from it:", chain.descendants, now)
    return (
        lambda: {
            **members_of(wire.delegation(chain.delegation, now)),
            "before": [wire.delegation(delegation, now) for delegation in chain.ancestors],
            "after": [wire.delegation(delegation, now) for delegation in chain.descendants],
        },
        lines,
    )


@command.command("revoke")
@click.argument("jti", metavar="ID")
@prints
def revoke(admin: OpenInstallation, jti: str) -> Printed:
    """Revoke a delegation and the tokens derived from it."""
    delegation, count = admin.delegations.revoke(jti, by=admin.by)
    lines = [f"{jti} is revoked.", f"Tokens revoked: {count}."]
    return revoked_document(delegation, admin.now, count), lines


def revoked_document(delegation: NamedDelegation, now: int, tokens: int) -> Document:
    """Return a revoked delegation as JSON, with the number of revoked tokens."""
    return lambda: {**members_of(wire.delegation(delegation, now)), "tokens_revoked": tokens}


def _lines(delegation: NamedDelegation, now: int) -> list[str]:
    row = delegation.delegation
    return sheet(
        {
            "id": row.id,
            "who": delegation.client_name,
            "for": _subject_name(delegation),
            "resource": row.resource,
            "scope": row.scope or "none",
            "through": " for ".join(name for _, name in delegation.actors[1:]) or None,
            "state": delegation.state(now),
            "approval": row.approval_id,
            "consent": row.consent_id,
            "bound to": row.jkt,
            "issued": moment(row.issued_at),
            "until": moment(row.expires_at),
            "last used": moment(row.last_used_at),
            "revoked": None if row.revoked_at is None else moment(row.revoked_at),
        }
    )


def delegation_table(delegations: Sequence[NamedDelegation], now: int) -> list[str]:
    """Return delegations as a table, one line each."""
    header = ("who", "for", "resource", "scope", "until", "last used", "state", "id")
    return table(header, [_row(delegation, now) for delegation in delegations])


def _section(title: str, chain: Sequence[NamedDelegation], now: int) -> list[str]:
    return ["", title, *delegation_table(chain, now)] if chain else []


def _row(delegation: NamedDelegation, now: int) -> tuple[str, ...]:
    row = delegation.delegation
    through = "".join(f", for {name}" for _, name in delegation.actors[1:])
    return (
        f"{delegation.client_name}{through}",
        _subject_name(delegation),
        row.resource,
        row.scope or "none",
        moment(row.expires_at),
        moment(row.last_used_at),
        delegation.state(now),
        row.id,
    )


def _subject_name(delegation: NamedDelegation) -> str:
    if delegation.user is not None:
        return delegation.user.name
    return "itself" if delegation.delegation.user_id is None else "nobody"
