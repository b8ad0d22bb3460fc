"""`sayso agents add` and `update`. Their flags are the members of an agent."""

from typing import Any

import click

from server.cli import members
from server.cli.clients.agent_document import agent_document, agent_lines, names_by_id
from server.cli.clients.usage import usage_lines
from server.cli.opening import BY, OpenInstallation
from server.cli.output import if_missing_option
from server.cli.printed import Printed, prints
from server.services.clients.agent_forms import AgentChanges, NewAgent
from server.services.clients.agent_members import AGENT_MEMBERS
from server.services.clients.agents import NewSecret
from server.services.refusals import Exists


@click.command("add")
@click.argument("name")
@members.new_flags(AGENT_MEMBERS)
@if_missing_option
@prints
def add(
    admin: OpenInstallation,
    /,
    *,
    if_missing: bool,
    **flags: Any,  # noqa: ANN401  # one flag for each member
) -> Printed:  # one flag for each member
    """Register an agent. Its secret is shown once."""
    new = NewAgent(**members.written(AGENT_MEMBERS, flags, admin.now))
    try:
        secret = admin.agents.add(new, by=BY)
    except Exists:
        if not if_missing:
            raise
        agent, _ = admin.agents.show(new["name"])
        line = f"{agent.name} is already registered as {agent.id}."
        return agent_document(agent, names_by_id(admin)), [line]
    document = agent_document(secret.agent, names_by_id(admin))
    if secret.secret:
        document = {"client_id": secret.agent.id, "client_secret": secret.secret, **document}
    line = f"{secret.agent.name} is registered as {secret.agent.id}."
    return document, [line, *usage_lines(admin, secret)]


@click.command("update")
@click.argument("name_or_id", metavar="AGENT")
@click.option("--add-owner", "add_owners", multiple=True, metavar="USER")
@click.option("--remove-owner", "remove_owners", multiple=True, metavar="USER")
@members.change_flags(AGENT_MEMBERS)
@prints
def update(
    admin: OpenInstallation,
    /,
    name_or_id: str,
    *,
    add_owners: tuple[str, ...],
    remove_owners: tuple[str, ...],
    **flags: Any,  # noqa: ANN401  # one flag for each member
) -> Printed:
    """Change an agent. A list replaces the old list. Omitted members keep their values."""
    changes = AgentChanges(
        add_owners=add_owners,
        remove_owners=remove_owners,
        **members.written(AGENT_MEMBERS, flags, admin.now),
    )
    agent = admin.agents.update(name_or_id, changes, by=BY)
    people = names_by_id(admin)
    usage = ["", *usage_lines(admin, NewSecret(agent, ""))] if changes.get("scopes") else []
    return agent_document(agent, people), [*agent_lines(agent, people), *usage]
