"""`sayso agents`: list, show, enable, disable and delete agents.

`agent_flags.py` has `add` and `update`, because of their many flags.
"""

import click

from server.cli import members
from server.cli.clients.agent_document import (
    agent_document,
    agent_lines,
    names_by_id,
    pause_document,
    pause_line,
)
from server.cli.opening import BY, OpenInstallation
from server.cli.output import join_names, moment, rfc3339, table
from server.cli.params import overlap_option
from server.cli.printed import Printed, prints
from server.cli.split_group import SplitGroup
from server.lazy_imports import lazily
from server.services.clients.agent_members import AGENT_MEMBERS

with lazily():
    from server.cli.clients.usage import usage_lines
    from server.services.clients.agents import DisabledAgent


@click.group(
    "agents",
    cls=SplitGroup,
    elsewhere={
        "add": "clients.agent_flags.add",
        "update": "clients.agent_flags.update",
        "change-auth": "clients.agent_auth.change_auth",
        "invite": "clients.invitations.invite",
        "invitations": "clients.invitations.show_all",
        "uninvite": "clients.invitations.uninvite",
        "orphans": "incidents.orphans.orphans",
    },
)
def command() -> None:
    """Agents. AGENT is a name or a client_id."""


@command.command("list")
@members.search_flags(AGENT_MEMBERS)
@prints
def show_all(admin: OpenInstallation, /, **flags: str | None) -> Printed:
    """List agents by name."""
    names = names_by_id(admin)
    agents = admin.agents.all(members.having(flags))
    rows = [
        (
            agent.name,
            agent.state,
            join_names(names.get(owner, owner) for owner in agent.owners),
            moment(agent.expires_at),
            agent.id,
        )
        for agent in agents
    ]
    lines = table(("name", "state", "owners", "expires", "client_id"), rows)
    return {"items": [agent_document(a, names) for a in agents]}, lines


@command.command("show")
@click.argument("name_or_id", metavar="AGENT")
@prints
def show(admin: OpenInstallation, name_or_id: str) -> Printed:
    """Show one agent: its permissions, owners, secrets and keys, and when they were used."""
    agent, _ = admin.agents.show(name_or_id)
    names = names_by_id(admin)
    pauses = admin.pauses.of_agent(agent.id)
    quarantine_at = admin.orphans.grace_end(agent.id)
    document = {
        **agent_document(agent, names),
        "pauses": [pause_document(pause) for pause in pauses],
        "quarantine_at": rfc3339(quarantine_at),
    }
    grace = (
        []
        if quarantine_at is None
        else [f"no enabled owner: will be quarantined at {moment(quarantine_at)}"]
    )
    lines = [*agent_lines(agent, names), *grace, *(pause_line(pause) for pause in pauses)]
    return document, lines


@command.command("disable")
@click.argument("name_or_id", metavar="AGENT")
@click.option("--dry-run", is_flag=True, help="Show what would end, without changing anything.")
@prints
def disable(admin: OpenInstallation, name_or_id: str, *, dry_run: bool) -> Printed:
    """Disable an agent: its tokens and the tokens derived from them are revoked, its requests end.

    A resource that only checks signatures accepts a token until it expires.
    """
    if dry_run:
        return _show_preview(admin.agents.preview(name_or_id))
    disabled_agent = admin.agents.disable(name_or_id, by=BY)
    enable_line = f"To enable it: sayso agents enable {disabled_agent.agent.name}"
    return (
        {
            "client_id": disabled_agent.agent.id,
            "state": disabled_agent.agent.state,
            **disabled_agent.counts,
        },
        [f"{disabled_agent.agent.name} is disabled.", *_count_lines(disabled_agent), enable_line],
    )


@command.command("enable")
@click.argument("name_or_id", metavar="AGENT")
@prints
def enable(admin: OpenInstallation, name_or_id: str) -> Printed:
    """Enable a disabled or quarantined agent. Ended requests and tokens stay ended."""
    agent = admin.agents.enable(name_or_id, by=BY)
    members = {"client_id": agent.id, "state": agent.state}
    return members, [f"{agent.name} is enabled."]


@command.command("rotate-secret")
@click.argument("name_or_id", metavar="AGENT")
@overlap_option
@prints
def rotate_secret(admin: OpenInstallation, name_or_id: str, overlap: int) -> Printed:
    """Create a new secret, shown once. The old one works for the overlap."""
    secret = admin.agents.rotate_secret(name_or_id, by=BY, overlap_ms=overlap)
    ends = max((s.expires_at for s in secret.agent.secrets if s.expires_at), default=None)
    old = (
        "old secrets no longer work" if ends is None else f"the old one works until {moment(ends)}"
    )
    lines = [f"{secret.agent.name} has a new secret; {old}."]
    return (
        {
            "client_id": secret.agent.id,
            "client_secret": secret.secret,
            "secrets": agent_document(secret.agent, {})["secrets"],
        },
        [*lines, *usage_lines(admin, secret)],
    )


@command.command("delete")
@click.argument("name_or_id", metavar="AGENT")
@prints
def delete(admin: OpenInstallation, name_or_id: str) -> Printed:
    """Disable and delete an agent. The audit log keeps what it did."""
    disabled = admin.agents.delete(name_or_id, by=BY)
    return (
        {"client_id": disabled.agent.id, "state": "deleted", **disabled.counts},
        [f"{disabled.agent.name} is deleted.", *_count_lines(disabled)],
    )


def _show_preview(preview: DisabledAgent) -> Printed:
    return (
        {"client_id": preview.agent.id, "state": preview.agent.state, **preview.counts},
        [
            f"{preview.agent.name} would be disabled. Nothing was changed.",
            *_count_lines(preview),
            f"To do it: sayso agents disable {preview.agent.name}",
        ],
    )


def _count_lines(disabled: DisabledAgent) -> list[str]:
    return [
        (
            f"Tokens revoked: {disabled.tokens_revoked}, "
            f"of which {disabled.descendants_revoked} of other clients derived from them."
        ),
        (
            f"Requests cancelled: {disabled.requests_cancelled}, "
            f"of which {disabled.approved_cancelled} had been approved."
        ),
    ]
