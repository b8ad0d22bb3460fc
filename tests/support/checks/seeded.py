"""Faults that are planted on purpose, so that a test can show that it detects them.

Owns: patches of the running server, by name. Never: imported by the product; only
`tests.support.servers.serve --seed NAME` plants one, in the worker, before the application
is built.
"""

import _socket
import secrets
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from gevent import monkey
from sqlalchemy import update

from server.model.approvals import Approval
from server.model.audit import Entry
from server.model.clients import Agent
from server.model.store import Busy, Unit
from server.model.tokens import Delegation
from server.protocol.approvals.states import State, origins, overdue
from server.protocol.policy import rendering
from server.services.approvals.expiry import Sweeper
from server.services.audit import audit
from server.services.ciba import grant
from server.services.ciba.grant import CibaGrant
from server.services.ciba.requests import BackchannelService
from server.services.notifications import request_limits
from server.services.notifications.feed import Hub
from server.services.tokens.app_issuing import AppTokenIssuer
from server.services.tokens.endpoint import TokenEndpoint
from server.services.tokens.grants.app_refresh import AppRefreshGrant
from server.storage.approvals.approvals import Approvals
from server.storage.approvals.tables import approvals
from server.storage.audit.entries import Audit
from server.storage.notifications.feed import Feed
from server.storage.store import SqlStore
from server.storage.tokens.code_grants import CodeGrants
from server.storage.tokens.delegations import Delegations
from server.storage.writer import GroupedWriter, _Batch

_PAUSE_SECONDS = 0.02
_HANG_SECONDS = 30


def plant(name: str) -> None:
    """Plant one of `SEEDS`."""
    SEEDS[name]()


def _read_then_write() -> None:
    """Decide from data read before the unit of work, and change states without checking them."""
    poll_once = CibaGrant._poll_once

    def poll_with_early_read(self: CibaGrant, poll: Any, *args: Any, **kwargs: Any) -> Any:
        with self.store.read() as view:
            approval = view.approvals.by_handle(poll.handle_hash)
        time.sleep(_PAUSE_SECONDS)
        if approval is None or approval.state is not State.APPROVED:
            return poll_once(self, poll, *args, **kwargs)
        with self.store.write() as tx:
            return self._redeem(tx, poll.agent, approval, poll, first=True)

    def move(
        self: Approvals, approval: Approval, target: State, *, now: int, reason: str | None = None
    ) -> Approval | None:
        stored = self.get(approval.id)
        if stored is None or stored.state not in origins(target) | {target}:
            return None
        time.sleep(_PAUSE_SECONDS / 10)
        statement = update(approvals).where(approvals.c.id == approval.id)
        values = {"state": str(target), "decided_at": stored.decided_at or now}
        self._db.execute(statement, values)
        return replace(stored, state=target, reason=reason)

    def redeem(self: Approvals, approval_id: str, now: int) -> bool:
        stored = self.get(approval_id)
        return stored is not None and move(self, stored, State.REDEEMED, now=now) is not None

    CibaGrant._poll_once = poll_with_early_read  # type: ignore[method-assign]  # the fault
    Approvals.transition = move  # type: ignore[method-assign]  # the fault
    Approvals.redeem = redeem  # type: ignore[method-assign]  # the fault


def _many_tokens_per_approval() -> None:
    """Store tokens without their approval, which disables the unique constraint on it."""
    add = Delegations.add

    def add_without_approval(self: Delegations, delegation: Delegation) -> None:
        add(self, replace(delegation, approval_id=None))

    Delegations.add = add_without_approval  # type: ignore[assignment,method-assign]  # the fault


def _separate_entry() -> None:
    """Write the entry of a denial in a separate unit of work, after the effect."""
    add, write = Audit.add, SqlStore.write
    stores: list[SqlStore] = []

    @contextmanager
    def write_and_remember(self: SqlStore) -> Iterator[Unit]:
        stores[:] = [self]
        with write(self) as rows:
            yield rows

    def add_late(self: Audit, entry: Entry) -> str:
        if entry.type is not audit.Type.APPROVAL_DENIED:
            return add(self, entry)
        threading.Timer(_PAUSE_SECONDS, _write_late, (stores[0], add, entry)).start()
        return ""

    SqlStore.write = write_and_remember  # type: ignore[method-assign]  # the fault
    Audit.add = add_late  # type: ignore[method-assign]  # the fault


