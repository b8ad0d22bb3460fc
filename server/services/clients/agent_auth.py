"""Changes an agent's authentication method; both methods work during an overlap.

Owns: what each method needs, and what expires with the old method. Never: a new secret for the same
method; `agents.py` rotates secrets.
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
from server.services.clients import agent_forms, agents, client_names
from server.services.clients.agent_forms import AgentChanges
from server.services.clients.agents import NewSecret
from server.services.refusals import Conflict, Invalid

_KEY_METHOD: Final = "private_key_jwt"


@dataclass(frozen=True, slots=True)
class AuthChange:
    """The new method. `jwks` is the text of a file, "" to keep the current keys."""

    method: str
    jwks: str = ""
    overlap_ms: int = DEFAULT_OVERLAP_MS


@dataclass(frozen=True, slots=True)
class AgentAuth:
    """Changes how agents authenticate. AGENT is a name or a client_id."""

    store: Store
    secrets: Secrets

    def change(self, name_or_id: str, auth_change: AuthChange, *, by: str) -> NewSecret:
        """Change an agent's authentication method; the old one keeps working for the overlap.

        Rules, in order: 1. The method is supported and is not the current one. 2. The agent has
        credentials for it: keys are stored or sent; a permanent secret is stored, or is created and
        shown once. 3. If keys replace secrets, the secrets expire with the overlap. The
        registration token is revoked. An even older method stops working immediately. Raises
        `NotFound`, `Invalid`, or `Conflict` for the current method.
        """
        overlap = client_secrets.check_overlap(auth_change.overlap_ms)
        with self.store.administer() as tx:
            before = client_names.find_agent(tx, name_or_id)
            _check_change(before, auth_change)
            until = tx.now + overlap if overlap else None
            agent = replace(
                _with_keys(tx, before, auth_change),
                auth_method=auth_change.method,
                auth_before=before.auth_method if overlap else None,
                auth_before_until=until,
            )
            issued = self._with_secret(tx, agent, tx.now + overlap)
            tx.agents.replace(issued.agent, tx.now)
            tx.registrations.end(agent.id)
            _record(tx, before, issued.agent, by)
            if _KEY_METHOD in {before.auth_method, agent.auth_method}:
                tx.react(AgentReplaced(agent.id, "key_rotated", by))
            return issued

    def _with_secret(self, tx: Unit, agent: Agent, until: int) -> NewSecret:
        if agent.auth_method == _KEY_METHOD:
            expiring_secrets = client_secrets.expire_by(agent.secrets, until, tx.now)
            return NewSecret(replace(agent, secrets=expiring_secrets), "")
        if any(secret.expires_at is None for secret in agent.secrets):
            return NewSecret(agent, "")
        return agents.with_secret(tx, self.secrets, agent)


def _check_change(agent: Agent, auth_change: AuthChange) -> None:
    if auth_change.method not in names.AUTH_METHODS:
        methods = ", ".join(names.AUTH_METHODS)
        raise Invalid(f"Agents can authenticate only with {methods}.", member="method")
    if auth_change.method == agent.auth_method:
        raise Conflict(f"{agent.name} already authenticates with {agent.auth_method}.")
    if auth_change.method == _KEY_METHOD and not (auth_change.jwks or agent.jwks):
        raise Invalid(f"{agent.name} has no keys. Add its public keys in `jwks`.", member="jwks")
    if auth_change.jwks and auth_change.method != _KEY_METHOD:
        raise Invalid(f"Only {_KEY_METHOD} uses keys. Leave out `jwks`.", member="jwks")


def _with_keys(tx: Unit, agent: Agent, auth_change: AuthChange) -> Agent:
    """Replace the agent's keys, with the usual checks for a change."""
    if not auth_change.jwks:
        return agent
    changed = agent_forms.changed_record(tx, agent, AgentChanges(jwks=auth_change.jwks))
    return replace(changed, key_uses=agents.remaining_key_uses(agent, changed))


def _record(tx: Unit, before: Agent, agent: Agent, by: str) -> None:
    facts = {
        "was": before.auth_method,
        "method": agent.auth_method,
        "was_until": agent.auth_before_until,
        "keys": [key["kid"] for key in agent.jwks],
    }
    tx.audit.add(Entry(audit.Type.AGENT_AUTH_CHANGED, by, agent_id=agent.id, facts=facts))
