"""`sayso keys`: list, rotate and revoke the signing keys."""

import click

from server.cli.opening import OpenInstallation, Printed, prints
from server.cli.output import members_of, moment, table
from server.lazy_imports import lazily
from server.protocol import names

with lazily():
    from server.http.tokens import keys as api


@click.group("keys")
def command() -> None:
    """Signing keys. The private keys are encrypted in the database."""


@command.command("list")
@prints
def show_all(admin: OpenInstallation) -> Printed:
    """List the published keys, newest first."""
    keys = admin.keys.all()
    rows = [(k.alg, k.state, moment(k.created_at), moment(k.retires_at), k.kid) for k in keys]
    lines = table(("alg", "state", "created", "retires", "kid"), rows)
    return lambda: {"items": [api.ManagedKey.of(key) for key in keys]}, lines


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
    lines = [
        f"{rotated.key.alg} tokens are now signed with {rotated.key.kid}.",
        "The old key retires automatically. See: sayso keys list",
    ]
    old = {
        "retiring": [key.kid for key in rotated.retiring],
        "dropped": rotated.dropped,
    }
    return lambda: {**members_of(api.ManagedKey.of(rotated.key)), **old}, lines


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
    return lambda: {**members_of(api.RevokedKey.of(revoked)), "revoked": True}, lines