def _write_late(store: SqlStore, add: Callable[[Audit, Entry], str], entry: Entry) -> None:
    with store.write() as tx:
        add(tx.audit, entry)


def _early_count() -> None:
    """Count an agent's open requests before the unit of work that adds one."""
    start, is_reached = BackchannelService.start, request_limits.RemainingRequests._is_reached
    early_counts = threading.local()

    def start_with_early_count(
        self: BackchannelService, agent: Agent, *args: Any, **kwargs: Any
    ) -> Any:
        with self.store.read() as view:
            early_counts.open = view.approvals.open_count(agent.id, None, view.now)
        time.sleep(_PAUSE_SECONDS)
        return start(self, agent, *args, **kwargs)

    def is_reached_by_early_count(
        self: request_limits.RemainingRequests,
        limit: int,
        risk: Any,
        agent: str | None,
        user: str | None,
    ) -> bool:
        if agent is None or user is not None:
            return is_reached(self, limit, risk, agent, user)
        return bool(early_counts.open >= limit)

    BackchannelService.start = start_with_early_count  # type: ignore[method-assign]  # the fault
    request_limits.RemainingRequests._is_reached = is_reached_by_early_count  # type: ignore[method-assign]  # the fault


def _per_user_lock() -> None:
    """Do not let an agent's requests to different users wait for each other."""
    request_limits.lock = _do_not_wait  # type: ignore[assignment]  # the fault


def _acknowledged_early() -> None:
    """Return from a unit of work before its COMMIT, which comes a little later."""
    flush = GroupedWriter._flush

    def flush_later(self: GroupedWriter) -> None:
        time.sleep(_PAUSE_SECONDS)
        flush(self)

    _Batch.wait = _do_not_wait  # type: ignore[method-assign,assignment]  # the fault
    GroupedWriter._flush = flush_later  # type: ignore[method-assign]  # the fault


def _do_not_wait(*_: object) -> None:
    """Return immediately."""


def _hanging_names() -> None:
    """Delay lookups of names under `hangs.example`, like a name server that does not respond."""
    look_up, sleep = _socket.getaddrinfo, monkey.get_original("time", "sleep")

    def look_up_slowly(host: Any, *args: Any, **kwargs: Any) -> Any:
        if str(host).endswith("hangs.example"):
            sleep(_HANG_SECONDS)
            raise _socket.gaierror(-3, "Temporary failure in name resolution")
        return look_up(host, *args, **kwargs)

    _socket.getaddrinfo = look_up_slowly


def _own_clock() -> None:
    """Let each process use its own clock instead of the database's."""
    original = SqlStore._version_and_time

    def with_own_clock(self: SqlStore, connection: Any, *, lock: bool) -> tuple[int, int]:
        return original(self, connection, lock=lock)[0], self._dependencies.clock.now()

    SqlStore._version_and_time = with_own_clock  # type: ignore[method-assign]  # the fault


def _unrecorded_expiry() -> None:
    """Do not store that requests have expired, so that only the clock decides."""

    def expire_in_memory(tx: Unit, approval: Approval) -> Approval:
        is_overdue = overdue(approval.state, approval.expires_at, tx.now)
        return replace(approval, state=State.EXPIRED) if is_overdue else approval

    vars(grant)["expire_if_overdue"] = expire_in_memory
    Sweeper.round = lambda *_: 0  # type: ignore[method-assign]  # the fault


def _pace_in_memory() -> None:
    """Let each process count only the polls that it received itself."""
    polls: dict[str, Any] = {}
    by_handle = Approvals.by_handle

    def record_in_memory(
        _: Approvals, approval_id: str, *, now: int, interval_ms: int, **__: Any
    ) -> None:
        polls[approval_id] = {"last_poll_at": now, "interval_ms": interval_ms}

    def by_handle_with_memory(self: Approvals, handle: bytes) -> Approval | None:
        approval = by_handle(self, handle)
        return approval and replace(approval, **polls.get(approval.id, {}))

    Approvals.record_poll = record_in_memory  # type: ignore[method-assign,assignment]  # the fault
    Approvals.by_handle = by_handle_with_memory  # type: ignore[method-assign,assignment]  # the fault


