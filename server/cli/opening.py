"""Opening the installation that the settings point to, for one command.

Owns: which services a command gets. Never: printing.
"""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Concatenate, ParamSpec

import click

from server.app import Services, build
from server.cli.flags import settings_of
from server.outward import endpoint_problem
from server.services.approvals.oversight import Oversight
from server.services.approvers.backups import Reinforcements
from server.services.approvers.deputies import ManagedDeputies
from server.services.approvers.groups import Groups
from server.services.audit import audit
from server.services.clients.agent_auth import AgentAuth
from server.services.clients.agents import Agents
from server.services.clients.apps import Apps
from server.services.clients.invitations import Invitations
from server.services.consents.consents import ConsentService
from server.services.incidents.incidents import Incidents
from server.services.incidents.orphans import Orphans
from server.services.notifications.outbox import Outgoing
from server.services.notifications.pauses import Pauses
from server.services.operations.doctor import Doctor
from server.services.operations.installation import Installation
from server.services.operations.limits import Limits
from server.services.operations.replays import Replays
from server.services.operations.statistics import Statistics
from server.services.operations.trials import Trials
from server.services.policy.action_types import Actions
from server.services.policy.judging import Judge
from server.services.policy.policies import Policies
from server.services.policy.previews import Previews
from server.services.resources.resources import Resources
from server.services.standing_grants.standing_grants import StandingGrants, standing_grants_of
from server.services.tokens.delegations import Ledger
from server.services.tokens.keys import SigningKeys
from server.services.users.passwords import Passwords
from server.services.users.users import Users
from server.settings import Settings

P = ParamSpec("P")

BY = audit.OPERATOR
"""Who acts: whoever can read the data folder."""


@dataclass(frozen=True, slots=True)
class OpenInstallation:
    """Everything an administrator can do here."""

    services: Services
    users: Users
    passwords: Passwords
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
    keys: SigningKeys
    invitations: Invitations
    installation: Installation
    oversight: Oversight
    outgoing: Outgoing
    reinforcements: Reinforcements
    statistics: Statistics
    limits: Limits
    consents: ConsentService
    deputies: ManagedDeputies
    standing_grants: StandingGrants
    ledger: Ledger
    incidents: Incidents
    doctor: Doctor

    @property
    def issuer(self) -> str:
        """The public URL, for the commands that are printed."""
        return self.services.rules.issuer

    @property
    def now(self) -> int:
        """Milliseconds since the epoch."""
        return self.services.clock.now()


@contextmanager
def opened(settings: Settings) -> Iterator[OpenInstallation]:
    """The installation, closed afterwards."""
    services = build(settings)
    try:
        yield _desk(services)
    finally:
        services.store.close()


def administers(function: Callable[Concatenate[OpenInstallation, P], None]) -> Callable[P, None]:
    """Give the command an open installation as its first argument."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        with opened(settings_of(click.get_current_context())) as desk:
            function(desk, *args, **kwargs)

    return run


def _desk(services: Services) -> OpenInstallation:
    store, secrets, signer = services.store, services.secrets, services.signer
    judge = Judge(secrets)
    return OpenInstallation(
        services=services,
        users=Users(store, secrets),
        passwords=Passwords(store, services.passwords),
        agents=Agents(store, secrets, partial(endpoint_problem, services.settings)),
        agent_auth=AgentAuth(store, secrets),
        orphans=Orphans(store, services.rules),
        pauses=Pauses(store, services.rules),
        apps=Apps(store, secrets),
        groups=Groups(store, secrets),
        resources=Resources(store, secrets, services.rules.issuer),
        actions=Actions(store),
        previews=Previews(store),
        policies=Policies(store),
        trials=Trials(store, services.rules, judge),
        replays=Replays(store, judge),
        keys=SigningKeys(store, signer, services.rules),
        invitations=Invitations(store, secrets),
        installation=Installation(store, secrets, signer),
        oversight=Oversight(store),
        outgoing=Outgoing(store),
        reinforcements=Reinforcements(store, judge, services.rules),
        statistics=Statistics(store),
        limits=Limits(store, services.rules),
        consents=ConsentService(store, secrets, services.rules),
        deputies=ManagedDeputies(store),
        standing_grants=standing_grants_of(store, secrets, services.rules),
        ledger=Ledger(store),
        incidents=Incidents(store),
        doctor=Doctor(store, judge),
    )
