"""The store: units of work and views of one database, and wakes after commits.

A wake tells a process that something may have changed, without details. Commits of other processes
are detected in `sqlite_wake.py` and `postgres_wake.py`.
"""

import hashlib
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from sqlalchemy import (
    BigInteger,
    Connection,
    bindparam,
    cast,
    func,
    select,
    update,
)
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from server.lazy_imports import lazily
from server.model.audit import StoredLeaf
from server.model.ports import Clock
from server.model.store import Busy, React
from server.services.audit import audit
from server.services.refusals import RecordedProblem
from server.storage.directory import Cache
from server.storage.prepared import ExpiringRows
from server.storage.tables import installation
from server.storage.writer import (
    PooledReader,
    PooledWriter,
    SqlitePool,
    Writer,
    sqlite_connection,
)

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
    from server.storage.directory import CachedDirectory
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


class LocalWake:
    """Wakes within one process."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def notify(self) -> None:
        """Wake the waiters."""
        self._event.set()

    def watch(self) -> None:
        """Watch for commits by other processes. This class does not need to."""

    def wait(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds. Returns whether something may have changed."""
        woken = self._event.wait(timeout)
        self._event.clear()
        return woken


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


Rows = TypeVar("Rows", bound=View)
_VERSION = "SELECT admin_version FROM installation"
"""On SQLite, this runs without SQLAlchemy: every unit of work needs it, and 3 µs beat 35 µs."""
_NOW = cast(func.extract("epoch", func.clock_timestamp()) * 1000, BigInteger)
"""The time after the locks are taken; `now()` would be the time before a unit of work waits."""
_VERSION_AND_TIME = select(installation.c.admin_version, _NOW)
_ADMINISTRATION = 7243002
_VERSION_AND_TIME_LOCKED = _VERSION_AND_TIME.where(
    func.pg_advisory_xact_lock_shared(_ADMINISTRATION).is_not(None)
).with_for_update(read=True)
"""Blocks administration until this unit of work ends, so that the rows it has read stay valid.

With only the row lock, units of work could starve administration. The advisory lock is fair.
"""
_EXCLUSIVE = select(func.pg_advisory_xact_lock(_ADMINISTRATION))

_SEQUENCER = select(func.pg_try_advisory_xact_lock(7243001))
"""The process that holds this lock numbers entries and events until its transaction ends."""
_EVENT_BATCH = 5_000
_UNAVAILABLE = (OperationalError, InterfaceError, PoolTimeout, sqlite3.OperationalError)
"""The errors raised by an unavailable database. All other errors are bugs."""


@dataclass(frozen=True, slots=True)
class StoreDependencies:
    """The external dependencies of the store."""

    clock: Clock
    new_entry_id: Callable[[int], str]
    react: React


class SqlStore:
    """The adapter for the `Store` port."""

    def __init__(
        self,
        writer: Writer,
        reader: SqlitePool | PooledReader,
        wake: LocalWake,
        dependencies: StoreDependencies,
        lock: int | None = None,
    ) -> None:
        """`lock` is a file descriptor that is closed with the store."""
        self.wake = wake
        self._lock = lock
        self._writer = writer
        self._reader = reader
        self._dependencies = dependencies
        self._cache = Cache(version=-1)
        self._refusal = ""
        self._on_sqlite = not isinstance(writer, PooledWriter)

    def start(self) -> None:
        """Start the writer. Call it in the process that uses the store."""
        self._writer.start()

    def write(self) -> AbstractContextManager[Unit]:
        """Return one unit of work, which is committed if the block ends without an error."""
        return self._unit(administers=False)

    def administer(self) -> AbstractContextManager[Unit]:
        """Return a unit of work that changes the directory, which all other units depend on.

        No other unit of work runs at the same time: PostgreSQL uses a lock, and SQLite always runs
        only one at a time.
        """
        return self._unit(administers=True)

    @contextmanager
    def _unit(self, *, administers: bool) -> Iterator[Unit]:
        with self._recording(), self._writer.transaction() as connection:
            if administers and not self._on_sqlite:
                connection.execute(_EXCLUSIVE)
            rows = self._rows(Unit, connection, lock=True)
            if administers:
                rows.bump_admin_version()
            yield rows
        audit.note_stored(rows.leaves)
        if rows.needs_wake:
            self.wake.notify()

    @contextmanager
    def read(self) -> Iterator[View]:
        """Yield a read-only view. It may be outdated; no change may depend on it. Raises `Busy`."""
        try:
            with self._reader.connection() as connection:
                yield self._rows(View, connection, lock=False)
        except _UNAVAILABLE as error:
            raise Busy("The database cannot be read now.") from error

    def sequence(self) -> int:
        """Number new audit entries and feed events, unless another process does.

        Returns how many were numbered. On SQLite that is 0, because they are numbered when added.
        """
        if self._on_sqlite:
            return 0
        with self._writer.transaction() as connection:
            if not connection.execute(_SEQUENCER).scalar_one():
                return 0
            rows = self._rows(View, connection, lock=False)
            entries = rows.audit_log.number(_EVENT_BATCH)
            events = rows.feed.number(_EVENT_BATCH)
        if events:
            self.wake.notify()
        return entries + events

    def refuse_entries(self, reason: str) -> None:
        """Raise `Busy` in each unit of work that adds an audit entry, until `reason` is empty."""
        self._refusal = reason

    def _new_entry_id(self, now: int) -> str:
        if self._refusal:
            raise Busy(self._refusal)
        return self._dependencies.new_entry_id(now)

    def ping(self) -> None:
        """Raise `Busy` unless the database can be read and written."""
        with self._writer.transaction() as connection:
            connection.exec_driver_sql("SELECT 1")

    def close(self) -> None:
        """Commit open units of work and close the database."""
        self._writer.close()
        self._reader.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    @contextmanager
    def _recording(self) -> Iterator[None]:
        """After a unit of work is rolled back, run the `record` function of the problem."""
        try:
            yield
        except RecordedProblem as problem:
            with self.write() as tx:
                problem.record(tx)
            raise

    def _rows(self, kind: type[Rows], connection: Connection, *, lock: bool) -> Rows:
        version, now = self._version_and_time(connection, lock=lock)
        cache = self._cache if self._cache.version == version else Cache(version)
        if not lock:  # a unit of work may see a version that will be rolled back
            self._cache = cache
        return kind(connection, now, cache, self._new_entry_id, self._dependencies.react)

    def _version_and_time(self, connection: Connection, *, lock: bool) -> tuple[int, int]:
        if self._on_sqlite:
            version = sqlite_connection(connection).execute(_VERSION).fetchone()[0]
            return version, self._dependencies.clock.now()
        row = connection.execute(_VERSION_AND_TIME_LOCKED if lock else _VERSION_AND_TIME).one()
        return row[0], self._dependencies.clock.adjust(row[1])