def _lost_first_event() -> None:
    """Omit the oldest of several events after a cursor."""
    after = Feed.events_after

    def without_first(self: Feed, *args: Any) -> list[Any]:
        events = after(self, *args)
        return events[1:] or events

    Feed.events_after = without_first  # type: ignore[method-assign,assignment]  # the fault


def _no_cursor_is_too_old() -> None:
    """Do not report that events after an old cursor were deleted."""
    Feed.floor = lambda *_: 0  # type: ignore[method-assign]  # the fault


def _several_successors() -> None:
    """Issue a new refresh token for each use of an old one."""
    random_token = secrets.token_urlsafe
    AppTokenIssuer.successor = lambda *_: random_token()  # type: ignore[method-assign]  # the fault
    AppRefreshGrant._is_stolen = lambda *_: False  # type: ignore[method-assign]  # the fault
    CodeGrants.use_token = lambda *_: True  # type: ignore[method-assign]  # the fault


def _silent_shutdown() -> None:
    """Shut the server down without informing connected clients."""
    Hub.end = lambda *_: None  # type: ignore[method-assign]  # the fault


def _hidden_failures() -> None:
    """Ignore failed commits, as if the changes were stored."""
    end, transaction = _Batch.end, GroupedWriter.transaction

    def end_without_error(self: _Batch, error: object) -> None:
        del error
        end(self, None)

    @contextmanager
    def ignore_busy(self: GroupedWriter) -> Iterator[Any]:
        with suppress(Busy), transaction(self) as connection:
            yield connection

    _Batch.end = end_without_error  # type: ignore[method-assign]  # the fault
    GroupedWriter.transaction = ignore_busy  # type: ignore[method-assign]  # the fault


def _unescaped_text() -> None:
    """Show an agent's text on screens without escaping."""
    vars(rendering)["display_safe"] = lambda text, **_: text


def _no_database_timeout() -> None:
    """Wait for an unresponsive database without a timeout."""
    from server.storage import postgres_connection  # noqa: PLC0415  # loads the driver

    postgres_connection._STATEMENT_SECONDS = 3_600.0  # type: ignore[misc]  # the fault
    postgres_connection._PING_SECONDS = 3_600.0  # type: ignore[misc]  # the fault


def _bodies_in_the_log() -> None:
    """Log the full text of each request to the token endpoint."""
    exchange = TokenEndpoint.exchange

    def log_and_exchange(self: Any, request: Any) -> Any:
        sys.stderr.write(f"{request}\n")
        return exchange(self, request)

    TokenEndpoint.exchange = log_and_exchange  # type: ignore[method-assign]  # the fault


def _no_entries() -> None:
    """Apply effects without adding entries to the audit log."""

    def add_nothing(self: Audit, entry: Entry) -> str:
        del entry
        return self._new_id(self._now)

    Audit.add = add_nothing  # type: ignore[method-assign]  # the fault


SEEDS: Mapping[str, Callable[[], None]] = {
    "read_then_write": _read_then_write,
    "many_tokens_per_approval": _many_tokens_per_approval,
    "separate_entry": _separate_entry,
    "early_count": _early_count,
    "per_user_lock": _per_user_lock,
    "acknowledged_early": _acknowledged_early,
    "hanging_names": _hanging_names,
    "own_clock": _own_clock,
    "unrecorded_expiry": _unrecorded_expiry,
    "pace_in_memory": _pace_in_memory,
    "lost_first_event": _lost_first_event,
    "no_cursor_is_too_old": _no_cursor_is_too_old,
    "several_successors": _several_successors,
    "silent_shutdown": _silent_shutdown,
    "hidden_failures": _hidden_failures,
    "unescaped_text": _unescaped_text,
    "no_database_timeout": _no_database_timeout,
    "bodies_in_the_log": _bodies_in_the_log,
    "no_entries": _no_entries,
}
