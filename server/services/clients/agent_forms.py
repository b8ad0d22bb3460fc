"""What an agent may be: what its members mean together, at registration and when one is changed.

Owns: reading what an administrator wrote into a record. Never: writes, or the check of one member;
the uses of a checked record are in `agents.py`, the checks stand in `agent_members.py`.
"""

from collections.abc import Sequence
from dataclasses import replace

from server.model.clients import Agent
from server.model.store import Unit
from server.services import members
from server.services.clients import agent_checks, ceilings
from server.services.clients.agent_members import AGENT_MEMBERS
from server.services.members import Written, unique
from server.services.refusals import Conflict, Invalid, about
from server.services.resources import resources

_NAMES = frozenset(member.name for member in AGENT_MEMBERS)
_FINAL = frozenset(member.name for member in AGENT_MEMBERS if member.final)


class NewAgent(Written):
    """An agent as an administrator asks for it. People are named; `jwks` is a file's text."""

    known = _NAMES

    def __init__(self, name: str, owners: Sequence[str], **given: object) -> None:
        super().__init__(name=name, owners=owners, **given)


class AgentChanges(Written):
    """What becomes different, with who comes to answer for it and who goes."""

    known = (_NAMES - _FINAL) | {"add_owners", "remove_owners"}


def read(tx: Unit, new: NewAgent, agent_id: str) -> Agent:
    """The record of a new agent, without secrets. Raises `Invalid` or `NotFound`."""
    if new.get("auth_method") == "private_key_jwt" and not new.get("jwks"):
        raise Invalid("--auth private_key_jwt needs the public keys: --jwks FILE.", member="jwks")
    agent = Agent(
        id=agent_id,
        secrets=(),
        state="enabled",
        created_at=tx.now,
        named_at=tx.now,
        **members.started(tx, AGENT_MEMBERS, new),
    )
    ceilings.check(tx, agent.resources, agent.scopes)
    _check_only(tx, agent)
    _check_request_alg(agent)
    _check_delivery(agent)
    _check_owners(tx, agent)
    return agent


def changed(tx: Unit, before: Agent, changes: AgentChanges) -> Agent:
    """The record as it becomes. Raises `Invalid`, `NotFound` or `Conflict`."""
    agent = replace(before, **members.changed(tx, AGENT_MEMBERS, changes))
    agent = replace(
        agent,
        owners=_changed_owners(tx, before, changes),
        notification_endpoint=_changed_endpoint(before, agent, changes),
    )
    _check_delivery(agent)
    _check_request_alg(agent)
    if (agent.resources, agent.scopes) != (before.resources, before.scopes):
        ceilings.check(tx, agent.resources, agent.scopes)
    if "only" not in changes:
        return replace(agent, only=_left(agent))
    _check_only(tx, agent)
    return agent


def _changed_endpoint(before: Agent, agent: Agent, changes: AgentChanges) -> str | None:
    """Whoever polls from now on is called back nowhere; nothing else takes the place away."""
    if changes.get("notification_endpoint"):
        return agent.notification_endpoint
    return None if changes.get("delivery") == "poll" else before.notification_endpoint


@about("backchannel_client_notification_endpoint")
def _check_delivery(agent: Agent) -> None:
    """Who is called back says where (CIBA 4); that the place may be called is checked before."""
    if (agent.delivery == "poll") != (agent.notification_endpoint is None):
        raise Invalid("--delivery ping or push and --notification-endpoint URL belong together.")


@about("backchannel_authentication_request_signing_alg")
def _check_request_alg(agent: Agent) -> None:
    """Who must sign has a key to sign with."""
    alg = agent.request_alg
    if alg is not None and all(key["alg"] != alg for key in agent.jwks):
        raise Invalid(f"{agent.name} has no {alg} key. Name its keys: --jwks FILE")


@about("owners")
def _check_owners(tx: Unit, agent: Agent) -> None:
    owners = [tx.directory.user(owner) for owner in agent.owners]
    if not any(owner is not None and owner.enabled for owner in owners):
        raise Invalid("An agent needs an owner who is enabled. Name one with: --owner USER")


@about("remove_owners")
def _changed_owners(tx: Unit, before: Agent, changes: AgentChanges) -> tuple[str, ...]:
    removed = agent_checks.owners(tx, changes.get("remove_owners", ()))
    for user_id in removed:
        if user_id not in before.owners:
            raise Invalid(f"One whom you would remove does not own {before.name}.")
    with about("add_owners"):
        added = agent_checks.owners(tx, changes.get("add_owners", ()))
    left = tuple(owner for owner in before.owners if owner not in removed)
    owners = unique(tx, (*left, *added))
    if not owners:
        raise Conflict(
            f"{before.name} would have no owner. Name another in the same command: --add-owner USER"
        )
    if owners != before.owners and before.state == "enabled":
        _check_owners(tx, replace(before, owners=owners))
    return owners


def _left(agent: Agent) -> dict[str, tuple[str, ...]]:
    """What of the limits is still within a ceiling that may have become smaller."""
    return {
        uri: tuple(name for name in may if name in agent.scopes)
        for uri, may in agent.only.items()
        if uri in agent.resources
    }


@about("only")
def _check_only(tx: Unit, agent: Agent) -> None:
    """A limit names what the agent may have, or it would limit nothing that anybody meant."""
    for uri, may in agent.only.items():
        if uri not in agent.resources:
            raise Invalid(f"{uri} is not within its ceiling. Add: --resource {uri}")
        known = resources.find(tx.directory, uri).scopes
        for name in may:
            if name not in agent.scopes or name not in known:
                raise Invalid(f"It may not have {name} at {uri}. Add: --scope {name}")
