"""All rows of one unit of work or reading, made when they are first asked for."""

import hashlib
from collections.abc import Callable
from functools import cached_property

from sqlalchemy import BigInteger, Connection, bindparam, cast, func, select, update

from server.storage.actions import Actions
from server.storage.agents import Agents
from server.storage.approvals import Approvals
from server.storage.apps import Apps
from server.storage.audit import Audit
from server.storage.code_grants import CodeGrants
from server.storage.codes import Codes
from server.storage.consents import Consents
from server.storage.consumptions import Consumptions
from server.storage.counters import Counters
from server.storage.decisions import Decisions
from server.storage.delegations import Delegations
from server.storage.device_codes import DeviceCodes
from server.storage.devices import Devices
from server.storage.directory import Cache, CachedDirectory
from server.storage.feed import Feed
from server.storage.flows import Flows
from server.storage.history import History
from server.storage.incidents import Incidents
from server.storage.keys import Keys
from server.storage.outbox import Outbox
from server.storage.passwords import Passwords
from server.storage.policy import Policies, Uses
from server.storage.registrations import Invitations, Registrations
from server.storage.replays import Replays
from server.storage.resources import Resources
from server.storage.sessions import Sessions
from server.storage.sign_ins import SignIns
from server.storage.tables import installation
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

    @cached_property
    def directory(self) -> CachedDirectory:
        """Who and what there is, at this unit of work's version."""
        return CachedDirectory(self._connection, self._cache)

    @cached_property
    def users(self) -> Users:
        """People."""
        return Users(self._connection)

    @cached_property
    def agents(self) -> Agents:
        """Agents."""
        return Agents(self._connection)

    @cached_property
    def apps(self) -> Apps:
        """Apps."""
        return Apps(self._connection)

    @cached_property
    def resources(self) -> Resources:
        """Protected APIs."""
        return Resources(self._connection)

    @cached_property
    def actions(self) -> Actions:
        """Action types."""
        return Actions(self._connection)

    @cached_property
    def policies(self) -> Policies:
        """Rule sets."""
        return Policies(self._connection)

    @cached_property
    def uses(self) -> Uses:
        """What agents got tokens for."""
        return Uses(self._connection)

    @cached_property
    def user_codes(self) -> UserCodes:
        """What people want agents to know."""
        return UserCodes(self._connection)

    @cached_property
    def keys(self) -> Keys:
        """Signing keys."""
        return Keys(self._connection)

    @cached_property
    def codes(self) -> Codes:
        """Enrolment codes."""
        return Codes(self._connection)

    @cached_property
    def device_codes(self) -> DeviceCodes:
        """Device grants under way."""
        return DeviceCodes(self._connection)

    @cached_property
    def sessions(self) -> Sessions:
        """Sign-ins of terminals."""
        return Sessions(self._connection)

    @cached_property
    def passwords(self) -> Passwords:
        """Passwords."""
        return Passwords(self._connection)

    @cached_property
    def sign_ins(self) -> SignIns:
        """Browsers in which somebody is signed in."""
        return SignIns(self._connection)

    @cached_property
    def flows(self) -> Flows:
        """Authorization requests."""
        return Flows(self._connection)

    @cached_property
    def code_grants(self) -> CodeGrants:
        """Codes and refresh tokens of apps."""
        return CodeGrants(self._connection)

    @cached_property
    def devices(self) -> Devices:
        """Devices."""
        return Devices(self._connection)

    @cached_property
    def approvals(self) -> Approvals:
        """Approvals."""
        return Approvals(self._connection)

    @cached_property
    def decisions(self) -> Decisions:
        """Signed answers."""
        return Decisions(self._connection)

    @cached_property
    def invitations(self) -> Invitations:
        """Rights to register agents."""
        return Invitations(self._connection)

    @cached_property
    def registrations(self) -> Registrations:
        """Agents that registered themselves."""
        return Registrations(self._connection)

    @cached_property
    def consents(self) -> Consents:
        """Consents."""
        return Consents(self._connection)

    @cached_property
    def consumptions(self) -> Consumptions:
        """Spent approvals."""
        return Consumptions(self._connection)

    @cached_property
    def delegations(self) -> Delegations:
        """Issued tokens."""
        return Delegations(self._connection)

    @cached_property
    def history(self) -> History:
        """What was approved before."""
        return History(self._connection)

    @cached_property
    def incidents(self) -> Incidents:
        """What people reported."""
        return Incidents(self._connection)

    @cached_property
    def audit(self) -> Audit:
        """The log."""
        return Audit(self._connection, self.now, self._new_entry_id)

    @cached_property
    def feed(self) -> Feed:
        """Events for people's screens."""
        return Feed(self._connection, self.now, self._stir)

    @cached_property
    def outbox(self) -> Outbox:
        """What leaves the installation."""
        return Outbox(self._connection, self.now, self._stir)

    @cached_property
    def replays(self) -> Replays:
        """Things that count once."""
        return Replays(self._connection)

    @cached_property
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
