"""All rows of one unit of work or reading, made when they are first asked for."""

import hashlib
from collections.abc import Callable

from sqlalchemy import BigInteger, Connection, bindparam, cast, func, select, update

from server.services.once import once
from server.storage.actions import Actions
from server.storage.agents import Agents
from server.storage.approvals import Approvals
from server.storage.approvers import Approvers
from server.storage.apps import Apps
from server.storage.attention import Attention
from server.storage.audit import Audit
from server.storage.ceremonies import CeremonyTries
from server.storage.code_grants import CodeGrants
from server.storage.codes import Codes
from server.storage.consents import Consents
from server.storage.consumptions import Consumptions
from server.storage.counters import Counters
from server.storage.decisions import Decisions
from server.storage.delegations import Delegations
from server.storage.deliveries import Deliveries
from server.storage.deputies import Deputies
from server.storage.device_codes import DeviceCodes
from server.storage.devices import Devices
from server.storage.directory import Cache, CachedDirectory
from server.storage.escalations import Escalations
from server.storage.feed import Feed
from server.storage.flows import Flows
from server.storage.groups import Groups
from server.storage.history import History
from server.storage.icons import Icons
from server.storage.incidents import Incidents
from server.storage.installation import InstallationRecords
from server.storage.keys import Keys
from server.storage.limits import Limits
from server.storage.names import Names
from server.storage.notifications import Notifications
from server.storage.outbox import Outbox
from server.storage.outcomes import Outcomes
from server.storage.passkeys import Browsers, Passkeys
from server.storage.passwords import Passwords
from server.storage.policy import Policies, Uses
from server.storage.push_subscriptions import PushSubscriptions
from server.storage.registrations import Invitations, Registrations
from server.storage.replays import Replays
from server.storage.resources import Resources
from server.storage.sessions import Sessions
from server.storage.sign_ins import SignIns
from server.storage.standing_grants import StandingGrants
from server.storage.tables import installation
from server.storage.traces import Traces
from server.storage.user_codes import UserCodes
from server.storage.users import Users

_QUEUE = select(func.pg_advisory_xact_lock(cast(bindparam("number"), BigInteger)))
_ADMINISTERED = update(installation).values(admin_version=installation.c.admin_version + 1)


