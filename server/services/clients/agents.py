"""Agents: registering them, narrowing them, renewing their secrets, stopping them.

What an agent may be is checked in `agent_forms.py`. Here is what happens to the ones there are.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from server.model.approvals import Approval
from server.model.audit import Entry
from server.model.clients import Agent
from server.model.incidents import Cause
from server.model.ports import Secrets
from server.model.reactions import AgentReplaced, AgentStopped, ClientDeleted
from server.model.store import Store, Unit, View
from server.model.users import User
from server.protocol.approvals.states import State, overdue
from server.protocol.names import PREFIX_AGENT, PREFIX_CLIENT_SECRET
from server.protocol.resources.uris import callback_problem
from server.services import client_secrets, members, paging
from server.services.audit import audit
from server.services.client_secrets import DEFAULT_OVERLAP_MS
from server.services.clients import agent_forms, agent_names, icons, owners
from server.services.clients.agent_forms import AgentChanges, NewAgent
from server.services.clients.agent_members import AGENT_MEMBERS
from server.services.clients.agent_names import find
from server.services.clients.client_names import refuse_taken
from server.services.members import ANY, Having
from server.services.paging import ResultPage
from server.services.refusals import Conflict, Invalid
from server.services.users import users

_NO_FACTS: Mapping[str, object] = MappingProxyType({})


def _public_https(url: str) -> str:
    return callback_problem(url, development=False)


@dataclass(frozen=True, slots=True)
class NewSecret:
    """An agent and the secret it was just given, which is told once; "" when it has keys."""

    agent: Agent
    secret: str


@dataclass(frozen=True, slots=True)
class StoppedAgent:
    """An agent that was stopped, and what ended with it."""

    agent: Agent
    tokens_revoked: int = 0
    descendants_revoked: int = 0
    """Of them: tokens of others that came from this agent's."""
    requests_cancelled: int = 0
    approved_cancelled: int = 0
    """Of them: requests that a person had approved and that were not fetched yet."""

    @property
    def counts(self) -> dict[str, int]:
        """What ended, as the log and every answer have it."""
        return {
            "tokens_revoked": self.tokens_revoked,
            "descendants_revoked": self.descendants_revoked,
            "requests_cancelled": self.requests_cancelled,
            "approved_cancelled": self.approved_cancelled,
        }


