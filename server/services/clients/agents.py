"""Agents: register, change, rotate secrets, disable and delete.

`agent_forms.py` validates their fields.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from server.lazy_imports import lazily
from server.model.audit import Entry
from server.model.clients import Agent
from server.model.ports import Secrets
from server.model.reactions import AgentDeactivated, AgentReplaced, ClientDeleted
from server.model.store import Store, Unit
from server.protocol.approvals.states import State
from server.protocol.names import PREFIX_AGENT, PREFIX_CLIENT_SECRET
from server.protocol.resources.uris import callback_problem
from server.services import client_secrets, members, paging
from server.services.audit import audit
from server.services.client_secrets import DEFAULT_OVERLAP_MS
from server.services.clients import client_names
from server.services.clients.agent_members import AGENT_MEMBERS
from server.services.clients.client_names import find_agent, refuse_taken_name
from server.services.members import ANY, Having
from server.services.paging import ResultPage
from server.services.refusals import Conflict, Invalid
from server.services.users import user_checks

with lazily():
    from server.model.incidents import Cause
    from server.model.users import User
    from server.services.clients import agent_forms, icons, owners
    from server.services.clients.agent_forms import AgentChanges, NewAgent

_NO_FACTS: Mapping[str, object] = {}


def _public_https(url: str) -> str:
    return callback_problem(url, development=False)


@dataclass(frozen=True, slots=True)
class NewSecret:
    """An agent and its new secret, which is shown once; "" if it has keys."""

    agent: Agent
    secret: str


@dataclass(frozen=True, slots=True)
class DisabledAgent:
    """A disabled agent, and the items revoked with it."""

    agent: Agent
    tokens_revoked: int = 0
    descendants_revoked: int = 0
    """How many of the revoked tokens were derived by other clients from this agent's tokens."""
    requests_cancelled: int = 0
    approved_cancelled: int = 0
    """How many of the canceled requests were approved but not redeemed yet."""

    @property
    def counts(self) -> dict[str, int]:
        """The counts of revoked items, for the audit log and for responses."""
        return {
            "tokens_revoked": self.tokens_revoked,
            "descendants_revoked": self.descendants_revoked,
            "requests_cancelled": self.requests_cancelled,
            "approved_cancelled": self.approved_cancelled,
        }


