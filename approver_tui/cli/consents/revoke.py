"""`sayso-approver revoke`: revoke a consent. It removes power, so it requires no PIN."""

import click

from approver_tui.cli import documents, references
from approver_tui.cli.inputs import this_client
from approver_tui.cli.printing import as_json, print_result
from approver_tui.state.text import pluralize


@click.command("revoke")
@click.argument("consent_id", metavar="ID")
@as_json
def command(*, consent_id: str) -> None:
    """Revoke a consent. Every token issued from it ends at once."""
    with this_client() as client:
        consent, tokens = client.revoke_consent(references.consent_id(client, consent_id))
    document = {"schema": "sayso.consent/1", **documents.consent(consent), "tokens_revoked": tokens}
    safe_text = pluralize(tokens, "token")
    text = f"Revoked: {consent.client_name} at {consent.resource}. {safe_text} also ended."
    print_result(document, [text])
