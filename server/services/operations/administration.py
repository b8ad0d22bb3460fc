"""The services of administrators: for the command line, and for HTTP with a guard per request.

Owns: which services an administrator gets. Never: a rule; the services and `authority.py` have
those.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from server.model.store import Store
from server.services.adapters import Adapters
from server.services.approvals.backups import BackupRequests
from server.services.approvals.creation import approval_creator
from server.services.approvals.oversight import Oversight
from server.services.approvers.deputies import ManagedDeputies
from server.services.approvers.groups import Groups
from server.services.audit import audit
from server.services.clients.agent_auth import AgentAuth
from server.services.clients.agents import Agents
from server.services.clients.apps import Apps
from server.services.clients.invitations import Invitations
from server.services.consents.consents import ConsentService
from server.services.devices.statements import Statements
from server.services.incidents.incidents import Incidents
from server.services.incidents.orphans import Orphans
from server.services.notifications.outbox import OutboxAdministration
from server.services.notifications.pauses import Pauses
from server.services.operations.authority import AccessRule, AdminRequest, Guard, GuardedStore, Role
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
from server.services.standing_grants.standing_grants import build_standing_grants
from server.services.tokens.delegations import DelegationService
from server.services.tokens.keys import SigningKeys
from server.services.users.device_auth import Person
from server.services.users.users import Users


class AdminServices:
    """All administration services over one store."""

    def __init__(
        self,
        store: Store,
        adapters: Adapters,
        *,
        by: str = audit.OPERATOR,
        only_of: str | None = None,
    ) -> None:
        secrets, rules = adapters.secrets, adapters.rules
        evaluator = Evaluator(secrets)
        opens = approval_creator(secrets, rules)
        self.by = by
        """The actor in the audit log."""
        self.only_of = only_of
        """Lists show only the agents of this user; None for all agents."""
        self.users = Users(store, secrets)
        self.agents = Agents(store, secrets, adapters.endpoint_problem)
        self.agent_auth = AgentAuth(store, secrets)
        self.orphans = Orphans(store, rules)
        self.pauses = Pauses(store, rules)
        self.apps = Apps(store, secrets)
        self.groups = Groups(store, secrets)
        self.resources = Resources(store, secrets, rules.issuer)
        self.actions = ActionTypes(store)
        self.previews = Previews(store)
        self.policies = Policies(store)
        self.trials = Trials(store, rules, evaluator)
        self.replays = Replays(store, evaluator)
        self.keys = SigningKeys(store, adapters.signer, rules)
        self.invitations = Invitations(store, secrets)
        self.oversight = Oversight(store)
        self.outbox = OutboxAdministration(store)
        self.backup_requests = BackupRequests(store, evaluator, rules)
        self.statistics = Statistics(store)
        self.limits = Limits(store, rules)
        self.doctor = Doctor(store, evaluator)
        self.consents = ConsentService(store, secrets, rules, opens)
        self.deputies = ManagedDeputies(store)
        self.standing_grants = build_standing_grants(store, secrets, rules, opens)
        self.delegations = DelegationService(store)
        self.incidents = Incidents(store)
        self._store = store
        self._all_users = Users(adapters.store, secrets)

    def names(self, ids: Iterable[str]) -> dict[str, str]:
        """The names of users by their ids, which every administrator may see."""
        return self._all_users.names(ids)

    def check(self) -> None:
        """Authorize a request that reads nothing from the database. Raises errors.Problem."""
        with self._store.read():
            pass


@dataclass(frozen=True, slots=True)
class Administration:
    """Creates the services of each HTTP request."""

    adapters: Adapters
    statements: Statements

    def services_for(
        self, person: Person, rule: AccessRule, request: AdminRequest
    ) -> AdminServices:
        """The administration services over a store that authorizes this request."""
        store = GuardedStore(self.adapters.store, Guard(rule, person, request, self.statements))
        sees_all = {Role.ADMIN, Role.AUDITOR} & set(person.user.roles)
        return AdminServices(
            store,
            self.adapters,
            by=audit.by_user(person.user.id),
            only_of=None if sees_all else person.user.id,
        )
