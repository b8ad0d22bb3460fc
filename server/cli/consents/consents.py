"""`sayso consents`: list and revoke users' consents."""

import click

from server.cli.opening import OpenInstallation, Printed, prints
from server.cli.output import join_names, members_of, moment, table
from server.lazy_imports import lazily
from server.protocol.text import pluralize

with lazily():
    from server.http.consents import consents as api


@click.group("consents")
def command() -> None:
    """Consents. Users give them on their devices; here you can revoke them."""


@command.command("list")
@click.option("--user", metavar="USER", help="Only consents of this user.")
@click.option("--client", metavar="CLIENT", help="Only consents for this agent or app.")
@click.option("--ended", is_flag=True, help="Include ended consents.")
@prints
def show_all(
    admin: OpenInstallation, user: str | None, client: str | None, *, ended: bool
) -> Printed:
    """List consents, newest first."""
    consents = admin.consents.search(user=user, client=client, ended=ended)
    rows = [
        (
            consent.user_name,
            consent.client_name,
            consent.consent.resource,
            join_names(consent.consent.scopes),
            moment(consent.consent.expires_at),
            consent.state(admin.now),
            consent.consent.id,
        )
        for consent in consents
    ]
    lines = table(("user", "client", "resource", "scopes", "until", "state", "id"), rows)
    return lambda: {"items": [api.managed_consent(c, admin.now) for c in consents]}, lines


@command.command("revoke")
@click.argument("consent_id", metavar="ID")
@prints
def revoke(admin: OpenInstallation, consent_id: str) -> Printed:
    """Revoke a consent and every token issued under it."""
    consent, tokens = admin.consents.revoke(consent_id, by=admin.by)
    revoked = f"the consent of {consent.user_name} for {consent.client_name}"
    return (
        lambda: {**members_of(api.managed_consent(consent, admin.now)), "tokens_revoked": tokens},
        [f"Revoked {revoked}, and {pluralize(tokens, 'token')}."],
    )
