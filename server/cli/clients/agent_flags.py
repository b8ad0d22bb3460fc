"""`sayso agents add`, `update` and `change-auth`. Most flags are the members of an agent."""

from typing import Any, TextIO

import click

from server.cli import members
from server.cli.clients.agent_document import (
    agent_document,
    agent_lines,
    names_by_id,
    secret_document,
)
from server.cli.clients.usage import usage_lines
from server.cli.opening import OpenInstallation, Printed, adds, prints
from server.cli.output import moment
from server.cli.params import overlap_option
from server.protocol import names
from server.services.clients.agent_auth import AuthChange
from server.services.clients.agent_forms import AgentChanges, NewAgent
from server.services.clients.agent_members import AGENT_MEMBERS
from server.services.clients.agents import NewSecret


def _existing_agent(admin: OpenInstallation, /, name: str, **_: object) -> Printed:
    agent = admin.agents.show(name)[0]
    line = f"{agent.name} is already registered as {agent.id}."
    return lambda: agent_document(agent, names_by_id(admin)), [line]


@click.command("add")
@click.argument("name")
@members.new_flags(AGENT_MEMBERS)
@adds(_existing_agent)
def add(admin: OpenInstallation, /, **flags: Any) -> Printed:  # noqa: ANN401  # one flag for each member
    """Register an agent. Its secret is shown once."""
    new = NewAgent(**members.read_flags(AGENT_MEMBERS, flags, admin.now))
    secret = admin.agents.add(new, by=admin.by)
    line = f"{secret.agent.name} is registered as {secret.agent.id}."
    return secret_document(admin, secret), [line, *usage_lines(admin, secret)]


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
        **members.read_flags(AGENT_MEMBERS, flags, admin.now),
    )
    agent = admin.agents.update(name_or_id, changes, by=admin.by)
    people = names_by_id(admin)
    usage = ["", *usage_lines(admin, NewSecret(agent, ""))] if changes.get("scopes") else []
    return lambda: agent_document(agent, people), [*agent_lines(agent, people), *usage]


@click.command("change-auth")
@click.argument("name_or_id", metavar="AGENT")
@click.argument("method", type=click.Choice(names.AUTH_METHODS))
@click.option(
    "--jwks",
    type=click.File("r", encoding="utf-8-sig"),
    help="Its public keys (JWK set) for private_key_jwt; default: its current keys.",
)
@overlap_option
@prints
def change_auth(
    admin: OpenInstallation, name_or_id: str, method: str, jwks: TextIO | None, overlap: int
) -> Printed:
    """Change how an agent authenticates. A new secret is shown once."""
    auth_change = AuthChange(method, jwks.read() if jwks else "", overlap)
    secret = admin.agent_auth.change(name_or_id, auth_change, by=admin.by)
    agent = secret.agent
    old = (
        "the old method no longer works"
        if agent.auth_before_until is None
        else f"{agent.auth_before} works until {moment(agent.auth_before_until)}"
    )
    line = f"{agent.name} now uses {agent.auth_method}; {old}."
    return secret_document(admin, secret), [line, *usage_lines(admin, secret)]
