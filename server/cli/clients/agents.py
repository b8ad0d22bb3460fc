"""`sayso agents`: who the agents are, and stopping them.

Registering and changing one is in `agent_flags.py`, because of all the flags.
"""

import click

from server.cli import members
from server.cli.clients.agent_auth import change_auth
from server.cli.clients.agent_document import (
    agent_document,
    agent_lines,
    called_by_id,
    pause_document,
    pause_line,
)
from server.cli.clients.agent_flags import add, update
from server.cli.clients.invitations import invite, uninvite
from server.cli.clients.invitations import show_all as show_invitations
from server.cli.clients.using import usage_lines
from server.cli.incidents.orphans import orphans
from server.cli.opening import BY, OpenInstallation, administers
from server.cli.output import answer, json_option, listed, moment, rfc3339, table
from server.cli.params import overlap_option
from server.services.clients.agent_members import AGENT_MEMBERS
from server.services.clients.agents import StoppedAgent


@click.group("agents")
def command() -> None:
    """Agents. AGENT is a name or a client_id."""


command.add_command(add)
command.add_command(update)
command.add_command(change_auth)
command.add_command(invite)
command.add_command(show_invitations)
command.add_command(uninvite)
command.add_command(orphans)


@command.command("list")
@members.search_flags(AGENT_MEMBERS)
@json_option
@administers
def show_all(desk: OpenInstallation, /, *, as_json: bool, **flags: str | None) -> None:
    """Every agent, by name."""
    names = called_by_id(desk)
    agents = desk.agents.all(members.having(flags))
    rows = [
        (
            agent.name,
            agent.state,
            listed(names.get(owner, owner) for owner in agent.owners),
            moment(agent.expires_at),
            agent.id,
        )
        for agent in agents
    ]
    lines = table(("name", "state", "owners", "expires", "client_id"), rows)
    answer({"items": [agent_document(a, names) for a in agents]}, lines, as_json=as_json)


@command.command("show")
@click.argument("called", metavar="AGENT")
@json_option
@administers
def show(desk: OpenInstallation, called: str, *, as_json: bool) -> None:
    """One agent: its ceiling, its owners, its secrets and keys and when they were used."""
    agent, _ = desk.agents.show(called)
    names = called_by_id(desk)
    pauses = desk.pauses.of_agent(agent.id)
    ends = desk.orphans.grace_of(agent.id)
    document = {
        **agent_document(agent, names),
        "pauses": [pause_document(one) for one in pauses],
        "quarantine_at": rfc3339(ends),
    }
    grace = [] if ends is None else [f"nobody answers for it: quarantined at {moment(ends)}"]
    lines = [*agent_lines(agent, names), *grace, *(pause_line(one) for one in pauses)]
    answer(document, lines, as_json=as_json)


@command.command("disable")
@click.argument("called", metavar="AGENT")
@click.option("--dry-run", is_flag=True, help="Say what would end, and change nothing.")
@json_option
@administers
def disable(desk: OpenInstallation, called: str, *, dry_run: bool, as_json: bool) -> None:
    """Stop an agent: its tokens and what came from them end, its requests leave every screen.

    A resource that only checks signatures accepts a token until it runs out.
    """
    if dry_run:
        _show_preview(desk.agents.preview(called), as_json=as_json)
        return
    stopped = desk.agents.disable(called, by=BY)
    again = f"To let it go on: sayso agents enable {stopped.agent.name}"
    answer(
        {"client_id": stopped.agent.id, "state": stopped.agent.state, **stopped.counts},
        [f"{stopped.agent.name} is disabled.", *_count_lines(stopped), again],
        as_json=as_json,
    )


@command.command("enable")
@click.argument("called", metavar="AGENT")
@json_option
@administers
def enable(desk: OpenInstallation, called: str, *, as_json: bool) -> None:
    """Let a disabled or quarantined agent go on. What ended stays ended."""
    agent = desk.agents.enable(called, by=BY)
    members = {"client_id": agent.id, "state": agent.state}
    answer(members, [f"{agent.name} is enabled."], as_json=as_json)


@command.command("rotate-secret")
@click.argument("called", metavar="AGENT")
@overlap_option
@json_option
@administers
def rotate_secret(desk: OpenInstallation, called: str, overlap: int, *, as_json: bool) -> None:
    """A new secret, shown once. The old one works for the overlap."""
    given = desk.agents.rotate_secret(called, by=BY, overlap_ms=overlap)
    ends = max((s.expires_at for s in given.agent.secrets if s.expires_at), default=None)
    old = "no old secret works any more" if ends is None else f"an old one works to {moment(ends)}"
    lines = [f"{given.agent.name} has a new secret; {old}."]
    answer(
        {
            "client_id": given.agent.id,
            "client_secret": given.secret,
            "secrets": agent_document(given.agent, {})["secrets"],
        },
        [*lines, *usage_lines(desk, given)],
        as_json=as_json,
    )


@command.command("delete")
@click.argument("called", metavar="AGENT")
@json_option
@administers
def delete(desk: OpenInstallation, called: str, *, as_json: bool) -> None:
    """Stop an agent and forget it. What it did stays in the log."""
    stopped = desk.agents.delete(called, by=BY)
    answer(
        {"client_id": stopped.agent.id, "state": "deleted", **stopped.counts},
        [f"{stopped.agent.name} is deleted.", *_count_lines(stopped)],
        as_json=as_json,
    )


def _show_preview(preview: StoppedAgent, *, as_json: bool) -> None:
    answer(
        {"client_id": preview.agent.id, "state": preview.agent.state, **preview.counts},
        [
            f"{preview.agent.name} would be disabled. Nothing was changed.",
            *_count_lines(preview),
            f"To do it: sayso agents disable {preview.agent.name}",
        ],
        as_json=as_json,
    )


def _count_lines(stopped: StoppedAgent) -> list[str]:
    return [
        (
            f"Tokens revoked: {stopped.tokens_revoked}, "
            f"of which {stopped.descendants_revoked} of others that came from them."
        ),
        (
            f"Requests cancelled: {stopped.requests_cancelled}, "
            f"of which {stopped.approved_cancelled} had been approved."
        ),
    ]
