"""All rows of one unit of work or reading, created when they are first used."""

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
from server.storage.clients.app_uses import AppUses
from server.storage.clients.apps import Apps
from server.storage.clients.icons import Icons
from server.storage.clients.names import Names
from server.storage.clients.registrations import Invitations, Registrations
from server.storage.consents.consents import Consents
from server.storage.devices.device_codes import DeviceCodes
from server.storage.devices.devices import Devices
from server.storage.devices.enrollment_codes import EnrollmentCodes
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
from server.storage.operations.approval_statistics import ApprovalStatistics
from server.storage.operations.counters import Counters
from server.storage.operations.installation import InstallationRecords
from server.storage.operations.limits import Limits
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

_LOCK = select(func.pg_advisory_xact_lock(cast(bindparam("number"), BigInteger)))
_BUMP_VERSION = update(installation).values(admin_version=installation.c.admin_version + 1)


class Rows:
    """The rows that one connection sees, at one time."""

    def __init__(
        self,
        connection: Connection,
        now: int,
        cache: Cache,
        new_entry_id: Callable[[int], str],
        react: React,
    ) -> None:
        self.now = now
        self.needs_wake = False
        """Whether to wake waiters after the commit, for events, messages or administration."""
        self._connection = connection
        self._cache = cache
        self._new_entry_id = new_entry_id
        self._react = react

    def react(self, event: Event) -> Ended:
        """Run the functions that handle an event, in this unit of work."""
        return self._react(self, event)

    @property
    def version(self) -> int:
        """The `admin_version` that this reading or unit of work sees."""
        return self._cache.version

    @lazy
    def directory(self) -> CachedDirectory:
        """The cached directory at this version."""
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
        """Protected names, including former ones."""
        return Names(self._connection)

    @lazy
    def agents(self) -> Agents:
        """Agents."""
        return Agents(self._connection)

    @lazy
    def icons(self) -> Icons:
        """Icons of agents."""
        return Icons(self._connection)

    @lazy
    def apps(self) -> Apps:
        """Apps."""
        return Apps(self._connection)

    @lazy
    def app_uses(self) -> AppUses:
        """Checks and uses of apps that nobody registered."""
        return AppUses(self._connection)

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
        """The uses that agents got tokens for."""
        return Uses(self._connection)

    @lazy
    def user_codes(self) -> UserCodes:
        """User codes."""
        return UserCodes(self._connection)

    @lazy
    def keys(self) -> Keys:
        """Signing keys."""
        return Keys(self._connection)

    @lazy
    def codes(self) -> EnrollmentCodes:
        """Enrollment codes."""
        return EnrollmentCodes(self._connection)

    @lazy
    def device_codes(self) -> DeviceCodes:
        """Open device grants."""
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
        """Web push subscriptions."""
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
        """Browsers in which a user is signed in to apps."""
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
        """People who are asked in addition to the person of an approval."""
        return Approvers(self._connection)

    @lazy
    def deliveries(self) -> Deliveries:
        """Deliveries of requests to devices."""
        return Deliveries(self._connection, self.now)

    @lazy
    def decisions(self) -> Decisions:
        """Signed decisions."""
        return Decisions(self._connection)

    @lazy
    def attention(self) -> Attention:
        """Notification settings."""
        return Attention(self._connection)

    @lazy
    def deputies(self) -> Deputies:
        """Deputies."""
        return Deputies(self._connection)

    @lazy
    def escalations(self) -> Escalations:
        """Escalations of pending approvals."""
        return Escalations(self._connection)

    @lazy
    def invitations(self) -> Invitations:
        """Invitations to register agents."""
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
        """Consumed approvals."""
        return Consumptions(self._connection)

    @lazy
    def outcomes(self) -> Outcomes:
        """Outcomes that resources reported."""
        return Outcomes(self._connection)

    @lazy
    def delegations(self) -> Delegations:
        """Issued tokens."""
        return Delegations(self._connection)

    @lazy
    def ceremony_tries(self) -> CeremonyTries:
        """Attempts at ceremonies."""
        return CeremonyTries(self._connection)

    @lazy
    def approval_statistics(self) -> ApprovalStatistics:
        """Approvals for statistics."""
        return ApprovalStatistics(self._connection)

    @lazy
    def limits(self) -> Limits:
        """The rows that limits count."""
        return Limits(self._connection, self.now)

    @lazy
    def history(self) -> History:
        """Earlier approvals."""
        return History(self._connection)

    @lazy
    def incidents(self) -> Incidents:
        """Incidents."""
        return Incidents(self._connection)

    @lazy
    def standing_grants(self) -> StandingGrants:
        """Standing grants."""
        return StandingGrants(self._connection)

    @lazy
    def audit(self) -> Audit:
        """The audit log."""
        return Audit(self._connection, self.now, self._new_entry_id)

    @lazy
    def feed(self) -> Feed:
        """Feed events."""
        return Feed(self._connection, self.now, self._wake_later)

    @lazy
    def notifications(self) -> Notifications:
        """Recent notifications."""
        return Notifications(self._connection, self.now)

    @lazy
    def outbox(self) -> Outbox:
        """Outbox messages."""
        return Outbox(self._connection, self.now, self._wake_later)

    @lazy
    def installation(self) -> InstallationRecords:
        """The installation itself."""
        return InstallationRecords(self._connection)

    @lazy
    def replays(self) -> Replays:
        """Values that may be used only once."""
        return Replays(self._connection)

    @lazy
    def counters(self) -> Counters:
        """Counters in time windows."""
        return Counters(self._connection, self.now)

    def lock(self, name: str) -> None:
        """Take a lock until the end of the transaction. SQLite needs none: it has one writer."""
        if self._connection.dialect.name == "postgresql":
            number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
            self._connection.execute(_LOCK, {"number": number})

    def bump_admin_version(self) -> None:
        """Increment the version of the cache, and use a private cache from here on.

        This unit of work may be rolled back, so its reads must not reach the shared cache.
        """
        self._wake_later()
        self._connection.execute(_BUMP_VERSION)
        self._cache = Cache(version=-1)
        self.__dict__.pop("directory", None)

    def _wake_later(self) -> None:
        self.needs_wake = True
