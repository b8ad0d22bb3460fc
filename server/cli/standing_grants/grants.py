"""`sayso grants`: list and revoke users' standing grants."""

import click

from server.cli.opening import OpenInstallation, Printed, prints
from server.cli.output import join_names, moment, table
from server.lazy_imports import lazily

with lazily():
    from server.http.standing_grants import standing_grant_wire
    from server.services.standing_grants.displays import money_text
    from server.services.standing_grants.standing_grants import NamedStandingGrant


@click.group("grants")
def command() -> None:
    """List or revoke standing grants. Users create them on their devices."""


@command.command("list")
@click.option("--user", metavar="USER", help="Show only this user's grants.")
@click.option("--agent", metavar="AGENT", help="Show only grants for this agent.")
@click.option("--ended", is_flag=True, help="Include ended grants.")
@prints
def show_all(
    admin: OpenInstallation, user: str | None, agent: str | None, *, ended: bool
) -> Printed:
    """List standing grants, newest first."""
    grants, now = admin.standing_grants.search(user=user, agent=agent, ended=ended), admin.now
    rows = [
        (
            grant.user_name,
            grant.agent_name,
            grant.grant.resource,
            grant.grant.type or join_names(grant.grant.scopes),
            f"{grant.grant.used}/{grant.grant.uses}",
            _sum(grant),
            moment(grant.grant.expires_at),
            grant.grant.state(now),
            grant.grant.id,
        )
        for grant in grants
    ]
    lines = table(
        ("user", "agent", "resource", "what", "used", "sum", "until", "state", "id"), rows
    )
    return lambda: {"items": [standing_grant_wire.managed(grant, now) for grant in grants]}, lines


@command.command("revoke")
@click.argument("grant_id", metavar="ID")
@prints
def revoke(admin: OpenInstallation, grant_id: str) -> Printed:
    """Revoke a standing grant. From then on, the user is asked about each request."""
    grant = admin.standing_grants.revoke(grant_id, by=admin.by)
    line = f"Revoked the standing grant of {grant.user_name} for {grant.agent_name}."
    return lambda: standing_grant_wire.managed(grant, admin.now), [line]


def _sum(standing_grant: NamedStandingGrant) -> str:
    total = standing_grant.grant.bounds.sum
    return "-" if total is None else money_text(total)
