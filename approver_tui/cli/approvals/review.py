"""`sayso-approver review`: look through what waits and answer it, in the app or line by line."""

import click

from approver_tui import loading, settings
from approver_tui.cli.printing import has_terminal
from approver_tui.cli.sign_in.homes import this_home


@click.command("review")
@click.argument("approval_id", metavar="[ID]", required=False)
@click.option("--plain", is_flag=True, help="Lines instead of screens.")
def command(*, approval_id: str | None, plain: bool) -> None:
    """Look through what waits, and answer it.

    With --plain, in a terminal that can do no more, and with the setting `plain`, line by line: for
    screen readers, slow lines and logs. Otherwise the app opens.
    """
    if click.get_current_context().find_root().params.get("no_input"):
        raise click.UsageError("With --no-input use inbox, approve and deny: review asks.")
    if plain or settings.load().is_plain or not has_terminal():
        loading.module("approver_tui.cli.approvals.line_mode").run(approval_id)
    else:
        loading.module("approver_tui.app").run(this_home(), approval_id)