@dataclass(frozen=True, slots=True)
class Agents:
    """Administers agents. AGENT is a name or a client_id."""

    store: Store
    secrets: Secrets
    endpoint_problem: Callable[[str], str] = _public_https
    """Returns why a callback URL is not allowed; "" if it is allowed."""

    def all(self, having: Having = ANY) -> list[Agent]:
        """Return every agent with these values, sorted by name."""
        with self.store.read() as view:
            return view.agents.all(having)

    def page(
        self,
        after: str,
        limit: int,
        *,
        owner: str | None = None,
        having: Having = ANY,
        search: str = "",
    ) -> ResultPage[Agent]:
        """Return the next page of agents with these values, for one owner or for all.

        Their names contain `search`, or one of their filterable members has this value.
        """
        with self.store.read() as view:
            agents = view.agents.page(owner, after, limit + 1, having, search)
        return paging.part(agents, limit, lambda agent: agent.name)

    def show(self, name_or_id: str) -> tuple[Agent, tuple[User, ...]]:
        """Return one agent, with the use of its credentials, and its owners. Raises `NotFound`."""
        with self.store.read() as view:
            agent = find_agent(view, name_or_id)
            agent = view.agents.get(agent.id) or agent
            return agent, owners.list_owners(view, agent)

    def add(self, new: NewAgent, *, by: str) -> NewSecret:
        """Register and enable an agent. Raises `Exists`, `NotFound` or `Invalid`."""
        self._check_endpoint(new.get("notification_endpoint"))
        with self.store.administer() as tx:
            refuse_taken_name(tx, user_checks.check_account_name(new["name"]))
            return register(tx, self.secrets, new, by=by)

    def update(self, name_or_id: str, changes: AgentChanges, *, by: str) -> Agent:
        """Change an agent; changing its keys revokes its registration token.

        Raises `NotFound`, `Exists`, `Invalid` or `Conflict`.
        """
        self._check_endpoint(changes.get("notification_endpoint"))
        with self.store.administer() as tx:
            before = find_agent(tx, name_or_id)
            agent = agent_forms.changed_record(tx, before, changes)
            if agent.name != before.name:
                refuse_taken_name(tx, agent.name, own_id=agent.id)
            agent = change(tx, before, agent, by=by)
            icons.store(tx, changes.get("icon") or b"")
            icons.announce_change(tx, before, agent)
            if agent.jwks != before.jwks:
                tx.registrations.end(agent.id)
            return agent

    def preview(self, name_or_id: str) -> DisabledAgent:
        """Return what would be revoked if the agent were disabled. Raises `NotFound`."""
        with self.store.read() as view:
            agent = find_agent(view, name_or_id)
            own_tokens, derived_tokens = view.delegations.live_of_client(agent.id, view.now)
            open_states = [
                approval.state
                for approval in view.approvals.open_of_agent(agent.id)
                if not approval.is_overdue(view.now)
            ]
        return DisabledAgent(
            agent,
            own_tokens + derived_tokens,
            derived_tokens,
            len(open_states),
            open_states.count(State.APPROVED),
        )

    def disable(self, name_or_id: str, *, by: str) -> DisabledAgent:
        """Disable an agent: revoke its tokens and their descendants, cancel its requests.

        A second call changes nothing. Raises `NotFound`.
        """
        with self.store.administer() as tx:
            agent = find_agent(tx, name_or_id)
            if agent.state == "disabled":
                return DisabledAgent(agent)
            agent = replace(agent, state="disabled")
            tx.agents.replace(agent, tx.now)
            disabled_agent = _revoke_everything(tx, agent, by)
            _record(tx, audit.Type.AGENT_DISABLED, agent, by, disabled_agent.counts)
            return disabled_agent

    def enable(self, name_or_id: str, *, by: str) -> Agent:
        """Enable a disabled or quarantined agent; its revoked tokens stay revoked.

        Raises `NotFound`, or `Conflict` if no owner is enabled.
        """
        with self.store.administer() as tx:
            before = find_agent(tx, name_or_id)
            agent = replace(before, state="enabled")
            if owners.orphaned_at(tx, agent) is not None:
                raise Conflict(
                    f"No owner of {agent.name} is enabled. Add one first.",
                    remedy=("agent.add_owner", agent.name),
                )
            if agent != before:
                tx.agents.replace(agent, tx.now)
                tx.installation.release("agents", agent.id)
                _record(tx, audit.Type.AGENT_ENABLED, agent, by, {"was": before.state})
            return agent

    def rotate_secret(
        self, name_or_id: str, *, by: str, overlap_ms: int = DEFAULT_OVERLAP_MS
    ) -> NewSecret:
        """Create a new secret; the old ones work during the overlap.

        The registration token is revoked, because it may have leaked too. Raises `NotFound`,
        `Conflict` if it has keys instead, `Invalid` if the overlap is too long.
        """
        overlap = client_secrets.check_overlap(overlap_ms)
        with self.store.administer() as tx:
            agent = find_agent(tx, name_or_id)
            if agent.auth_method == "private_key_jwt":
                raise Conflict(
                    f"{agent.name} authenticates with keys. Replace the keys instead.",
                    remedy=("agent.jwks", agent.name),
                )
            working_secrets = client_secrets.expire_by(agent.secrets, tx.now + overlap, tx.now)
            issued = with_secret(tx, self.secrets, replace(agent, secrets=working_secrets))
            tx.agents.replace(issued.agent, tx.now)
            tx.registrations.end(agent.id)
            facts = {"overlap_ms": overlap_ms, "working": len(issued.agent.secrets)}
            _record(tx, audit.Type.AGENT_SECRET_ROTATED, agent, by, facts)
            tx.react(AgentReplaced(agent.id, "key_rotated", by))
            return issued

    def delete(self, name_or_id: str, *, by: str) -> DisabledAgent:
        """Disable and delete an agent; its audit entries are kept. Raises `NotFound`."""
        with self.store.administer() as tx:
            agent = find_agent(tx, name_or_id)
            return delete_agent(tx, agent, by=by)

    def _check_endpoint(self, url: str | None) -> None:
        """Check the URL before the unit of work, because it may need a DNS lookup."""
        if url and (problem := self.endpoint_problem(url)):
            member = "backchannel_client_notification_endpoint"
            raise Invalid(f"`{member}`: {problem}.", member=member)


