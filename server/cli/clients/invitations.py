"""`sayso agents invite`: create, list and revoke invitations to register agents."""

from shlex import quote
from typing import TypedDict, Unpack

import click

from server.cli.clients.agent_document import names_by_id
from server.cli.opening import BY, OpenInstallation
from server.cli.output import join_names, moment, rfc3339, table
from server.cli.params import moment_ms
from server.cli.printed import Printed, prints
from server.model.clients import Invitation
from server.protocol.names import AGENT_GRANT_TYPES
from server.services.clients.invitations import SAFE_GRANTS, NewInvitation

_MAX_LISTED = 10_000
_GRANTS = {grant.word: grant.name for grant in AGENT_GRANT_TYPES}


class InvitationFlags(TypedDict):
    """The limits of an invitation."""

    owner: str
    grant_types: tuple[str, ...]
    resources: tuple[str, ...]
    scopes: tuple[str, ...]
    action_types: tuple[str, ...]
    asks: tuple[str, ...]
    asks_everybody: bool
    uses: int
    expires_at: str


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
@click.option("--uses", type=click.IntRange(1, 1_000), default=1, show_default=True)
@click.option(
    "--expires", "expires_at", metavar="WHEN", default="7d", show_default=True, help="At most 90d."
)
@prints
def invite(admin: OpenInstallation, /, **flags: Unpack[InvitationFlags]) -> Printed:
    """Create an invitation to register agents. The token is shown once."""
    if flags["asks"] and flags["asks_everybody"]:
        raise click.UsageError("Use --asks or --asks-everybody, not both.")
    issued = admin.invitations.issue(_new(flags, admin.now), by=BY)
    invitation = issued.invitation
    lines = [
        f"An agent of {issued.owner.name} may register until {moment(invitation.expires_at)}.",
        "The token is shown once:",
        "",
        f"  TOKEN={issued.token}",
        "",
        "The agent registers with it:",
        f"  {_curl(admin.issuer)}",
        f"To revoke it: sayso agents uninvite {invitation.id}",
    ]
    members = {**_document(invitation, names_by_id(admin)), "initial_access_token": issued.token}
    return members, lines


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
    return {"items": [_document(item, names) for item in items]}, lines


@click.command("uninvite")
@click.argument("invitation_id", metavar="ID")
@prints
def uninvite(admin: OpenInstallation, invitation_id: str) -> Printed:
    """Revoke an invitation. Agents that already used it stay registered."""
    invitation = admin.invitations.revoke(invitation_id, by=BY)
    members = _document(invitation, names_by_id(admin))
    return members, [f"{invitation.id} is revoked."]


def _new(flags: InvitationFlags, now: int) -> NewInvitation:
    return NewInvitation(
        owner=flags["owner"],
        grant_types=tuple(_GRANTS[grant] for grant in flags["grant_types"]) or SAFE_GRANTS,
        resources=flags["resources"],
        scopes=flags["scopes"],
        action_types=flags["action_types"] or None,
        asks=None if flags["asks_everybody"] else flags["asks"],
        uses=flags["uses"],
        expires_at=moment_ms(flags["expires_at"], now),
    )


def _document(invitation: Invitation, names: dict[str, str]) -> dict[str, object]:
    asks, types = invitation.asks, invitation.action_types
    return {
        "id": invitation.id,
        "owner": names.get(invitation.owner_id, invitation.owner_id),
        "grant_types": list(invitation.grant_types),
        "resources": list(invitation.resources),
        "scopes": list(invitation.scopes),
        "action_types": None if types is None else list(types),
        "asks": None if asks is None else [names.get(person_id, person_id) for person_id in asks],
        "uses_left": invitation.uses_left,
        "created_at": rfc3339(invitation.created_at),
        "expires_at": rfc3339(invitation.expires_at),
        "revoked_at": rfc3339(invitation.revoked_at),
    }


def _curl(issuer: str) -> str:
    metadata = quote('{"client_name": "NAME"}')
    header = '-H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json"'
    return f"curl {header} -d {metadata} {quote(f'{issuer}/register')}"
