"""`sayso agents invite` and `apps invite`: invitations to register agents and apps."""

from collections.abc import Sequence
from shlex import quote
from typing import Final

import click

from server.cli.clients.agent_document import names_by_id
from server.cli.opening import OpenInstallation, Printed, prints
from server.cli.output import Document, join_names, moment, table, with_names
from server.cli.params import moment_ms
from server.lazy_imports import lazily
from server.model.clients import Invitation
from server.protocol.names import AGENT_GRANT_TYPES, USUAL_APP_GRANTS
from server.services.clients.invitations import SAFE_GRANTS, IssuedInvitation, NewInvitation

with lazily():
    from server.http.clients import invitations as api

_MAX_LISTED = 10_000
_GRANTS = {grant.word: grant.name for grant in AGENT_GRANT_TYPES}

_uses_option: Final = click.option(
    "--uses", type=click.IntRange(1, 1_000), default=1, show_default=True
)
_expires_option: Final = click.option(
    "--expires", "expires_at", metavar="WHEN", default="7d", show_default=True, help="At most 90d."
)


@click.command("invite")
@click.option("--owner", required=True, metavar="USER", help="Owner of the agents.")
@click.option("--resource", "resources", multiple=True, help="A resource they can request.")
@click.option("--scope", "scopes", multiple=True, help="A scope they can request.")
@click.option(
    "--action", "action_types", multiple=True, metavar="TYPE", help="An action type; default: all."
)
@click.option(
    "--grant",
    "grant_types",
    multiple=True,
    type=click.Choice(list(_GRANTS)),
    help="A grant type they can use; default: ciba.",
)
@click.option(
    "--asks",
    multiple=True,
    metavar="USER|GROUP",
    help="A user or group they can ask; default: the owner.",
)
@click.option("--asks-everybody", is_flag=True, help="Let them ask every user.")
@_uses_option
@_expires_option
@prints
def invite(  # noqa: PLR0913  # an invitation's members
    admin: OpenInstallation,
    /,
    *,
    owner: str,
    grant_types: tuple[str, ...],
    resources: tuple[str, ...],
    scopes: tuple[str, ...],
    action_types: tuple[str, ...],
    asks: tuple[str, ...],
    asks_everybody: bool,
    uses: int,
    expires_at: str,
) -> Printed:
    """Create an invitation to register agents. The token is shown once."""
    if asks and asks_everybody:
        raise click.UsageError("Use --asks or --asks-everybody, not both.")
    new = NewInvitation(
        owner=owner,
        grant_types=tuple(_GRANTS[grant] for grant in grant_types) or SAFE_GRANTS,
        resources=resources,
        scopes=scopes,
        action_types=action_types or None,
        asks=None if asks_everybody else asks,
        uses=uses,
        expires_at=moment_ms(expires_at, admin.now),
    )
    issued = admin.invitations.issue(new, by=admin.by)
    invitation = issued.invitation
    title = f"An agent of {issued.owner.name} may register until {moment(invitation.expires_at)}."
    usage = ["The agent registers with it:", f"  {_curl(admin.issuer)}"]
    return _with_token(admin, issued), _lines(title, issued, usage)


@click.command("invite")
@click.option(
    "--owner", required=True, metavar="USER", help="The user who is responsible for the apps."
)
@_uses_option
@_expires_option
@prints
def invite_app(admin: OpenInstallation, owner: str, uses: int, expires_at: str) -> Printed:
    """Create an invitation to register apps. The token is shown once."""
    ends = moment_ms(expires_at, admin.now)
    new = NewInvitation(owner, grant_types=USUAL_APP_GRANTS, uses=uses, expires_at=ends)
    issued = admin.invitations.issue(new, by=admin.by)
    invitation = issued.invitation
    title = f"Apps may register until {moment(invitation.expires_at)}, {uses} in all."
    usage = ["An app sends it as its initial access token to:", f"  {admin.issuer}/register"]
    return _with_token(admin, issued), _lines(title, issued, usage)


@click.command("invitations")
@prints
def show_all(admin: OpenInstallation) -> Printed:
    """List all invitations, including expired and revoked ones."""
    names = names_by_id(admin)
    items = admin.invitations.page("", _MAX_LISTED).items
    rows = [
        (
            item.id,
            names.get(item.owner_id, item.owner_id),
            str(item.uses_left),
            "revoked" if item.revoked_at else moment(item.expires_at),
            join_names(item.scopes),
        )
        for item in items
    ]
    lines = table(("id", "owner", "uses left", "ends", "scopes"), rows)
    return lambda: {"items": [_document(admin, item) for item in items]}, lines


@click.command("uninvite")
@click.argument("invitation_id", metavar="ID")
@prints
def uninvite(admin: OpenInstallation, invitation_id: str) -> Printed:
    """Revoke an invitation. Agents that already used it stay registered."""
    invitation = admin.invitations.revoke(invitation_id, by=admin.by)
    return lambda: _document(admin, invitation), [f"{invitation.id} is revoked."]


def _lines(title: str, issued: IssuedInvitation, usage: Sequence[str]) -> list[str]:
    """The token, which is shown once, and how to use it."""
    token = ["The token is shown once:", "", f"  TOKEN={issued.token}", ""]
    return [title, *token, *usage, f"To revoke it: sayso agents uninvite {issued.invitation.id}"]


def _document(admin: OpenInstallation, invitation: Invitation) -> dict[str, object]:
    return with_names(api.document(admin, invitation), "owner", "asks")


def _with_token(admin: OpenInstallation, issued: IssuedInvitation) -> Document:
    return lambda: {**_document(admin, issued.invitation), "initial_access_token": issued.token}


def _curl(issuer: str) -> str:
    metadata = quote('{"client_name": "NAME"}')
    header = '-H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json"'
    return f"curl {header} -d {metadata} {quote(f'{issuer}/register')}"
