"""`sayso-approver consents` and `revoke`: what agents and apps can do without asking.

Revoking removes access, so it requires no PIN.
"""

import click

from approver_tui.cli import documents, lines, references
from approver_tui.cli.inputs import this_client
from approver_tui.cli.printing import as_json, print_list, print_result
from approver_tui.state.text import pluralize


@click.command("consents")
@click.option("--ended", is_flag=True, help="Include consents that have ended.")
@as_json
def consents(*, ended: bool) -> None:
    """List what agents and apps can do without asking you each time."""
    with this_client() as client:
        all_consents = client.consents(ended=ended)
    text = [line for consent in all_consents for line in lines.consent_lines(consent)]
    print_list("sayso.consents/1", documents.to_json(all_consents), text, empty="No consents.")


@click.command("revoke")
@click.argument("consent_id", metavar="ID")
@as_json
def revoke(*, consent_id: str) -> None:
    """Revoke a consent and every token issued from it."""
    with this_client() as client:
        consent, tokens = client.revoke_consent(references.consent_id(client, consent_id))
    document = {"schema": "sayso.consent/1", **documents.to_json(consent), "tokens_revoked": tokens}
    revoked = pluralize(tokens, "token was", "tokens were")
    text = f"Revoked: {consent.client_name} at {consent.resource}. {revoked} also revoked."
    print_result(document, [text])
