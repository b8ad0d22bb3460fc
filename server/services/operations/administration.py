"""What administrators may use: on the command line, and over HTTP behind a guard for each request.

Owns: which services an administrator gets. Never: a rule; those are theirs and `authority.py`'s.
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
from server.services.policy.judging import Judge
from server.services.policy.policies import Policies
from server.services.policy.previews import Previews
from server.services.resources.resources import Resources
from server.services.standing_grants.standing_grants import build_standing_grants
from server.services.tokens.delegations import DelegationService
from server.services.tokens.keys import SigningKeys
from server.services.users.device_auth import Person
from server.services.users.users import Users


class AdminServices:
    """Every unit of work of these services goes through the store that they are given."""

    def __init__(
        self, store: Store, given: Adapters, *, by: str = audit.OPERATOR, only_of: str | None = None
    ) -> None:
        secrets, rules = given.secrets, given.rules
        judge = Judge(secrets)
        opens = approval_creator(secrets, rules)
        self.by = by
        """The actor, as the log names it."""
        self.only_of = only_of
        """The user whose agents are listed; None for those who may see them all."""
        self.users = Users(store, secrets)
        self.agents = Agents(store, secrets, given.endpoint_problem)
        self.agent_auth = AgentAuth(store, secrets)
        self.orphans = Orphans(store, rules)
        self.pauses = Pauses(store, rules)
        self.apps = Apps(store, secrets)
        self.groups = Groups(store, secrets)
        self.resources = Resources(store, secrets, rules.issuer)
        self.actions = ActionTypes(store)
        self.previews = Previews(store)
        self.policies = Policies(store)
        self.trials = Trials(store, rules, judge)
        self.replays = Replays(store, judge)
        self.keys = SigningKeys(store, given.signer, rules)
        self.invitations = Invitations(store, secrets)
        self.oversight = Oversight(store)
        self.outgoing = OutboxAdministration(store)
        self.reinforcements = BackupRequests(store, judge, rules)
        self.statistics = Statistics(store)
        self.limits = Limits(store, rules)
        self.doctor = Doctor(store, judge)
        self.consents = ConsentService(store, secrets, rules, opens)
        self.deputies = ManagedDeputies(store)
        self.standing_grants = build_standing_grants(store, secrets, rules, opens)
        self.delegations = DelegationService(store)
        self.incidents = Incidents(store)
        self._store = store
        self._everybody = Users(given.store, secrets)

    def names(self, ids: Iterable[str]) -> dict[str, str]:
        """What people are called, by their ids; whoever asks may know that."""
        return self._everybody.names(ids)

    def check(self) -> None:
        """Whether they may be here at all, for what is read nowhere. Raises errors.Problem."""
        with self._store.read():
            pass


@dataclass(frozen=True, slots=True)
class Administration:
    """Gives each request its services."""

    given: Adapters
    statements: Statements

    def desk(self, person: Person, rule: AccessRule, asked: AdminRequest) -> AdminServices:
        """The services, behind a guard that knows who asks for what."""
        store = GuardedStore(self.given.store, Guard(rule, person, asked, self.statements))
        sees_all = {Role.ADMIN, Role.AUDITOR} & set(person.user.roles)
        return AdminServices(
            store,
            self.given,
            by=audit.by_user(person.user.id),
            only_of=None if sees_all else person.user.id,
        )
