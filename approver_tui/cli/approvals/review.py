"""`sayso-approver review`: review and answer waiting requests, in the app or line by line."""

import click

from approver_tui import loading, settings
from approver_tui.cli import completing
from approver_tui.cli.printing import has_terminal
from approver_tui.cli.sign_in.homes import this_home


@click.command("review")
@completing.optional_approval_argument
@click.option("--plain", is_flag=True, help="Plain lines instead of the full-screen app.")
def review(*, approval_id: str | None, plain: bool) -> None:
    """Review the waiting requests and answer them.

    With --plain, in a dumb terminal, and with the setting `plain`, it works line by line: for
    screen readers, slow connections and logs. Otherwise the app opens.
    """
    if click.get_current_context().find_root().params.get("no_input"):
        raise click.UsageError(
            "review is interactive. With --no-input, use inbox, approve and deny."
        )
    if approval_id is not None:
        approval_id = loading.module("approver_tui.cli.references").find_approval_id(approval_id)
    if plain or settings.load().is_plain or not has_terminal():
        loading.module("approver_tui.cli.approvals.line_mode").run(approval_id)
    else:
        loading.module("approver_tui.app").run(this_home(), approval_id)
