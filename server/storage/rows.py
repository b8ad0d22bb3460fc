"""All rows of one unit of work or reading, made when they are first asked for."""

import hashlib
from collections.abc import Callable

from sqlalchemy import BigInteger, Connection, bindparam, cast, func, select, update

from server.model.reactions import Ended, Event
from server.model.store import React
from server.protocol.lazy import lazy
from server.storage.approvals.approvals import Approvals
from server.storage.approvals.ceremonies import CeremonyTries
from server.storage.approvals.consumptions import Consumptions
from server.storage.approvals.decisions import Decisions
from server.storage.approvals.execution_outcomes import Outcomes
from server.storage.approvals.history import History
from server.storage.approvers.approvers import Approvers
from server.storage.approvers.deputies import Deputies
from server.storage.approvers.escalations import Escalations
from server.storage.approvers.groups import Groups
from server.storage.audit.entries import Audit
from server.storage.clients.agents import Agents
from server.storage.clients.apps import Apps
from server.storage.clients.icons import Icons
from server.storage.clients.names import Names
from server.storage.clients.registrations import Invitations, Registrations
from server.storage.consents.consents import Consents
from server.storage.devices.device_codes import DeviceCodes
from server.storage.devices.devices import Devices
from server.storage.devices.enrolment_codes import EnrolmentCodes
from server.storage.devices.passkeys import Browsers, Passkeys
from server.storage.devices.sessions import Sessions
from server.storage.directory import Cache, CachedDirectory
from server.storage.incidents.incidents import Incidents
from server.storage.notifications.attention import Attention
from server.storage.notifications.deliveries import Deliveries
from server.storage.notifications.feed import Feed
from server.storage.notifications.notifications import Notifications
from server.storage.notifications.outbox import Outbox
from server.storage.notifications.push_subscriptions import PushSubscriptions
from server.storage.operations.counters import Counters
from server.storage.operations.installation import InstallationRecords
from server.storage.operations.limits import Limits
from server.storage.operations.traces import Traces
from server.storage.policy.action_types import Actions
from server.storage.policy.policy import Policies, Uses
from server.storage.resources.resources import Resources
from server.storage.sign_in.flows import Flows
from server.storage.sign_in.sign_ins import SignIns
from server.storage.standing_grants.standing_grants import StandingGrants
from server.storage.tables import installation
from server.storage.tokens.code_grants import CodeGrants
from server.storage.tokens.delegations import Delegations
from server.storage.tokens.keys import Keys
from server.storage.tokens.replays import Replays
from server.storage.users.passwords import Passwords
from server.storage.users.user_codes import UserCodes
from server.storage.users.users import Users

_QUEUE = select(func.pg_advisory_xact_lock(cast(bindparam("number"), BigInteger)))
_ADMINISTERED = update(installation).values(admin_version=installation.c.admin_version + 1)


