"""Administration services, used by the CLI and, with a guard per request, by HTTP.

Owns: the list of these services; each is created on first use. Never: rules; those are in
the services and in `authority.py`.
"""

from collections.abc import Iterable
from functools import cached_property

from server.lazy_imports import lazily
from server.services.audit import audit

with lazily():
    from server.model.approval_requests import NewApproval
    from server.model.approvals import Approval
    from server.model.store import Store, Unit
    from server.services.adapters import Adapters
    from server.services.approvals.backups import BackupRequests
    from server.services.approvals.creation import create_approval
    from server.services.approvals.oversight import Oversight
    from server.services.approvers.deputies import ManagedDeputies
    from server.services.approvers.groups import Groups
    from server.services.audit import audit
    from server.services.audit.entries import AuditEntries
    from server.services.audit.retention import Retention
    from server.services.clients.agent_auth import AgentAuth
    from server.services.clients.agents import Agents
    from server.services.clients.apps import Apps
    from server.services.clients.invitations import Invitations
    from server.services.clients.sample_requests import SampleRequests
    from server.services.consents.consents import ConsentService
    from server.services.incidents.incidents import Incidents
    from server.services.incidents.orphans import Orphans
    from server.services.notifications.outbox import OutboxAdministration
    from server.services.notifications.request_limits import Pauses
    from server.services.operations.doctor import Doctor
    from server.services.operations.limits import Limits
    from server.services.operations.replays import Replays
    from server.services.operations.statistics import Statistics
    from server.services.operations.trials import Trials
    from server.services.policy.action_types import ActionTypes
    from server.services.policy.evaluation import Evaluator
    from server.services.policy.policies import Policies
    from server.services.policy.previews import Previews
    from server.services.resources.resources import Resources
    from server.services.standing_grants.proposals import Proposals
    from server.services.standing_grants.standing_grants import StandingGrants
    from server.services.tokens.delegations import DelegationService
    from server.services.tokens.keys import SigningKeys
    from server.services.users.users import Users


class AdminServices:
    """All administration services over one store."""

    def __init__(
        self,
        store: Store,
        adapters: Adapters,
        *,
        by: str = audit.OPERATOR,
        owner_id: str | None = None,
    ) -> None:
        self.by = by
        """The actor in the audit log."""
        self.owner_id = owner_id
        """Lists show only the agents that this user owns; None for all agents."""
        self._store = store
        self._adapters = adapters
        self._secrets = adapters.secrets
        self._server_policy = adapters.server_policy

    users = cached_property(lambda self: Users(self._store, self._secrets))
    agents = cached_property(
        lambda self: Agents(self._store, self._secrets, self._adapters.endpoint_problem)
    )
    samples = cached_property(lambda self: SampleRequests(self._adapters.store))
    agent_auth = cached_property(lambda self: AgentAuth(self._store, self._secrets))
    orphans = cached_property(lambda self: Orphans(self._store, self._server_policy))
    pauses = cached_property(lambda self: Pauses(self._store, self._server_policy))
    apps = cached_property(lambda self: Apps(self._store, self._secrets))
    groups = cached_property(lambda self: Groups(self._store, self._secrets))
    resources = cached_property(
        lambda self: Resources(self._store, self._secrets, self._server_policy.issuer)
    )
    actions = cached_property(lambda self: ActionTypes(self._store))
    previews = cached_property(lambda self: Previews(self._store))
    policies = cached_property(lambda self: Policies(self._store))
    trials = cached_property(lambda self: Trials(self._store, self._server_policy, self._evaluator))
    replays = cached_property(lambda self: Replays(self._store, self._evaluator))
    keys = cached_property(
        lambda self: SigningKeys(self._store, self._adapters.signer, self._server_policy)
    )
    invitations = cached_property(lambda self: Invitations(self._store, self._secrets))
    oversight = cached_property(lambda self: Oversight(self._store))
    entries = cached_property(lambda self: AuditEntries(self._store))
    retention = cached_property(lambda self: Retention(self._store))
    outbox = cached_property(lambda self: OutboxAdministration(self._store))
    backup_requests = cached_property(
        lambda self: BackupRequests(self._store, self._evaluator, self._server_policy)
    )
    statistics = cached_property(lambda self: Statistics(self._store))
    limits = cached_property(lambda self: Limits(self._store, self._server_policy))
    doctor = cached_property(lambda self: Doctor(self._store, lambda: self._evaluator))
    consents = cached_property(
        lambda self: ConsentService(
            self._store, self._secrets, self._server_policy, self._create_approval
        )
    )
    deputies = cached_property(lambda self: ManagedDeputies(self._store))
    standing_grants = cached_property(
        lambda self: StandingGrants(
            self._store,
            self._secrets,
            lambda: Proposals(self._evaluator),
            self._server_policy,
            self._create_approval,
        )
    )
    delegations = cached_property(lambda self: DelegationService(self._store))
    incidents = cached_property(lambda self: Incidents(self._store))
    _evaluator = cached_property(lambda self: Evaluator(self._secrets))

    def _create_approval(self, tx: Unit, new: NewApproval) -> Approval:
        return create_approval(tx, new, secrets=self._secrets, server_policy=self._server_policy)

    def names(self, ids: Iterable[str]) -> dict[str, str]:
        """Return users' names by ID; every administrator may see them."""
        return Users(self._adapters.store, self._secrets).names(ids)

    def value_hash(self, value: str) -> str:
        """Return the hash for finding audit entries about a value. Raises errors.Problem."""
        self.check()
        return audit.hash_value(self._secrets, value.strip())

    def check(self) -> None:
        """Authorize a request that does not read the database. Raises errors.Problem."""
        with self._store.read():
            pass
