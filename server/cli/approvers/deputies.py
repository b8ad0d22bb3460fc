"""`sayso deputies`: list deputies and end their terms."""

import click

from server.cli.opening import OpenInstallation, Printed, prints
from server.cli.output import moment, table
from server.lazy_imports import lazily

with lazily():
    from server.http.approvers import deputy_wire


@click.group("deputies")
def command() -> None:
    """List deputies, or end their terms. Users name deputies on their devices."""


@command.command("list")
@prints
def show_all(admin: OpenInstallation) -> Printed:
    """List current and upcoming deputies, by end date."""
    deputies = admin.deputies.all()
    rows = [
        (
            deputy.deputy_name,
            deputy.user_name,
            moment(deputy.deputy.from_at),
            moment(deputy.deputy.to_at),
            deputy.deputy.id,
        )
        for deputy in deputies
    ]
    lines = table(("deputy", "decides for", "from", "to", "id"), rows)
    return lambda: {"items": [deputy_wire.deputy(deputy) for deputy in deputies]}, lines


@command.command("revoke")
@click.argument("deputy_id", metavar="ID")
@prints
def revoke(admin: OpenInstallation, deputy_id: str) -> Printed:
    """End a deputy's term immediately. Their decisions stay valid."""
    deputy = admin.deputies.end(deputy_id, by=admin.by)
    line = f"{deputy.deputy_name} is no longer a deputy of {deputy.user_name}."
    return lambda: deputy_wire.deputy(deputy), [line]
