"""`sayso grants`: list and revoke users' standing grants."""

from dataclasses import replace

import click

from server.cli.opening import BY, OpenInstallation
from server.cli.output import listed, moment, rfc3339, table
from server.cli.printed import Printed, prints
from server.lazy_imports import lazily

with lazily():
    from server.protocol.standing_grants.standing_grants import Sum
    from server.services.standing_grants.displays import money_text
    from server.services.standing_grants.standing_grants import NamedStandingGrant


@click.group("grants")
def command() -> None:
    """Standing grants. Users give them on their devices; here you can revoke them."""


@command.command("list")
@click.option("--user", metavar="USER", help="Only grants of this user.")
@click.option("--agent", metavar="AGENT", help="Only grants for this agent.")
@click.option("--ended", is_flag=True, help="Include ended grants.")
@prints
def show_all(
    admin: OpenInstallation, user: str | None, agent: str | None, *, ended: bool
) -> Printed:
    """List standing grants, newest first."""
    found = admin.standing_grants.search(user=user, agent=agent, ended=ended)
    rows = [
        (
            named.user_name,
            named.agent_name,
            named.grant.resource,
            named.grant.type or listed(named.grant.scopes),
            f"{named.grant.used}/{named.grant.uses}",
            _sum(named),
            moment(named.grant.expires_at),
            named.grant.state(admin.now),
            named.grant.id,
        )
        for named in found
    ]
    heads = ("user", "agent", "resource", "what", "used", "sum", "until", "state", "id")
    items = [_document(named, admin.now) for named in found]
    return {"items": items}, table(heads, rows)


@command.command("revoke")
@click.argument("grant_id", metavar="ID")
@prints
def revoke(admin: OpenInstallation, grant_id: str) -> Printed:
    """Revoke a standing grant. The user is asked about each request again."""
    named = admin.standing_grants.revoke(grant_id, by=BY)
    line = f"Revoked the standing grant of {named.user_name} for {named.agent_name}."
    return _document(named, admin.now), [line]


def _sum(named: NamedStandingGrant) -> str:
    total = named.grant.bounds.sum
    return "-" if total is None else money_text(total)


def _money(value: Sum | None) -> dict[str, object] | None:
    if value is None:
        return None
    return {"minor": value.minor, "currency": value.currency, "text": money_text(value)}


def _document(named: NamedStandingGrant, now: int) -> dict[str, object]:
    grant = named.grant
    total = grant.bounds.sum
    spent = None if total is None else replace(total, minor=grant.spent_minor)
    return {
        "id": grant.id,
        "state": grant.state(now),
        "user": {"id": grant.user_id, "name": named.user_name},
        "agent": {"id": grant.agent_id, "name": named.agent_name},
        "resource": grant.resource,
        "scopes": list(grant.scopes),
        "type": grant.type,
        "risk": str(grant.risk),
        "uses": grant.uses,
        "used": grant.used,
        "sum": _money(total),
        "spent": _money(spent),
        "notify": grant.notify,
        "approval": grant.approval_id,
        "created_at": rfc3339(grant.created_at),
        "expires_at": rfc3339(grant.expires_at),
        "ended_at": rfc3339(grant.ended_at),
        "ended_because": grant.ended_because,
    }
