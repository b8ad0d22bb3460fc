"""`sayso consents`: list and revoke users' consents."""

import click

from server.cli.opening import BY, OpenInstallation, administers
from server.cli.output import answer, json_option, listed, moment, rfc3339, table
from server.services.consents.consents import GivenConsent


@click.group("consents")
def command() -> None:
    """Consents. Users give them on their devices; here you can revoke them."""


@command.command("list")
@click.option("--user", metavar="USER", help="Only consents of this user.")
@click.option("--client", metavar="CLIENT", help="Only consents for this agent or app.")
@click.option("--ended", is_flag=True, help="Include ended consents.")
@json_option
@administers
def show_all(
    admin: OpenInstallation, user: str | None, client: str | None, *, ended: bool, as_json: bool
) -> None:
    """List consents, newest first."""
    found = admin.consents.search(user=user, client=client, ended=ended)
    rows = [
        (
            given.user_name,
            given.client_name,
            given.consent.resource,
            listed(given.consent.scopes),
            moment(given.consent.expires_at),
            given.state(admin.now),
            given.consent.id,
        )
        for given in found
    ]
    lines = table(("user", "client", "resource", "scopes", "until", "state", "id"), rows)
    answer({"items": [_document(given, admin.now) for given in found]}, lines, as_json=as_json)


@command.command("revoke")
@click.argument("consent_id", metavar="ID")
@json_option
@administers
def revoke(admin: OpenInstallation, consent_id: str, *, as_json: bool) -> None:
    """Revoke a consent and every token issued under it."""
    given, tokens = admin.consents.revoke(consent_id, by=BY)
    members = {**_document(given, admin.now), "tokens_revoked": tokens}
    line = f"Revoked the consent of {given.user_name} for {given.client_name}, and {tokens} tokens."
    answer(members, [line], as_json=as_json)


def _document(given: GivenConsent, now: int) -> dict[str, object]:
    consent = given.consent
    return {
        "id": consent.id,
        "state": given.state(now),
        "user": {"id": consent.user_id, "name": given.user_name},
        "client": {"id": consent.client_id, "name": given.client_name},
        "app": {"id": consent.app_id, "name": given.app_name} if given.app_name else None,
        "resource": consent.resource,
        "scopes": list(consent.scopes),
        "created_at": rfc3339(consent.created_at),
        "expires_at": rfc3339(consent.expires_at),
        "revoked_at": rfc3339(consent.revoked_at),
        "approval": consent.approval_id,
    }
