"""`sayso-approver consents`: what agents and apps can do without asking."""

import click

from approver_tui.cli import documents, lines
from approver_tui.cli.inputs import this_client
from approver_tui.cli.printing import as_json, print_document, print_lines


@click.command("consents")
@click.option("--ended", is_flag=True, help="Include those that have ended.")
@as_json
def command(*, ended: bool, as_json: bool) -> None:
    """List what agents and apps can do without asking you each time."""
    with this_client() as client:
        found = client.consents(ended=ended)
    if as_json:
        items = [documents.consent(consent) for consent in found]
        print_document({"schema": "sayso.consents/1", "items": items, "next": None})
        return
    text = [line for consent in found for line in lines.consent_lines(consent)]
    print_lines(text or ["There are none."])