@dataclass(frozen=True, slots=True)
class Agents:
    """Administration of agents. Each AGENT is a name or a client_id."""

    store: Store
    secrets: Secrets
    endpoint_problem: Callable[[str], str] = _public_https
    """Why an agent may not be called back at a URL; "" when it may."""

    def all(self, having: Having = ANY) -> list[Agent]:
        """Every agent that has these values, by name."""
        with self.store.read() as view:
            return view.agents.all(having)

    def page(
        self, after: str, limit: int, *, owner: str | None = None, having: Having = ANY
    ) -> ResultPage[Agent]:
        """Those with these values whose names come after this one; of one owner or of all."""
        with self.store.read() as view:
            found = view.agents.page(owner, after, limit + 1, having)
        return paging.part(found, limit, lambda agent: agent.name)

    def show(self, called: str) -> tuple[Agent, tuple[User, ...]]:
        """One agent as its rows say it, uses of its credentials included; and its owners.

        Raises `NotFound`.
        """
        with self.store.read() as view:
            agent = find(view, called)
            agent = view.agents.get(agent.id) or agent
            return agent, owners.of(view, agent)

    def add(self, new: NewAgent, *, by: str) -> NewSecret:
        """Register an agent, enabled. Raises `Exists`, `NotFound` or `Invalid`."""
        self._check_endpoint(new.get("notification_endpoint"))
        with self.store.administer() as tx:
            refuse_taken(tx, users.check_called(new["name"]), None)
            return admit(tx, self.secrets, new, by=by)

    def update(self, called: str, changes: AgentChanges, *, by: str) -> Agent:
        """Change an agent; with its keys the token of its registration ends.

        Raises `NotFound`, `Exists`, `Invalid` or `Conflict`.
        """
        self._check_endpoint(changes.get("notification_endpoint"))
        with self.store.administer() as tx:
            before = find(tx, called)
            agent = agent_forms.changed(tx, before, changes)
            if agent.name != before.name:
                refuse_taken(tx, agent.name, agent.id)
            agent = change(tx, before, agent, by=by)
            icons.keep(tx, changes.get("icon") or b"")
            icons.tell(tx, before, agent)
            if agent.jwks != before.jwks:
                tx.registrations.end(agent.id)
            return agent

    def preview(self, called: str) -> StoppedAgent:
        """What disabling an agent would end now; nothing is changed. Raises `NotFound`."""
        with self.store.read() as view:
            agent = find(view, called)
            own, others = view.delegations.live_of_client(agent.id, view.now)
            open_now = [one for one in view.approvals.open_of_agent(agent.id) if _lives(one, view)]
        return StoppedAgent(agent, own + others, others, len(open_now), _approved(open_now))

    def disable(self, called: str, *, by: str) -> StoppedAgent:
        """Stop an agent: its tokens and what came from them end, its requests leave every screen.

        Doing it again changes nothing. Raises `NotFound`.
        """
        with self.store.administer() as tx:
            agent = find(tx, called)
            if agent.state == "disabled":
                return StoppedAgent(agent)
            agent = replace(agent, state="disabled")
            tx.agents.replace(agent, tx.now)
            stopped = _end_everything(tx, agent, by)
            _record(tx, audit.Type.AGENT_DISABLED, agent, by, stopped.counts)
            return stopped

    def enable(self, called: str, *, by: str) -> Agent:
        """Let a disabled or quarantined agent go on; what ended stays ended.

        Raises `NotFound`, or `Conflict` when no owner could answer for it.
        """
        with self.store.administer() as tx:
            before = find(tx, called)
            agent = replace(before, state="enabled")
            if owners.left_at(tx, agent) is not None:
                raise Conflict(
                    f"No owner of {agent.name} is enabled. "
                    f"Run: sayso agents update {agent.name} --add-owner USER"
                )
            if agent != before:
                tx.agents.replace(agent, tx.now)
                _record(tx, audit.Type.AGENT_ENABLED, agent, by, {"was": before.state})
            return agent

    def rotate_secret(
        self, called: str, *, by: str, overlap_ms: int = DEFAULT_OVERLAP_MS
    ) -> NewSecret:
        """Give an agent a new secret; the old ones work for the overlap and no longer.

        Whoever has the token of its registration cannot change its credentials any more: it may
        have leaked with them. Raises `NotFound`, `Conflict` when it has keys instead, `Invalid` for
        a longer overlap.
        """
        overlap = client_secrets.check_overlap(overlap_ms)
        with self.store.administer() as tx:
            agent = find(tx, called)
            if agent.auth_method == "private_key_jwt":
                raise Conflict(
                    f"{agent.name} proves itself by keys. "
                    f"Run: sayso agents update {agent.name} --jwks FILE"
                )
            alive = client_secrets.ending(agent.secrets, tx.now + overlap, tx.now)
            given = with_secret(tx, self.secrets, replace(agent, secrets=alive))
            tx.agents.replace(given.agent, tx.now)
            tx.registrations.end(agent.id)
            facts = {"overlap_ms": overlap_ms, "working": len(given.agent.secrets)}
            _record(tx, audit.Type.AGENT_SECRET_ROTATED, agent, by, facts)
            tx.react(AgentReplaced(agent.id, "key_rotated", by))
            return given

    def delete(self, called: str, *, by: str) -> StoppedAgent:
        """Stop an agent and forget it; what it did stays in the log. Raises `NotFound`."""
        with self.store.administer() as tx:
            agent = find(tx, called)
            return forget(tx, agent, by=by)

    def _check_endpoint(self, url: str | None) -> None:
        """Ask about the endpoint before the unit of work, because a name may be looked up."""
        if url and (problem := self.endpoint_problem(url)):
            member = "backchannel_client_notification_endpoint"
            raise Invalid(f"--notification-endpoint: {problem}.", member=member)


