"""How an agent proves itself becomes another way, and for a while both count.

Owns: what each way needs, and what ends with the old one. Never: a new secret for the same way;
that is a rotation, in `agents.py`.
"""

from dataclasses import dataclass, replace
from typing import Final

from server.model.audit import Entry
from server.model.clients import Agent
from server.model.ports import Secrets
from server.model.reactions import AgentReplaced
from server.model.store import Store, Unit
from server.protocol import names
from server.services import client_secrets
from server.services.audit import audit
from server.services.client_secrets import DEFAULT_OVERLAP_MS
from server.services.clients import agent_forms, agent_names, agents
from server.services.clients.agent_forms import AgentChanges
from server.services.clients.agents import NewSecret
from server.services.refusals import Conflict, Invalid

_BY_KEY: Final = "private_key_jwt"


@dataclass(frozen=True, slots=True)
class AuthChange:
    """The way that is wanted; `jwks` is a file's text, "" for the keys that are there."""

    method: str
    jwks: str = ""
    overlap_ms: int = DEFAULT_OVERLAP_MS


@dataclass(frozen=True, slots=True)
class AgentAuth:
    """Changes how agents prove themselves. Each AGENT is a name or a client_id."""

    store: Store
    secrets: Secrets

    def change(self, called: str, wanted: AuthChange, *, by: str) -> NewSecret:
        """Let an agent prove itself in another way; the old one counts for the overlap too.

        1. It is another way, and a known one.  2. What it needs is there: keys are, or come along;
        a secret that lasts is there, or is made and told once.  3. The old secrets end with the
        overlap where keys take their place. Whoever has the token of its registration cannot change
        its credentials any more. A way before the old one is over at once.

        Raises `NotFound`, `Conflict` for the way that it has, `Invalid`.
        """
        overlap = client_secrets.check_overlap(wanted.overlap_ms)
        with self.store.administer() as tx:
            before = agent_names.find(tx, called)
            _check(before, wanted)
            until = tx.now + overlap if overlap else None
            agent = replace(
                _with_keys(tx, before, wanted),
                auth_method=wanted.method,
                auth_before=before.auth_method if overlap else None,
                auth_before_until=until,
            )
            given = self._with_secret(tx, agent, tx.now + overlap)
            tx.agents.replace(given.agent, tx.now)
            tx.registrations.end(agent.id)
            _record(tx, before, given.agent, by)
            if _BY_KEY in {before.auth_method, agent.auth_method}:
                tx.react(AgentReplaced(agent.id, "key_rotated", by))
            return given

    def _with_secret(self, tx: Unit, agent: Agent, until: int) -> NewSecret:
        if agent.auth_method == _BY_KEY:
            ending = client_secrets.ending(agent.secrets, until, tx.now)
            return NewSecret(replace(agent, secrets=ending), "")
        if any(secret.expires_at is None for secret in agent.secrets):
            return NewSecret(agent, "")
        return agents.with_secret(tx, self.secrets, agent)


def _check(agent: Agent, wanted: AuthChange) -> None:
    if wanted.method not in names.AUTH_METHODS:
        known = ", ".join(names.AUTH_METHODS)
        raise Invalid(f"An agent proves itself by one of {known}.", member="method")
    if wanted.method == agent.auth_method:
        raise Conflict(f"{agent.name} proves itself by {agent.auth_method} already.")
    if wanted.method == _BY_KEY and not (wanted.jwks or agent.jwks):
        raise Invalid(
            f"{agent.name} has no keys. Name the public ones in the same command: --jwks FILE",
            member="jwks",
        )
    if wanted.jwks and wanted.method != _BY_KEY:
        raise Invalid(f"Keys belong to {_BY_KEY}; leave them out.", member="jwks")


def _with_keys(tx: Unit, agent: Agent, wanted: AuthChange) -> Agent:
    """The keys that come take the place of all that are there, by the rules of any change."""
    if not wanted.jwks:
        return agent
    changed = agent_forms.changed(tx, agent, AgentChanges(jwks=wanted.jwks))
    return replace(changed, key_uses=agents.uses_left(agent, changed))


def _record(tx: Unit, before: Agent, agent: Agent, by: str) -> None:
    facts = {
        "was": before.auth_method,
        "method": agent.auth_method,
        "was_until": agent.auth_before_until,
        "keys": [key["kid"] for key in agent.jwks],
    }
    audit.record(tx, Entry(audit.Type.AGENT_AUTH_CHANGED, by, agent_id=agent.id, facts=facts))
