"""`sayso deputies`: list and end deputies."""

import click

from server.cli.opening import BY, OpenInstallation
from server.cli.output import moment, table
from server.cli.printed import Printed, prints
from server.lazy_imports import lazily

with lazily():
    from server.http.approvers import deputy_wire


@click.group("deputies")
def command() -> None:
    """Deputies. People name deputies on their devices; here you can end them."""


@command.command("list")
@prints
def show_all(admin: OpenInstallation) -> Printed:
    """List current and future deputies, ordered by end date."""
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
    """End a deputy immediately. Their decisions stay valid."""
    deputy = admin.deputies.end(deputy_id, by=BY)
    line = f"{deputy.deputy_name} is no longer a deputy of {deputy.user_name}."
    return lambda: deputy_wire.deputy(deputy), [line]
