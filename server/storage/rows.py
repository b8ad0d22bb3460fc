"""All rows of one unit of work or view, created when they are first used."""

import hashlib
from collections.abc import Callable
from functools import cached_property

from sqlalchemy import BigInteger, Connection, bindparam, cast, func, select, update

from server.lazy_imports import lazily
from server.model.audit import StoredLeaf
from server.model.store import React
from server.storage.prepared import ExpiringRows
from server.storage.tables import installation

with lazily():
    from server.model.reactions import Ended, Event
    from server.storage.approvals.approvals import Approvals
    from server.storage.approvals.ceremonies import CeremonyAttempts
    from server.storage.approvals.decisions import Decisions
    from server.storage.approvals.executions import Consumptions, Outcomes
    from server.storage.approvals.history import History
    from server.storage.approvals.references import ApprovalReferences
    from server.storage.approvers.approvers import Approvers, Groups
    from server.storage.approvers.deputies import Deputies
    from server.storage.approvers.escalations import Escalations
    from server.storage.audit.entries import Audit
    from server.storage.audit.log import AuditLog
    from server.storage.clients.agents import Agents
    from server.storage.clients.apps import Apps, AppUses
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
    from server.storage.notifications.feed import Feed, Notifications
    from server.storage.notifications.outbox import Outbox
    from server.storage.notifications.push_subscriptions import PushSubscriptions
    from server.storage.operations.approval_statistics import ApprovalStatistics
    from server.storage.operations.installation import InstallationRecords
    from server.storage.operations.limits import Counters, Limits
    from server.storage.policy.policy import Actions, Policies, Uses
    from server.storage.resources.resources import Resources
    from server.storage.sign_in.flows import Flows
    from server.storage.sign_in.sign_ins import SignIns
    from server.storage.standing_grants.standing_grants import StandingGrants
    from server.storage.tokens.code_grants import CodeGrants
    from server.storage.tokens.delegations import Delegations
    from server.storage.tokens.keys import Keys
    from server.storage.tokens.replays import Replays
    from server.storage.tokens.security_events import SecurityEvents
    from server.storage.users.passwords import Passwords
    from server.storage.users.users import UserCodes, Users

_LOCK = select(func.pg_advisory_xact_lock(cast(bindparam("number"), BigInteger)))
_BUMP_VERSION = update(installation).values(admin_version=installation.c.admin_version + 1)


