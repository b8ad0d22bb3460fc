"""Administration over HTTP: the services of the command line, at one person's guarded desk.

Owns: which services a request gets. Never: a rule; those are theirs and `authority.py`'s.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from server.services import audit
from server.services.actions import Actions
from server.services.agent_auth import AgentAuth
from server.services.agents import Agents
from server.services.apps import Apps
from server.services.authority import Asked, Guard, GuardedStore, Role, Rule
from server.services.consents import ConsentService
from server.services.delegations import Ledger
from server.services.deputies import ManagedDeputies
from server.services.doctor import Doctor
from server.services.groups import Groups
from server.services.incidents import Incidents
from server.services.invitations import Invitations
from server.services.keys import Keys
from server.services.limits import Limits
from server.services.orphans import Orphans
from server.services.outgoing import Outgoing
from server.services.oversight import Oversight
from server.services.pauses import Pauses
from server.services.people import Person
from server.services.policy.judging import Judge
from server.services.policy.policies import Policies
from server.services.policy.replays import Replays
from server.services.policy.trials import Trials
from server.services.ports import Secrets, Signer, Store
from server.services.previews import Previews
from server.services.reinforcements import Reinforcements
from server.services.resources import Resources
from server.services.rules import Rules
from server.services.standing_grants import StandingGrants, standing_grants_of
from server.services.statements import Statements
from server.services.statistics import Statistics
from server.services.users import Users


@dataclass(frozen=True, slots=True)
class Desk:
    """What one request may use. Every unit of work of it is checked for this very request."""

    by: str
    """The actor, as the log names it."""
    only_of: str | None
    """The user whose agents are listed; None for those who may see them all."""
    names: Callable[[Iterable[str]], dict[str, str]]
    """What people are called, by their ids."""
    check: Callable[[], None]
    """Whether they may be here at all, for what is read nowhere. Raises errors.Problem."""
    users: Users
    agents: Agents
    agent_auth: AgentAuth
    orphans: Orphans
    pauses: Pauses
    apps: Apps
    groups: Groups
    resources: Resources
    actions: Actions
    previews: Previews
    policies: Policies
    trials: Trials
    replays: Replays
    keys: Keys
    invitations: Invitations
    oversight: Oversight
    outgoing: Outgoing
    reinforcements: Reinforcements
    statistics: Statistics
    limits: Limits
    doctor: Doctor
    ledger: Ledger
    incidents: Incidents
    consents: ConsentService
    deputies: ManagedDeputies
    standing_grants: StandingGrants


@dataclass(frozen=True, slots=True)
class Administration:
    """Gives each request its desk."""

    store: Store
    secrets: Secrets
    signer: Signer
    statements: Statements
    rules: Rules
    endpoint_problem: Callable[[str], str]
    """Why an agent may not be called back at a URL; "" when it may."""

    def desk(self, person: Person, rule: Rule, asked: Asked) -> Desk:
        """The services, behind a guard that knows who asks for what."""
        store = GuardedStore(self.store, Guard(rule, person, asked, self.statements))
        judge = Judge(self.secrets)
        sees_all = {Role.ADMIN, Role.AUDITOR} & set(person.user.roles)
        return Desk(
            by=audit.by_user(person.user.id),
            only_of=None if sees_all else person.user.id,
            names=Users(self.store, self.secrets).names,
            check=partial(_look, store),
            users=Users(store, self.secrets),
            agents=Agents(store, self.secrets, self.endpoint_problem),
            agent_auth=AgentAuth(store, self.secrets),
            orphans=Orphans(store, self.rules),
            pauses=Pauses(store, self.rules),
            apps=Apps(store, self.secrets),
            groups=Groups(store, self.secrets),
            resources=Resources(store, self.secrets, self.rules.issuer),
            actions=Actions(store),
            previews=Previews(store),
            policies=Policies(store),
            trials=Trials(store, self.rules, judge),
            replays=Replays(store, judge),
            keys=Keys(store, self.signer, self.rules),
            invitations=Invitations(store, self.secrets),
            oversight=Oversight(store),
            outgoing=Outgoing(store),
            reinforcements=Reinforcements(store, judge, self.rules),
            statistics=Statistics(store),
            limits=Limits(store, self.rules),
            doctor=Doctor(store, judge),
            consents=ConsentService(store, self.secrets, self.rules),
            deputies=ManagedDeputies(store),
            standing_grants=standing_grants_of(store, self.secrets, self.rules),
            ledger=Ledger(store),
            incidents=Incidents(store),
        )


def _look(store: GuardedStore) -> None:
    with store.read():
        pass