class Rows:
    """The rows that one connection sees at one moment."""

    def __init__(
        self,
        connection: Connection,
        now: int,
        cache: Cache,
        new_entry_id: Callable[[int], str],
        react: React,
    ) -> None:
        self.now = now
        self.stirred = False
        """Reports whether anybody should be woken: events, messages or administration."""
        self._connection = connection
        self._cache = cache
        self._new_entry_id = new_entry_id
        self._react = react

    def react(self, event: Event) -> Ended:
        """Run what follows from an event, in this unit of work."""
        return self._react(self, event)

    @property
    def version(self) -> int:
        """The `admin_version` that this stands on."""
        return self._cache.version

    @lazy
    def directory(self) -> CachedDirectory:
        """Who and what there is, at this unit of work's version."""
        return CachedDirectory(self._connection, self._cache)

    @lazy
    def users(self) -> Users:
        """People."""
        return Users(self._connection)

    @lazy
    def groups(self) -> Groups:
        """Groups of approvers."""
        return Groups(self._connection)

    @lazy
    def names(self) -> Names:
        """What names look like, and former ones."""
        return Names(self._connection)

    @lazy
    def agents(self) -> Agents:
        """Agents."""
        return Agents(self._connection)

    @lazy
    def icons(self) -> Icons:
        """Pictures of agents."""
        return Icons(self._connection)

    @lazy
    def apps(self) -> Apps:
        """Apps."""
        return Apps(self._connection)

    @lazy
    def resources(self) -> Resources:
        """Protected APIs."""
        return Resources(self._connection)

    @lazy
    def actions(self) -> Actions:
        """Action types."""
        return Actions(self._connection)

    @lazy
    def policies(self) -> Policies:
        """Rule sets."""
        return Policies(self._connection)

    @lazy
    def uses(self) -> Uses:
        """What agents got tokens for."""
        return Uses(self._connection)

    @lazy
    def user_codes(self) -> UserCodes:
        """What people want agents to know."""
        return UserCodes(self._connection)

    @lazy
    def keys(self) -> Keys:
        """Signing keys."""
        return Keys(self._connection)

    @lazy
    def codes(self) -> EnrolmentCodes:
        """Enrolment codes."""
        return EnrolmentCodes(self._connection)

    @lazy
    def device_codes(self) -> DeviceCodes:
        """Device grants under way."""
        return DeviceCodes(self._connection)

    @lazy
    def sessions(self) -> Sessions:
        """Sign-ins of terminals."""
        return Sessions(self._connection)

    @lazy
    def passkeys(self) -> Passkeys:
        """Devices that are passkeys."""
        return Passkeys(self._connection)

    @lazy
    def pushes(self) -> PushSubscriptions:
        """Browsers that want to be called."""
        return PushSubscriptions(self._connection)

    @lazy
    def browsers(self) -> Browsers:
        """Browsers that are signed in with a passkey."""
        return Browsers(self._connection)

    @lazy
    def passwords(self) -> Passwords:
        """Passwords."""
        return Passwords(self._connection)

    @lazy
    def sign_ins(self) -> SignIns:
        """Browsers in which somebody is signed in."""
        return SignIns(self._connection)

    @lazy
    def flows(self) -> Flows:
        """Authorization requests."""
        return Flows(self._connection)

    @lazy
    def code_grants(self) -> CodeGrants:
        """Codes and refresh tokens of apps."""
        return CodeGrants(self._connection)

    @lazy
    def devices(self) -> Devices:
        """Devices."""
        return Devices(self._connection)

    @lazy
    def approvals(self) -> Approvals:
        """Approvals."""
        return Approvals(self._connection)

    @lazy
    def approvers(self) -> Approvers:
        """People asked beside the one an approval is for."""
        return Approvers(self._connection)

    @lazy
    def deliveries(self) -> Deliveries:
        """What reached which device."""
        return Deliveries(self._connection, self.now)

    @lazy
    def decisions(self) -> Decisions:
        """Signed answers."""
        return Decisions(self._connection)

    @lazy
    def attention(self) -> Attention:
        """What people want to be notified of."""
        return Attention(self._connection)

    @lazy
    def deputies(self) -> Deputies:
        """Who decides for whom."""
        return Deputies(self._connection)

    @lazy
    def escalations(self) -> Escalations:
        """What the clock does about approvals that wait."""
        return Escalations(self._connection)

    @lazy
    def invitations(self) -> Invitations:
        """Rights to register agents."""
        return Invitations(self._connection)

    @lazy
    def registrations(self) -> Registrations:
        """Agents that registered themselves."""
        return Registrations(self._connection)

    @lazy
    def consents(self) -> Consents:
        """Consents."""
        return Consents(self._connection)

    @lazy
    def consumptions(self) -> Consumptions:
        """Spent approvals."""
        return Consumptions(self._connection)

    @lazy
    def outcomes(self) -> Outcomes:
        """What resources said of their executions."""
        return Outcomes(self._connection)

    @lazy
    def delegations(self) -> Delegations:
        """Issued tokens."""
        return Delegations(self._connection)

    @lazy
    def ceremony_tries(self) -> CeremonyTries:
        """Tries to type what a ceremony asks for."""
        return CeremonyTries(self._connection)

    @lazy
    def traces(self) -> Traces:
        """Approvals for statistics."""
        return Traces(self._connection)

    @lazy
    def limits(self) -> Limits:
        """What limits count."""
        return Limits(self._connection, self.now)

    @lazy
    def history(self) -> History:
        """What was approved before."""
        return History(self._connection)

    @lazy
    def incidents(self) -> Incidents:
        """What people reported."""
        return Incidents(self._connection)

    @lazy
    def standing_grants(self) -> StandingGrants:
        """What was approved ahead."""
        return StandingGrants(self._connection)

    @lazy
    def audit(self) -> Audit:
        """The log."""
        return Audit(self._connection, self.now, self._new_entry_id)

    @lazy
    def feed(self) -> Feed:
        """Events for people's screens."""
        return Feed(self._connection, self.now, self._stir)

    @lazy
    def notifications(self) -> Notifications:
        """How often people were called."""
        return Notifications(self._connection, self.now)

    @lazy
    def outbox(self) -> Outbox:
        """What leaves the installation."""
        return Outbox(self._connection, self.now, self._stir)

    @lazy
    def installation(self) -> InstallationRecords:
        """The installation itself."""
        return InstallationRecords(self._connection)

    @lazy
    def replays(self) -> Replays:
        """Things that count once."""
        return Replays(self._connection)

    @lazy
    def counters(self) -> Counters:
        """Tries per window."""
        return Counters(self._connection, self.now)

    def queue(self, name: str) -> None:
        """Wait for others of this name. SQLite has one writer, so there is nobody to wait for."""
        if self._connection.dialect.name == "postgresql":
            number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
            self._connection.execute(_QUEUE, {"number": number})

    def administered(self) -> None:
        """Bump the version that every cache is keyed by; from here on this unit reads for itself.

        What it reads may never be stored, so it must not reach the cache that others share.
        """
        self._stir()
        self._connection.execute(_ADMINISTERED)
        self._cache = Cache(version=-1)
        self.__dict__.pop("directory", None)

    def _stir(self) -> None:
        self.stirred = True
