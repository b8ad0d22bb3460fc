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
from server.services import audit
from server.services.actions import Actions
from server.services.agent_auth import AgentAuth
from server.services.agents import Agents
from server.services.apps import Apps
from server.services.consents import ConsentService
from server.services.delegations import Ledger
from server.services.deputies import ManagedDeputies
from server.services.doctor import Doctor
from server.services.groups import Groups
from server.services.incidents import Incidents
from server.services.installation import Installation
from server.services.invitations import Invitations
from server.services.keys import Keys
from server.services.limits import Limits
from server.services.orphans import Orphans
from server.services.outgoing import Outgoing
from server.services.oversight import Oversight
from server.services.passwords import Passwords
from server.services.pauses import Pauses
from server.services.policy.judging import Judge
from server.services.policy.policies import Policies
from server.services.policy.replays import Replays
from server.services.policy.trials import Trials
from server.services.previews import Previews
from server.services.reinforcements import Reinforcements
from server.services.resources import Resources
from server.services.standing_grants import StandingGrants, standing_grants_of
from server.services.statistics import Statistics
from server.services.users import Users
from server.settings import Settings

P = ParamSpec("P")

BY = audit.OPERATOR
"""Who acts: whoever can read the data folder."""


@dataclass(frozen=True, slots=True)
class Desk:
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
    keys: Keys
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
def opened(settings: Settings) -> Iterator[Desk]:
    """The installation, closed afterwards."""
    services = build(settings)
    try:
        yield _desk(services)
    finally:
        services.store.close()


def administers(function: Callable[Concatenate[Desk, P], None]) -> Callable[P, None]:
    """Give the command an open installation as its first argument."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        with opened(settings_of(click.get_current_context())) as desk:
            function(desk, *args, **kwargs)

    return run


def _desk(services: Services) -> Desk:
    store, secrets, signer = services.store, services.secrets, services.signer
    judge = Judge(secrets)
    return Desk(
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
        keys=Keys(store, signer, services.rules),
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
