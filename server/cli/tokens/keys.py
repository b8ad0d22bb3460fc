"""`sayso keys`: list, rotate and revoke the signing keys."""

import click

from server.cli.opening import OpenInstallation, Printed, prints
from server.cli.output import moment, table
from server.model.tokens import SigningKey
from server.protocol import names
from server.protocol.times import rfc3339, rfc3339_or_none


@click.group("keys")
def command() -> None:
    """Signing keys. Their private halves are encrypted in the database."""


@command.command("list")
@prints
def show_all(admin: OpenInstallation) -> Printed:
    """List the published keys, newest first."""
    keys = admin.keys.all()
    rows = [(k.alg, k.state, moment(k.created_at), moment(k.retires_at), k.kid) for k in keys]
    lines = table(("alg", "state", "created", "retires", "kid"), rows)
    return {"items": [_document(key) for key in keys]}, lines


@command.command("rotate")
@click.option(
    "--alg",
    type=click.Choice(names.SIGNING_ALGS),
    help="Algorithm; default: the one that signs access tokens.",
)
@prints
def rotate(admin: OpenInstallation, alg: str | None) -> Printed:
    """Sign with a new key. The old key stays published until its tokens have expired."""
    rotated = admin.keys.rotate(alg or admin.services.settings.access_token_alg, by=admin.by)
    members = {
        **_document(rotated.key),
        "retiring": [key.kid for key in rotated.retiring],
        "dropped": list(rotated.dropped),
    }
    lines = [
        f"{rotated.key.alg} tokens are now signed with {rotated.key.kid}.",
        "The old key retires automatically. See: sayso keys list",
    ]
    return members, lines


@command.command("revoke")
@click.argument("kid")
@prints
def revoke(admin: OpenInstallation, kid: str) -> Printed:
    """Remove a leaked key immediately.

    Tokens that it signed are no longer valid at /introspect. Terminals get new tokens
    automatically. A resource that checks signatures accepts the key until it fetches the key set
    again.
    """
    revoked = admin.keys.revoke(kid, by=admin.by)
    new = revoked.replaced_by
    lines = [f"{kid} is revoked. The tokens that it signed are no longer valid."]
    if new is not None:
        lines.append(f"{new.alg} tokens are now signed with {new.kid}.")
    lines.append("Make every resource that checks signatures fetch the key set again.")
    members = {
        "kid": kid,
        "alg": revoked.alg,
        "revoked": True,
        "replaced_by": None if new is None else _document(new),
    }
    return members, lines


def _document(key: SigningKey) -> dict[str, object]:
    return {
        "kid": key.kid,
        "alg": key.alg,
        "state": key.state,
        "created_at": rfc3339(key.created_at),
        "retires_at": rfc3339_or_none(key.retires_at),
    }
