"""`sayso-approver consents`: what agents and apps can do without asking."""

import click

from approver_tui.cli import documents, lines
from approver_tui.cli.inputs import this_client
from approver_tui.cli.printing import as_json, print_list


@click.command("consents")
@click.option("--ended", is_flag=True, help="Include consents that have ended.")
@as_json
def command(*, ended: bool) -> None:
    """List what agents and apps can do without asking you each time."""
    with this_client() as client:
        consents = client.consents(ended=ended)
    items = [documents.consent(consent) for consent in consents]
    text = [line for consent in consents for line in lines.consent_lines(consent)]
    print_list("sayso.consents/1", items, text)
