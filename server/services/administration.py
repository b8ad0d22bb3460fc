"""Administration over HTTP: the services of the command line, at one person's guarded desk.

Owns: which services a request gets. Never: a rule; those are theirs and `authority.py`'s.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from server.services import audit
from server.services.actions import Actions
from server.services.agents import Agents
from server.services.apps import Apps
from server.services.authority import Asked, Guard, GuardedStore, Role, Rule
from server.services.consents import ConsentService
from server.services.delegations import Ledger
from server.services.incidents import Incidents
from server.services.invitations import Invitations
from server.services.keys import Keys
from server.services.oversight import Oversight
from server.services.pauses import Pauses
from server.services.people import Person
from server.services.policy.policies import Policies
from server.services.policy.replays import Replays
from server.services.policy.trials import Trials
from server.services.ports import Secrets, Signer, Store, Verifier
from server.services.resources import Resources
from server.services.rules import Rules
from server.services.statements import Statements
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
    users: Users
    agents: Agents
    pauses: Pauses
    apps: Apps
    resources: Resources
    actions: Actions
    policies: Policies
    trials: Trials
    replays: Replays
    keys: Keys
    invitations: Invitations
    oversight: Oversight
    ledger: Ledger
    incidents: Incidents
    consents: ConsentService


@dataclass(frozen=True, slots=True)
class Administration:
    """Gives each request its desk."""

    store: Store
    secrets: Secrets
    signer: Signer
    verifier: Verifier
    rules: Rules
    endpoint_problem: Callable[[str], str]
    """Why an agent may not be called back at a URL; "" when it may."""

    def desk(self, person: Person, rule: Rule, asked: Asked) -> Desk:
        """The services, behind a guard that knows who asks for what."""
        statements = Statements(self.secrets, self.verifier, self.rules)
        store = GuardedStore(self.store, Guard(rule, person, asked, statements))
        sees_all = {Role.ADMIN, Role.AUDITOR} & set(person.user.roles)
        return Desk(
            by=audit.by_user(person.user.id),
            only_of=None if sees_all else person.user.id,
            names=Users(self.store, self.secrets).names,
            users=Users(store, self.secrets),
            agents=Agents(store, self.secrets, self.endpoint_problem),
            pauses=Pauses(store, self.rules),
            apps=Apps(store, self.secrets),
            resources=Resources(store, self.secrets, self.rules.issuer),
            actions=Actions(store),
            policies=Policies(store),
            trials=Trials(store, self.rules),
            replays=Replays(store),
            keys=Keys(store, self.signer, self.rules),
            invitations=Invitations(store, self.secrets),
            oversight=Oversight(store),
            consents=ConsentService(store, self.secrets, self.rules),
            ledger=Ledger(store),
            incidents=Incidents(store),
        )
