"""`sayso delegations`: the ledger of issued tokens, by their ids."""

from collections.abc import Sequence

import click

from server.cli.opening import BY, OpenInstallation, administers
from server.cli.output import answer, json_option, moment, rfc3339, sheet, table
from server.model.tokens import NamedDelegation


@click.group("delegations")
def command() -> None:
    """Issued tokens: who acts for whom, where, through which chain, until when."""


@command.command("list")
@click.option("--client", metavar="CLIENT", help="Of one agent or app alone.")
@click.option("--user", metavar="USER", help="For one user alone.")
@click.option("--resource", metavar="URI", help="At one resource alone.")
@click.option("--ended", is_flag=True, help="Also those that are over.")
@click.option("--limit", type=click.IntRange(1, 1_000), default=50, show_default=True)
@json_option
@administers
def show_all(  # noqa: PLR0913  # what it can be narrowed by
    desk: OpenInstallation,
    client: str | None,
    user: str | None,
    resource: str | None,
    limit: int,
    *,
    ended: bool,
    as_json: bool,
) -> None:
    """The newest delegations that match."""
    found = desk.ledger.search(
        client=client, user=user, resource=resource, ended=ended, limit=limit
    )
    rows = [_row(held, desk.now) for held in found]
    lines = table(("who", "for", "resource", "scope", "until", "last used", "state", "id"), rows)
    items = [delegation_document(held, desk.now) for held in found]
    answer({"items": items}, lines, as_json=as_json)


@command.command("show")
@click.argument("jti", metavar="ID")
@json_option
@administers
def show(desk: OpenInstallation, jti: str, *, as_json: bool) -> None:
    """One delegation with its chain: what it came from, and what came from it."""
    chain = desk.ledger.show(jti)
    now = desk.now
    members = {
        **delegation_document(chain.held, now),
        "before": [delegation_document(held, now) for held in chain.before],
        "after": [delegation_document(held, now) for held in chain.after],
    }
    lines = delegation_lines(chain.held, now)
    lines += _named("It came from:", chain.before, now)
    lines += _named("From it came:", chain.after, now)
    answer(members, lines, as_json=as_json)


@command.command("revoke")
@click.argument("jti", metavar="ID")
@json_option
@administers
def revoke(desk: OpenInstallation, jti: str, *, as_json: bool) -> None:
    """End a delegation and all that came from it."""
    held, count = desk.ledger.revoke(jti, by=BY)
    members = {**delegation_document(held, desk.now), "tokens_revoked": count}
    answer(members, [f"{jti} is revoked.", f"Tokens revoked: {count}."], as_json=as_json)


def delegation_document(held: NamedDelegation, now: int) -> dict[str, object]:
    """A delegation in JSON."""
    one = held.delegation
    user = None if held.user is None else {"id": held.user.id, "name": held.user.name}
    return {
        "id": one.id,
        "state": held.state(now),
        "client": {"id": one.client_id, "name": held.client_name},
        "user": user,
        "resource": one.resource,
        "scope": one.scope.split(),
        "actors": [{"id": actor, "name": name} for actor, name in held.actors],
        "depth": one.depth,
        "parent": one.parent_id,
        "approval": one.approval_id,
        "consent": one.consent_id,
        "bound": one.jkt is not None,
        "issued_at": rfc3339(one.issued_at),
        "expires_at": rfc3339(one.expires_at),
        "last_used_at": rfc3339(one.last_used_at),
        "revoked_at": rfc3339(one.revoked_at),
    }


def delegation_lines(held: NamedDelegation, now: int) -> list[str]:
    """A delegation as a person reads it."""
    one = held.delegation
    return sheet(
        {
            "id": one.id,
            "who": held.client_name,
            "for": _for(held),
            "resource": one.resource,
            "scope": one.scope or "none",
            "through": " for ".join(name for _, name in held.actors[1:]) or None,
            "state": held.state(now),
            "approval": one.approval_id,
            "consent": one.consent_id,
            "bound to": one.jkt,
            "issued": moment(one.issued_at),
            "until": moment(one.expires_at),
            "last used": moment(one.last_used_at),
            "revoked": None if one.revoked_at is None else moment(one.revoked_at),
        }
    )


def chain_rows(chain: Sequence[NamedDelegation], now: int) -> list[str]:
    """Delegations, one line each."""
    header = ("who", "for", "resource", "scope", "until", "last used", "state", "id")
    return table(header, [_row(held, now) for held in chain])


def _named(title: str, chain: Sequence[NamedDelegation], now: int) -> list[str]:
    return ["", title, *chain_rows(chain, now)] if chain else []


def _row(held: NamedDelegation, now: int) -> tuple[str, ...]:
    one = held.delegation
    through = "".join(f", for {name}" for _, name in held.actors[1:])
    return (
        f"{held.client_name}{through}",
        _for(held),
        one.resource,
        one.scope or "none",
        moment(one.expires_at),
        moment(one.last_used_at),
        held.state(now),
        one.id,
    )


def _for(held: NamedDelegation) -> str:
    if held.user is not None:
        return held.user.name
    return "itself" if held.delegation.user_id is None else "nobody"
