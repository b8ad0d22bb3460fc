"""Validates an agent's fields together, when it is registered and when it changes.

Owns: turning an administrator's input into a record. Never: writing, or checking a single
member; `agents.py` stores records, and `agent_checks.py` has the checks.
"""

from collections.abc import Sequence
from dataclasses import replace

from server.model.clients import Agent
from server.model.store import Unit
from server.services import members
from server.services.clients import agent_checks
from server.services.clients.agent_members import AGENT_MEMBERS
from server.services.members import Written, members_for_update, names_of, unique
from server.services.refusals import Conflict, Invalid, error_member
from server.services.resources import resource_checks


class NewAgent(Written):
    """A new agent, as described by an administrator. `jwks` is the text of a file."""

    member_names = names_of(AGENT_MEMBERS)

    def __init__(self, name: str, owners: Sequence[str], **values: object) -> None:
        super().__init__(name=name, owners=owners, **values)


class AgentChanges(Written):
    """Changed members of an agent, and the owners to add and remove."""

    member_names = names_of(members_for_update(AGENT_MEMBERS)) | {"add_owners", "remove_owners"}


def new_record(tx: Unit, new: NewAgent, agent_id: str) -> Agent:
    """Return the record of a new agent, without secrets. Raises `Invalid` or `NotFound`."""
    if new.get("auth_method") == "private_key_jwt" and not new.get("jwks"):
        raise Invalid("`auth_method` private_key_jwt needs `jwks`.", member="jwks")
    agent = Agent(
        id=agent_id,
        secrets=(),
        state="enabled",
        created_at=tx.now,
        named_at=tx.now,
        **members.initial_values(tx, AGENT_MEMBERS, new),
    )
    resource_checks.check_permissions(tx, agent.resources, agent.scopes)
    _check_only(tx, agent)
    _check_request_alg(agent)
    _check_delivery(agent)
    _check_owners(tx, agent)
    return agent


def changed_record(tx: Unit, before: Agent, changes: AgentChanges) -> Agent:
    """Return the changed record. Raises `Invalid`, `NotFound` or `Conflict`."""
    agent = replace(before, **members.check_changes(tx, AGENT_MEMBERS, changes))
    agent = replace(
        agent,
        owners=_changed_owners(tx, before, changes),
        notification_endpoint=_changed_endpoint(before, agent, changes),
    )
    _check_delivery(agent)
    _check_request_alg(agent)
    if (agent.resources, agent.scopes) != (before.resources, before.scopes):
        resource_checks.check_permissions(tx, agent.resources, agent.scopes)
    if "only" not in changes:
        return replace(agent, only=_remaining_limits(agent))
    _check_only(tx, agent)
    return agent


def _changed_endpoint(before: Agent, agent: Agent, changes: AgentChanges) -> str | None:
    """Return the callback URL; changing to polling removes it."""
    if changes.get("notification_endpoint"):
        return agent.notification_endpoint
    return None if changes.get("delivery") == "poll" else before.notification_endpoint


def _check_delivery(agent: Agent) -> None:
    """Check that an agent has a callback URL if it uses one, and only then (CIBA 4).

    The caller has already checked whether the URL is allowed.
    """
    if (agent.delivery == "poll") != (agent.notification_endpoint is None):
        member = "backchannel_client_notification_endpoint"
        raise Invalid(
            f"`{member}` is required for `delivery` ping or push, and not allowed for poll.",
            member=member,
        )


@error_member("backchannel_authentication_request_signing_alg")
def _check_request_alg(agent: Agent) -> None:
    """Check that an agent that must sign requests has a suitable key."""
    alg = agent.request_alg
    if alg is not None and all(key["alg"] != alg for key in agent.jwks):
        raise Invalid(f"{agent.name} has no {alg} key. Add one to `jwks`.")


@error_member("owners")
def _check_owners(tx: Unit, agent: Agent) -> None:
    owners = [tx.directory.user(owner) for owner in agent.owners]
    if not any(owner is not None and owner.enabled for owner in owners):
        raise Invalid("An agent needs an enabled owner.")


@error_member("remove_owners")
def _changed_owners(tx: Unit, before: Agent, changes: AgentChanges) -> tuple[str, ...]:
    removed = agent_checks.owners(tx, changes.get("remove_owners", ()))
    for user_id in removed:
        if user_id not in before.owners:
            raise Invalid(f"A user to remove is not an owner of {before.name}.")
    with error_member("add_owners"):
        added = agent_checks.owners(tx, changes.get("add_owners", ()))
    remaining = tuple(owner for owner in before.owners if owner not in removed)
    owners = unique(tx, (*remaining, *added))
    if not owners:
        raise Conflict(f"{before.name} would have no owner. Add a new owner with `add_owners`.")
    if owners != before.owners and before.state == "enabled":
        _check_owners(tx, replace(before, owners=owners))
    return owners


def _remaining_limits(agent: Agent) -> dict[str, tuple[str, ...]]:
    """Return the limits, without resources and scopes that the agent no longer has."""
    return {
        uri: tuple(name for name in scopes if name in agent.scopes)
        for uri, scopes in agent.only.items()
        if uri in agent.resources
    }


@error_member("only")
def _check_only(tx: Unit, agent: Agent) -> None:
    """Check that each limit names permissions that the agent has."""
    for uri, scopes in agent.only.items():
        if uri not in agent.resources:
            raise Invalid(f"{uri} is not one of the agent's resources. Add it to `resources`.")
        resource_scopes = resource_checks.find(tx.directory, uri).scopes
        for name in scopes:
            if name not in agent.scopes or name not in resource_scopes:
                raise Invalid(
                    f"The agent does not have the scope {name} at {uri}. Add it to `scopes`."
                )
