"""Names of agents and apps. People compare names by eye, so no two names may look alike.

A renamed agent is treated as new, because people recognize it by its name.
"""

from collections.abc import Collection
from dataclasses import replace
from typing import Final

from server.model.audit import Entry
from server.model.clients import Agent, FormerName
from server.model.display_names import TERMINAL
from server.model.reactions import AgentAnnounced
from server.model.store import Unit, View
from server.protocol.confusables import name_keys
from server.protocol.names import APPROVER_CLIENT
from server.services.audit import audit
from server.services.refusals import Exists, NotFound, error_member
from server.services.users.user_checks import clients_named


def looks_taken(view: View, name: str, own_id: str) -> bool:
    """Return whether a name looks like the name of another client or of a user."""
    lookalike_keys = name_keys(name)
    holders = {
        *view.names.ids_with_name_like("client", lookalike_keys),
        *view.names.ids_with_name_like("user", lookalike_keys),
    }
    return bool(holders - {own_id} or lookalike_keys & name_keys(TERMINAL))


@error_member("name")
def refuse_taken_name(
    tx: Unit, name: str, *, own_id: str | None = None, among: Collection[str] | None = None
) -> None:
    """Refuse a name that looks like the name of another client or of a user.

    `own_id` is the ID of the client being named. `among` limits the check to these users: an agent
    that names itself must not learn who else has an account. Raises `Exists`.
    """
    lookalike_keys = name_keys(name)
    for client in clients_named(tx, name):
        if client.id != own_id:
            kind = "agent" if isinstance(client, Agent) else "app"
            raise Exists(
                f"The {kind} {client.name} ({client.id}) already exists. Choose a name that "
                "cannot be confused with it."
            )
    if lookalike_keys & name_keys(TERMINAL):
        raise Exists(f"{TERMINAL} is reserved for {APPROVER_CLIENT}. Choose a different name.")
    for user in map(tx.directory.user, tx.names.ids_with_name_like("user", lookalike_keys)):
        if user is not None and (among is None or user.id in among):
            raise Exists(
                f"The user {user.name} already exists. Choose a name that cannot be confused with "
                "it."
            )


RENAMED: Final = "agent.renamed"


def record_rename(tx: Unit, before: Agent, agent: Agent, *, by: str) -> Agent:
    """Record a changed name and notify the owners; return the agent with a new `named_at`."""
    if agent.name == before.name:
        return agent
    tx.names.add_former(agent.id, FormerName(before.name, tx.now))
    facts = {"name": agent.name, "was": before.name}
    tx.audit.add(Entry(audit.Type.AGENT_RENAMED, by, agent_id=agent.id, facts=facts))
    tx.react(AgentAnnounced(agent.id, RENAMED, agent.owners))
    return replace(agent, named_at=tx.now)


def find_agent(view: View, name_or_id: str) -> Agent:
    """Return the agent with this name or client_id. Raises `NotFound`."""
    agent = view.directory.find_agent(name_or_id)
    if agent is None:
        raise NotFound("agent", name_or_id)
    return agent


def find_client_id(view: View, name_or_id: str) -> str:
    """Return the ID of the agent or app with this name or ID. Raises `NotFound`."""
    app = view.directory.find_app(name_or_id)
    return find_agent(view, name_or_id).id if app is None else app.id
