"""`sayso delegations`: list, show and revoke issued tokens."""

from collections.abc import Sequence

import click

from server.cli.opening import BY, OpenInstallation, administers
from server.cli.output import answer, json_option, moment, rfc3339, sheet, table
from server.model.tokens import NamedDelegation


@click.group("delegations")
def command() -> None:
    """Issued tokens: who acts for whom, where, through which chain, until when."""


@command.command("list")
@click.option("--client", metavar="CLIENT", help="Only tokens of this agent or app.")
@click.option("--user", metavar="USER", help="Only tokens that act for this user.")
@click.option("--resource", metavar="URI", help="Only tokens for this resource.")
@click.option("--ended", is_flag=True, help="Include expired and revoked tokens.")
@click.option("--limit", type=click.IntRange(1, 1_000), default=50, show_default=True)
@json_option
@administers
def show_all(  # noqa: PLR0913  # one for each filter
    admin: OpenInstallation,
    client: str | None,
    user: str | None,
    resource: str | None,
    limit: int,
    *,
    ended: bool,
    as_json: bool,
) -> None:
    """List the newest delegations that match."""
    found = admin.delegations.search(
        client=client, user=user, resource=resource, ended=ended, limit=limit
    )
    rows = [_row(named, admin.now) for named in found]
    lines = table(("who", "for", "resource", "scope", "until", "last used", "state", "id"), rows)
    items = [delegation_document(named, admin.now) for named in found]
    answer({"items": items}, lines, as_json=as_json)


@command.command("show")
@click.argument("jti", metavar="ID")
@json_option
@administers
def show(admin: OpenInstallation, jti: str, *, as_json: bool) -> None:
    """Show one delegation, its ancestors and its descendants."""
    chain = admin.delegations.show(jti)
    now = admin.now
    members = {
        **delegation_document(chain.delegation, now),
        "before": [delegation_document(named, now) for named in chain.ancestors],
        "after": [delegation_document(named, now) for named in chain.descendants],
    }
    lines = delegation_lines(chain.delegation, now)
    lines += _named("Derived from:", chain.ancestors, now)
    lines += _named("Tokens derived from it:", chain.descendants, now)
    answer(members, lines, as_json=as_json)


@command.command("revoke")
@click.argument("jti", metavar="ID")
@json_option
@administers
def revoke(admin: OpenInstallation, jti: str, *, as_json: bool) -> None:
    """Revoke a delegation and the tokens derived from it."""
    named, count = admin.delegations.revoke(jti, by=BY)
    members = {**delegation_document(named, admin.now), "tokens_revoked": count}
    answer(members, [f"{jti} is revoked.", f"Tokens revoked: {count}."], as_json=as_json)


def delegation_document(named: NamedDelegation, now: int) -> dict[str, object]:
    """Return a delegation as JSON."""
    row = named.delegation
    user = None if named.user is None else {"id": named.user.id, "name": named.user.name}
    return {
        "id": row.id,
        "state": named.state(now),
        "client": {"id": row.client_id, "name": named.client_name},
        "user": user,
        "resource": row.resource,
        "scope": row.scope.split(),
        "actors": [{"id": actor, "name": name} for actor, name in named.actors],
        "depth": row.depth,
        "parent": row.parent_id,
        "approval": row.approval_id,
        "consent": row.consent_id,
        "bound": row.jkt is not None,
        "issued_at": rfc3339(row.issued_at),
        "expires_at": rfc3339(row.expires_at),
        "last_used_at": rfc3339(row.last_used_at),
        "revoked_at": rfc3339(row.revoked_at),
    }


def delegation_lines(named: NamedDelegation, now: int) -> list[str]:
    """Return a delegation as lines of text."""
    row = named.delegation
    return sheet(
        {
            "id": row.id,
            "who": named.client_name,
            "for": _for(named),
            "resource": row.resource,
            "scope": row.scope or "none",
            "through": " for ".join(name for _, name in named.actors[1:]) or None,
            "state": named.state(now),
            "approval": row.approval_id,
            "consent": row.consent_id,
            "bound to": row.jkt,
            "issued": moment(row.issued_at),
            "until": moment(row.expires_at),
            "last used": moment(row.last_used_at),
            "revoked": None if row.revoked_at is None else moment(row.revoked_at),
        }
    )


def chain_rows(chain: Sequence[NamedDelegation], now: int) -> list[str]:
    """Return delegations as a table, one line each."""
    header = ("who", "for", "resource", "scope", "until", "last used", "state", "id")
    return table(header, [_row(named, now) for named in chain])


def _named(title: str, chain: Sequence[NamedDelegation], now: int) -> list[str]:
    return ["", title, *chain_rows(chain, now)] if chain else []


def _row(named: NamedDelegation, now: int) -> tuple[str, ...]:
    row = named.delegation
    through = "".join(f", for {name}" for _, name in named.actors[1:])
    return (
        f"{named.client_name}{through}",
        _for(named),
        row.resource,
        row.scope or "none",
        moment(row.expires_at),
        moment(row.last_used_at),
        named.state(now),
        row.id,
    )


def _for(named: NamedDelegation) -> str:
    if named.user is not None:
        return named.user.name
    return "itself" if named.delegation.user_id is None else "nobody"