def register(
    tx: Unit, secrets: Secrets, new: NewAgent, *, by: str, facts: Mapping[str, object] = _NO_FACTS
) -> NewSecret:
    """Add an agent in an administering unit of work; the caller has checked its name.

    Raises `Exists`, `NotFound` or `Invalid`.
    """
    issued = NewSecret(agent_forms.new_record(tx, new, secrets.new_id(PREFIX_AGENT)), "")
    if issued.agent.auth_method != "private_key_jwt":
        issued = with_secret(tx, secrets, issued.agent)
    tx.agents.add(issued.agent, tx.now)
    icons.store(tx, new.get("icon") or b"")
    all_facts = {**members.facts(AGENT_MEMBERS, issued.agent), **facts}
    _record(tx, audit.Type.AGENT_ADDED, issued.agent, by, all_facts)
    return issued


def change(tx: Unit, before: Agent, agent: Agent, *, by: str) -> Agent:
    """Store a changed agent in an administering unit of work."""
    agent = replace(agent, key_uses=remaining_key_uses(before, agent))
    if agent != before:
        agent = client_names.record_rename(tx, before, agent, by=by)
        was_orphan = owners.orphans(tx, [before])
        tx.agents.replace(agent, tx.now)
        owners.record_adoptions(tx, [agent] if was_orphan else [], by=by)
        _record(tx, audit.Type.AGENT_UPDATED, agent, by, members.facts(AGENT_MEMBERS, agent))
        if _credentials(agent) != _credentials(before):
            tx.react(AgentReplaced(agent.id, "key_rotated", by))
        elif set(agent.owners) != set(before.owners):
            tx.react(AgentReplaced(agent.id, "owner_changed", by))
    return agent


def remaining_key_uses(before: Agent, agent: Agent) -> dict[str, int]:
    """Return when the remaining keys were last used; a new key with an old `kid` is unused."""
    unchanged_kids = {key["kid"] for key in agent.jwks if key in before.jwks}
    return {kid: at for kid, at in before.key_uses.items() if kid in unchanged_kids}


def _credentials(agent: Agent) -> tuple[object, ...]:
    """Return the keys of an agent and the IDs of its secrets."""
    return agent.jwks, tuple(secret.id for secret in agent.secrets)


def quarantine(
    tx: Unit, agent: Agent, incident_id: str, *, by: str, cause: Cause = "reported"
) -> DisabledAgent:
    """Quarantine the agent of an incident in an administering unit of work.

    Only an administrator can enable it again. A disabled agent stays as it is.
    """
    if agent.state != "enabled":
        return DisabledAgent(agent)
    agent = replace(agent, state="quarantined")
    tx.agents.replace(agent, tx.now)
    disabled_agent = _revoke_everything(tx, agent, by)
    facts = {"incident": incident_id, **disabled_agent.counts}
    kind = audit.Type.AGENT_QUARANTINED
    tx.audit.add(Entry(kind, by, agent_id=agent.id, cause=cause, facts=facts))
    return disabled_agent


def delete_agent(tx: Unit, agent: Agent, *, by: str) -> DisabledAgent:
    """Disable and delete an agent in an administering unit of work."""
    disabled_agent = _revoke_everything(tx, replace(agent, state="disabled"), by)
    tx.react(ClientDeleted(agent.id, by))
    tx.agents.delete(agent.id)
    tx.icons.prune()
    tx.history.forget(agent.id)
    _record(tx, audit.Type.AGENT_DELETED, agent, by, {"name": agent.name, **disabled_agent.counts})
    return disabled_agent


def with_secret(tx: Unit, secrets: Secrets, agent: Agent) -> NewSecret:
    """Add a new secret to the agent; return the agent and the text of the secret."""
    secret, text = client_secrets.new(secrets, PREFIX_CLIENT_SECRET, tx.now)
    return NewSecret(replace(agent, secrets=(*agent.secrets, secret)), text)


def _revoke_everything(tx: Unit, agent: Agent, by: str) -> DisabledAgent:
    """Cancel the requests, then revoke the tokens, so that no request can yield a new token."""
    canceled = tx.react(AgentDeactivated(agent, by))
    own_tokens, _ = tx.delegations.live_of_client(agent.id, tx.now)
    revoked = len(tx.delegations.revoke_client(agent.id, tx.now))
    return DisabledAgent(agent, revoked, revoked - own_tokens, canceled.requests, canceled.approved)


def _record(tx: Unit, kind: audit.Type, agent: Agent, by: str, facts: Mapping[str, object]) -> None:
    tx.audit.add(Entry(kind, by, agent_id=agent.id, facts=facts))