def admit(
    tx: Unit,
    secrets: Secrets,
    new: NewAgent,
    *,
    by: str,
    facts: Mapping[str, object] = _NO_FACTS,
) -> NewSecret:
    """Add an agent in a unit of work that administers; the caller has checked its name.

    Raises `Exists`, `NotFound` or `Invalid`.
    """
    given = NewSecret(agent_forms.read(tx, new, secrets.new_id(PREFIX_AGENT)), "")
    if given.agent.auth_method != "private_key_jwt":
        given = with_secret(tx, secrets, given.agent)
    tx.agents.add(given.agent, tx.now)
    icons.keep(tx, new.get("icon") or b"")
    told = {**members.facts(AGENT_MEMBERS, given.agent), **facts}
    _record(tx, audit.Type.AGENT_ADDED, given.agent, by, told)
    return given


def change(tx: Unit, before: Agent, agent: Agent, *, by: str) -> Agent:
    """Store a changed agent in a unit of work that administers, if it is another one."""
    agent = replace(agent, key_uses=uses_left(before, agent))
    if agent != before:
        agent = agent_names.renamed(tx, before, agent, by=by)
        was_orphan = owners.orphans(tx, [before])
        tx.agents.replace(agent, tx.now)
        owners.adopted(tx, [agent] if was_orphan else [], by=by)
        _record(tx, audit.Type.AGENT_UPDATED, agent, by, members.facts(AGENT_MEMBERS, agent))
        if _credentials(agent) != _credentials(before):
            tx.react(AgentReplaced(agent.id, "key_rotated", by))
        elif set(agent.owners) != set(before.owners):
            tx.react(AgentReplaced(agent.id, "owner_changed", by))
    return agent


def uses_left(before: Agent, agent: Agent) -> dict[str, int]:
    """When the keys that stay were used; one that took the name of another was never."""
    kept = {key["kid"] for key in agent.jwks if key in before.jwks}
    return {kid: at for kid, at in before.key_uses.items() if kid in kept}


def _credentials(agent: Agent) -> tuple[object, ...]:
    """What it proves itself by."""
    return agent.jwks, tuple(secret.id for secret in agent.secrets)


def quarantine(
    tx: Unit, agent: Agent, incident_id: str, *, by: str, cause: Cause = "reported"
) -> StoppedAgent:
    """Stop an agent that an incident is about, in a unit of work that administers.

    Only an administrator lets it go on. One that is stopped already stays as it is.
    """
    if agent.state != "enabled":
        return StoppedAgent(agent)
    agent = replace(agent, state="quarantined")
    tx.agents.replace(agent, tx.now)
    stopped = _end_everything(tx, agent, by)
    facts = {"incident": incident_id, **stopped.counts}
    kind = audit.Type.AGENT_QUARANTINED
    audit.record(tx, Entry(kind, by, agent_id=agent.id, cause=cause, facts=facts))
    return stopped


def forget(tx: Unit, agent: Agent, *, by: str) -> StoppedAgent:
    """Stop an agent and forget it in a unit of work that administers."""
    stopped = _end_everything(tx, replace(agent, state="disabled"), by)
    tx.react(ClientDeleted(agent.id, by))
    tx.agents.delete(agent.id)
    tx.icons.prune()
    tx.history.forget(agent.id)
    _record(tx, audit.Type.AGENT_DELETED, agent, by, {"name": agent.name, **stopped.counts})
    return stopped


def with_secret(tx: Unit, secrets: Secrets, agent: Agent) -> NewSecret:
    """The agent with one secret more, and that secret's text."""
    kept, text = client_secrets.new(secrets, PREFIX_CLIENT_SECRET, tx.now)
    return NewSecret(replace(agent, secrets=(*agent.secrets, kept)), text)


def _end_everything(tx: Unit, agent: Agent, by: str) -> StoppedAgent:
    """In this order: what was approved can become no token while the others are revoked."""
    ended = tx.react(AgentStopped(agent, by))
    own, _ = tx.delegations.live_of_client(agent.id, tx.now)
    revoked = len(tx.delegations.revoke_client(agent.id, tx.now))
    return StoppedAgent(agent, revoked, revoked - own, ended.requests, ended.approved)


def _lives(approval: Approval, view: View) -> bool:
    return not overdue(approval.state, approval.expires_at, view.now)


def _approved(approvals: Sequence[Approval]) -> int:
    return sum(approval.state is State.APPROVED for approval in approvals)


def _record(tx: Unit, kind: audit.Type, agent: Agent, by: str, facts: Mapping[str, object]) -> None:
    audit.record(tx, Entry(kind, by, agent_id=agent.id, facts=facts))
