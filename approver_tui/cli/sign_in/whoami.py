"""`sayso-approver whoami`: who is logged in, and where."""

from dataclasses import asdict

import click

from approver_tui.cli import documents
from approver_tui.cli.inputs import this_client
from approver_tui.cli.lines import fact
from approver_tui.cli.printing import as_json, print_result


@click.command("whoami")
@as_json
def command() -> None:
    """Show who is logged in, and where."""
    with this_client() as client:
        me, profile = client.me(), client.profile
    document = {
        "schema": "sayso.whoami/1",
        "profile": client.home.name,
        "issuer": profile.issuer,
        "user": {**asdict(me.user), "roles": list(me.user.roles)},
        "device": None if me.device is None else documents.device(me.device),
    }
    lines = [fact("user", me.user.name), fact("server", profile.issuer)]
    lines += [fact("device", profile.device_name), fact("profile", client.home.name)]
    lines += [fact("roles", ", ".join(me.user.roles))] if me.user.roles else []
    print_result(document, lines)
