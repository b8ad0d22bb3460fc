"""`sayso keys`: our signing keys."""

import click

from server.cli.opening import BY, OpenInstallation, administers
from server.cli.output import answer, json_option, moment, rfc3339, table
from server.model.tokens import SigningKey
from server.protocol import names


@click.group("keys")
def command() -> None:
    """Signing keys. Their private halves lie sealed in the database."""


@command.command("list")
@json_option
@administers
def show_all(desk: OpenInstallation, *, as_json: bool) -> None:
    """Every key that is published, newest first."""
    keys = desk.keys.all()
    rows = [(k.alg, k.state, moment(k.created_at), moment(k.retires_at), k.kid) for k in keys]
    lines = table(("alg", "state", "made", "leaves", "kid"), rows)
    answer({"items": [_document(key) for key in keys]}, lines, as_json=as_json)


@command.command("rotate")
@click.option(
    "--alg",
    type=click.Choice(names.SIGNING_ALGS),
    help="Which one; that of access tokens if unsaid.",
)
@json_option
@administers
def rotate(desk: OpenInstallation, alg: str | None, *, as_json: bool) -> None:
    """Sign with a new key from now on. The old one stays published while its tokens live."""
    rotated = desk.keys.rotate(alg or desk.services.settings.access_token_alg, by=BY)
    members = {
        **_document(rotated.key),
        "retiring": [key.kid for key in rotated.retiring],
        "dropped": list(rotated.dropped),
    }
    lines = [
        f"{rotated.key.alg} tokens are signed with {rotated.key.kid} from now on.",
        "The old key leaves by itself. See: sayso keys list",
    ]
    answer(members, lines, as_json=as_json)


@command.command("revoke")
@click.argument("kid")
@json_option
@administers
def revoke(desk: OpenInstallation, kid: str, *, as_json: bool) -> None:
    """Take a key away at once, because somebody else may have it.

    What it signed counts no more at /introspect; people's terminals get new tokens by themselves.
    A resource that checks signatures alone goes on with the keys that it has fetched.
    """
    revoked = desk.keys.revoke(kid, by=BY)
    new = revoked.replaced_by
    lines = [f"{kid} is gone: nothing that it signed counts any more."]
    if new is not None:
        lines.append(f"{new.alg} tokens are signed with {new.kid} from now on.")
    lines.append("Have every resource that checks signatures fetch the keys again.")
    members = {
        "kid": kid,
        "alg": revoked.alg,
        "revoked": True,
        "replaced_by": None if new is None else _document(new),
    }
    answer(members, lines, as_json=as_json)


def _document(key: SigningKey) -> dict[str, object]:
    return {
        "kid": key.kid,
        "alg": key.alg,
        "state": key.state,
        "created_at": rfc3339(key.created_at),
        "retires_at": rfc3339(key.retires_at),
    }
