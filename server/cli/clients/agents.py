"""`sayso agents`: list, show, enable, disable and delete agents.

`agent_flags.py` has `add`, `update` and `change-auth`, because of their many flags.
"""

import click

from server.cli import members
from server.cli.clients.agent_document import (
    PEOPLE,
    agent_document,
    agent_lines,
    names_by_id,
    new_secret_line,
    pause_line,
    secret_document,
)
from server.cli.opening import OpenInstallation, Printed, prints
from server.cli.output import join_names, moment, table, with_names
from server.cli.params import overlap_option
from server.cli.split_group import SplitGroup
from server.lazy_imports import lazily
from server.services.clients.agent_members import AGENT_MEMBERS

with lazily():
    from server.cli.clients.usage import usage_lines
    from server.http.clients import agent_wire
    from server.model.clients import Agent
    from server.services.clients.agents import DisabledAgent


@click.group(
    "agents",
    cls=SplitGroup,
    elsewhere={
        "add": "clients.agent_flags.add",
        "update": "clients.agent_flags.update",
        "change-auth": "clients.agent_flags.change_auth",
        "invite": "clients.invitations.invite",
        "invitations": "clients.invitations.show_all",
        "uninvite": "clients.invitations.uninvite",
        "orphans": "incidents.incidents.orphans",
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
    agents = admin.agents.all(members.read_filters(flags))
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
    return lambda: {"items": [agent_document(a, names) for a in agents]}, lines


@command.command("show")
@click.argument("name_or_id", metavar="AGENT")
@prints
def show(admin: OpenInstallation, name_or_id: str) -> Printed:
    """Show one agent: its permissions, owners, secrets and keys, and when they were used."""
    agent, _ = admin.agents.show(name_or_id)
    names = names_by_id(admin)
    pauses = admin.pauses.of_agent(agent.id)
    quarantine_at = admin.orphans.grace_end(agent.id)
    lines = agent_lines(agent, names)
    if quarantine_at is not None:
        lines.append(f"no enabled owner: will be quarantined at {moment(quarantine_at)}")
    return (
        lambda: with_names(agent_wire.details(agent, names, pauses, quarantine_at), *PEOPLE),
        [*lines, *map(pause_line, pauses)],
    )


@command.command("disable")
@click.argument("name_or_id", metavar="AGENT")
@click.option("--dry-run", is_flag=True, help="Show what would end, without changing anything.")
@prints
def disable(admin: OpenInstallation, name_or_id: str, *, dry_run: bool) -> Printed:
    """Disable an agent: its tokens and the tokens derived from them are revoked, its requests end.

    A resource that only checks signatures accepts a token until it expires.
    """
    if dry_run:
        preview = admin.agents.preview(name_or_id)
        title = f"{preview.agent.name} would be disabled. Nothing was changed."
        disable_line = f"To do it: sayso agents disable {preview.agent.name}"
        document = {**_state_document(preview.agent), **preview.counts}
        return document, [title, *_count_lines(preview), disable_line]
    disabled = admin.agents.disable(name_or_id, by=admin.by)
    document = {**_state_document(disabled.agent), **disabled.counts}
    enable_line = f"To enable it: sayso agents enable {disabled.agent.name}"
    return document, [f"{disabled.agent.name} is disabled.", *_count_lines(disabled), enable_line]


@command.command("enable")
@click.argument("name_or_id", metavar="AGENT")
@prints
def enable(admin: OpenInstallation, name_or_id: str) -> Printed:
    """Enable a disabled or quarantined agent. Its ended requests and tokens are not restored."""
    agent = admin.agents.enable(name_or_id, by=admin.by)
    return _state_document(agent), [f"{agent.name} is enabled."]


@command.command("rotate-secret")
@click.argument("name_or_id", metavar="AGENT")
@overlap_option
@prints
def rotate_secret(admin: OpenInstallation, name_or_id: str, overlap: int) -> Printed:
    """Create a new secret, shown once. The old one works for the overlap."""
    secret = admin.agents.rotate_secret(name_or_id, by=admin.by, overlap_ms=overlap)
    lines = [new_secret_line(secret.agent), *usage_lines(admin, secret)]
    return secret_document(admin, secret), lines


@command.command("delete")
@click.argument("name_or_id", metavar="AGENT")
@prints
def delete(admin: OpenInstallation, name_or_id: str) -> Printed:
    """Disable and delete an agent. Its entries in the audit log are kept."""
    disabled = admin.agents.delete(name_or_id, by=admin.by)
    return (
        {"client_id": disabled.agent.id, "state": "deleted", **disabled.counts},
        [f"{disabled.agent.name} is deleted.", *_count_lines(disabled)],
    )


def _state_document(agent: Agent) -> dict[str, object]:
    return {"client_id": agent.id, "state": agent.state}


def _count_lines(disabled: DisabledAgent) -> list[str]:
    tokens, derived = disabled.tokens_revoked, disabled.descendants_revoked
    requests, approved = disabled.requests_cancelled, disabled.approved_cancelled
    return [
        f"Tokens revoked: {tokens} ({derived} issued to other clients in exchange for them).",
        f"Requests canceled: {requests} ({approved} already approved).",
    ]
