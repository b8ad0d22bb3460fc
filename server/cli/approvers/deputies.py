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
    """List deputies that have not ended, by end."""
    found = admin.deputies.all()
    rows = [
        (
            one.deputy_name,
            one.user_name,
            moment(one.deputy.from_at),
            moment(one.deputy.to_at),
            one.deputy.id,
        )
        for one in found
    ]
    lines = table(("deputy", "decides for", "from", "to", "id"), rows)
    return lambda: {"items": [deputy_wire.deputy(one) for one in found]}, lines


@command.command("revoke")
@click.argument("deputy_id", metavar="ID")
@prints
def revoke(admin: OpenInstallation, deputy_id: str) -> Printed:
    """End a deputy immediately. Their decisions stay valid."""
    ended = admin.deputies.end(deputy_id, by=BY)
    line = f"{ended.deputy_name} is no longer a deputy of {ended.user_name}."
    return lambda: deputy_wire.deputy(ended), [line]