class Rows:
    """The rows that one connection sees at one moment."""

    def __init__(
        self, connection: Connection, now: int, cache: Cache, new_entry_id: Callable[[int], str]
    ) -> None:
        self.now = now
        self.stirred = False
        """Reports whether anybody should be woken: events, messages or administration."""
        self._connection = connection
        self._cache = cache
        self._new_entry_id = new_entry_id

    @property
    def version(self) -> int:
        """The `admin_version` that this stands on."""
        return self._cache.version

    @once
    def directory(self) -> CachedDirectory:
        """Who and what there is, at this unit of work's version."""
        return CachedDirectory(self._connection, self._cache)

    @once
    def users(self) -> Users:
        """People."""
        return Users(self._connection)

    @once
    def groups(self) -> Groups:
        """Groups of approvers."""
        return Groups(self._connection)

    @once
    def names(self) -> Names:
        """What names look like, and former ones."""
        return Names(self._connection)

    @once
    def agents(self) -> Agents:
        """Agents."""
        return Agents(self._connection)

    @once
    def icons(self) -> Icons:
        """Pictures of agents."""
        return Icons(self._connection)

    @once
    def apps(self) -> Apps:
        """Apps."""
        return Apps(self._connection)

    @once
    def resources(self) -> Resources:
        """Protected APIs."""
        return Resources(self._connection)

    @once
    def actions(self) -> Actions:
        """Action types."""
        return Actions(self._connection)

    @once
    def policies(self) -> Policies:
        """Rule sets."""
        return Policies(self._connection)

    @once
    def uses(self) -> Uses:
        """What agents got tokens for."""
        return Uses(self._connection)

    @once
    def user_codes(self) -> UserCodes:
        """What people want agents to know."""
        return UserCodes(self._connection)

    @once
    def keys(self) -> Keys:
        """Signing keys."""
        return Keys(self._connection)

    @once
    def codes(self) -> Codes:
        """Enrolment codes."""
        return Codes(self._connection)

    @once
    def device_codes(self) -> DeviceCodes:
        """Device grants under way."""
        return DeviceCodes(self._connection)

    @once
    def sessions(self) -> Sessions:
        """Sign-ins of terminals."""
        return Sessions(self._connection)

    @once
    def passkeys(self) -> Passkeys:
        """Devices that are passkeys."""
        return Passkeys(self._connection)

    @once
    def pushes(self) -> PushSubscriptions:
        """Browsers that want to be called."""
        return PushSubscriptions(self._connection)

    @once
    def browsers(self) -> Browsers:
        """Browsers that are signed in with a passkey."""
        return Browsers(self._connection)

    @once
    def passwords(self) -> Passwords:
        """Passwords."""
        return Passwords(self._connection)

    @once
    def sign_ins(self) -> SignIns:
        """Browsers in which somebody is signed in."""
        return SignIns(self._connection)

    @once
    def flows(self) -> Flows:
        """Authorization requests."""
        return Flows(self._connection)

    @once
    def code_grants(self) -> CodeGrants:
        """Codes and refresh tokens of apps."""
        return CodeGrants(self._connection)

    @once
    def devices(self) -> Devices:
        """Devices."""
        return Devices(self._connection)

    @once
    def approvals(self) -> Approvals:
        """Approvals."""
        return Approvals(self._connection)

    @once
    def approvers(self) -> Approvers:
        """People asked beside the one an approval is for."""
        return Approvers(self._connection)

    @once
    def deliveries(self) -> Deliveries:
        """What reached which device."""
        return Deliveries(self._connection, self.now)

    @once
    def decisions(self) -> Decisions:
        """Signed answers."""
        return Decisions(self._connection)

    @once
    def attention(self) -> Attention:
        """What people want to be notified of."""
        return Attention(self._connection)

    @once
    def deputies(self) -> Deputies:
        """Who decides for whom."""
        return Deputies(self._connection)

    @once
    def escalations(self) -> Escalations:
        """What the clock does about approvals that wait."""
        return Escalations(self._connection)

    @once
    def invitations(self) -> Invitations:
        """Rights to register agents."""
        return Invitations(self._connection)

    @once
    def registrations(self) -> Registrations:
        """Agents that registered themselves."""
        return Registrations(self._connection)

    @once
    def consents(self) -> Consents:
        """Consents."""
        return Consents(self._connection)

    @once
    def consumptions(self) -> Consumptions:
        """Spent approvals."""
        return Consumptions(self._connection)

    @once
    def outcomes(self) -> Outcomes:
        """What resources said of their executions."""
        return Outcomes(self._connection)

    @once
    def delegations(self) -> Delegations:
        """Issued tokens."""
        return Delegations(self._connection)

    @once
    def ceremony_tries(self) -> CeremonyTries:
        """Tries to type what a ceremony asks for."""
        return CeremonyTries(self._connection)

    @once
    def traces(self) -> Traces:
        """Approvals for statistics."""
        return Traces(self._connection)

    @once
    def limits(self) -> Limits:
        """What limits count."""
        return Limits(self._connection, self.now)

    @once
    def history(self) -> History:
        """What was approved before."""
        return History(self._connection)

    @once
    def incidents(self) -> Incidents:
        """What people reported."""
        return Incidents(self._connection)

    @once
    def standing_grants(self) -> StandingGrants:
        """What was approved ahead."""
        return StandingGrants(self._connection)

    @once
    def audit(self) -> Audit:
        """The log."""
        return Audit(self._connection, self.now, self._new_entry_id)

    @once
    def feed(self) -> Feed:
        """Events for people's screens."""
        return Feed(self._connection, self.now, self._stir)

    @once
    def notifications(self) -> Notifications:
        """How often people were called."""
        return Notifications(self._connection, self.now)

    @once
    def outbox(self) -> Outbox:
        """What leaves the installation."""
        return Outbox(self._connection, self.now, self._stir)

    @once
    def installation(self) -> InstallationRecords:
        """The installation itself."""
        return InstallationRecords(self._connection)

    @once
    def replays(self) -> Replays:
        """Things that count once."""
        return Replays(self._connection)

    @once
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