class View:
    """A read-only view of the rows, for display.

    The rows may be outdated, so no change may depend on them.
    """

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
        self.leaves = list[StoredLeaf]()
        """The leaf hashes of the added audit entries."""
        self._connection = connection
        self._cache = cache
        self._new_entry_id = new_entry_id
        self._react = react

    @property
    def version(self) -> int:
        """The `admin_version` that this view or unit of work sees."""
        return self._cache.version

    directory = cached_property(lambda self: CachedDirectory(self, self._cache))
    users = cached_property(lambda self: Users(self._connection))
    groups = cached_property(lambda self: Groups(self._connection))
    names = cached_property(lambda self: Names(self._connection))
    agents = cached_property(lambda self: Agents(self._connection))
    icons = cached_property(lambda self: Icons(self._connection))
    apps = cached_property(lambda self: Apps(self._connection))
    app_uses = cached_property(lambda self: AppUses(self._connection))
    resources = cached_property(lambda self: Resources(self._connection))
    actions = cached_property(lambda self: Actions(self._connection))
    policies = cached_property(lambda self: Policies(self._connection))
    uses = cached_property(lambda self: Uses(self._connection))
    sessions = cached_property(lambda self: Sessions(self._connection))
    passkeys = cached_property(lambda self: Passkeys(self._connection))
    pushes = cached_property(lambda self: PushSubscriptions(self._connection))
    browsers = cached_property(lambda self: Browsers(self._connection))
    passwords = cached_property(lambda self: Passwords(self._connection))
    sign_ins = cached_property(lambda self: SignIns(self._connection))
    flows = cached_property(lambda self: Flows(self._connection))
    code_grants = cached_property(lambda self: CodeGrants(self._connection))
    devices = cached_property(lambda self: Devices(self._connection))
    approvals = cached_property(lambda self: Approvals(self._connection))
    approvers = cached_property(lambda self: Approvers(self._connection))
    deliveries = cached_property(lambda self: Deliveries(self._connection, self.now))
    decisions = cached_property(lambda self: Decisions(self._connection))
    attention = cached_property(lambda self: Attention(self._connection))
    deputies = cached_property(lambda self: Deputies(self._connection))
    escalations = cached_property(lambda self: Escalations(self._connection))
    invitations = cached_property(lambda self: Invitations(self._connection))
    registrations = cached_property(lambda self: Registrations(self._connection))
    consents = cached_property(lambda self: Consents(self._connection))
    consumptions = cached_property(lambda self: Consumptions(self._connection))
    outcomes = cached_property(lambda self: Outcomes(self._connection))
    delegations = cached_property(lambda self: Delegations(self._connection))
    ceremony_attempts = cached_property(lambda self: CeremonyAttempts(self._connection))
    approval_statistics = cached_property(lambda self: ApprovalStatistics(self._connection))
    limits = cached_property(lambda self: Limits(self._connection, self.now))
    approval_references = cached_property(lambda self: ApprovalReferences(self._connection))
    history = cached_property(lambda self: History(self._connection))
    incidents = cached_property(lambda self: Incidents(self._connection))
    standing_grants = cached_property(lambda self: StandingGrants(self._connection))
    audit = cached_property(
        lambda self: Audit(self._connection, self.now, self._new_entry_id, self.leaves)
    )
    audit_log = cached_property(lambda self: AuditLog(self._connection))
    feed = cached_property(lambda self: Feed(self._connection, self.now, self._wake_later))
    outbox = cached_property(lambda self: Outbox(self._connection, self.now, self._wake_later))
    codes = cached_property(lambda self: EnrollmentCodes(self._connection))
    device_codes = cached_property(lambda self: DeviceCodes(self._connection))
    keys = cached_property(lambda self: Keys(self._connection))
    user_codes = cached_property(lambda self: UserCodes(self._connection))
    replays = cached_property(lambda self: Replays(self._connection))
    security_events = cached_property(
        lambda self: SecurityEvents(self._connection, self.now, self._new_entry_id)
    )
    counters = cached_property(lambda self: Counters(self._connection, self.now))
    notifications = cached_property(lambda self: Notifications(self._connection, self.now))
    installation = cached_property(lambda self: InstallationRecords(self._connection))

    def _wake_later(self) -> None:
        self.needs_wake = True


class Unit(View):
    """The rows of one unit of work: either all changes are stored, or none."""

    @property
    def expiring(self) -> tuple[ExpiringRows, ...]:
        """The rows that expire and are then deleted."""
        return (
            *(self.replays, self.device_codes, self.counters, self.passwords),
            *(self.sign_ins, self.browsers, self.flows, self.code_grants),
            *(self.security_events, self.notifications),
        )

    def lock(self, name: str) -> None:
        """Hold the lock with this name until the unit of work ends.

        Counting rows before adding one needs a lock, because units of work run concurrently.
        SQLite does not need the lock, because it has one writer.
        """
        if self._connection.dialect.name == "postgresql":
            number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
            self._connection.execute(_LOCK, {"number": number})

    def bump_admin_version(self) -> None:
        """Increment the version of the cache, and use a private cache from now on.

        This unit of work may be rolled back, so its reads must not reach the shared cache.
        """
        self._wake_later()
        self._connection.execute(_BUMP_VERSION)
        self._cache = Cache(version=-1)
        self.__dict__.pop("directory", None)

    def react(self, event: Event) -> Ended:
        """Run the functions that handle an event. Returns the numbers of revoked items."""
        return self._react(self, event)
