"""Faults that are planted on purpose, so that a test can show that it would notice them.

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
from server.protocol.approvals.states import State, origins
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
_HANGS_SECONDS = 30


def plant(name: str) -> None:
    """Plant one of `SEEDS`."""
    SEEDS[name]()


def _read_then_write() -> None:
    """Decide from a read made before the unit of work; move without looking at the state again."""
    visit = CibaGrant._poll_once

    def early(self: CibaGrant, poll: Any, *more: Any, **named: Any) -> Any:
        with self.store.read() as view:
            approval = view.approvals.by_handle(poll.handle_hash)
        time.sleep(_PAUSE_SECONDS)
        if approval is None or approval.state is not State.APPROVED:
            return visit(self, poll, *more, **named)
        with self.store.write() as tx:
            return self._redeem(tx, poll.agent, approval, poll)

    def move(
        self: Approvals, approval: Approval, target: State, *, now: int, reason: str | None = None
    ) -> Approval | None:
        found = self.get(approval.id)
        if found is None or found.state not in origins(target) | {target}:
            return None
        time.sleep(_PAUSE_SECONDS / 10)
        statement = update(approvals).where(approvals.c.id == approval.id)
        values = {"state": str(target), "decided_at": found.decided_at or now}
        self._db.execute(statement, values)
        return replace(found, state=target, reason=reason)

    def redeem(self: Approvals, approval_id: str, now: int) -> bool:
        found = self.get(approval_id)
        return found is not None and move(self, found, State.REDEEMED, now=now) is not None

    CibaGrant._poll_once = early  # type: ignore[method-assign]  # the fault
    Approvals.transition = move  # type: ignore[method-assign]  # the fault
    Approvals.redeem = redeem  # type: ignore[method-assign]  # the fault


def _many_tokens_per_approval() -> None:
    """Keep the approval's name out of its token's row, whose uniqueness is the second guard."""
    add = Delegations.add

    def nameless(self: Delegations, delegation: Delegation) -> None:
        add(self, replace(delegation, approval_id=None))

    Delegations.add = nameless  # type: ignore[method-assign]  # the fault


def _entry_elsewhere() -> None:
    """Write the entry of a decision in a unit of work of its own, after the effect."""
    add, write = Audit.add, SqlStore.write
    stores: list[SqlStore] = []

    @contextmanager
    def noted(self: SqlStore) -> Iterator[Unit]:
        stores[:] = [self]
        with write(self) as rows:
            yield rows

    def late(self: Audit, entry: Entry) -> str:
        if entry.type is not audit.Type.APPROVAL_DENIED:
            return add(self, entry)
        threading.Timer(_PAUSE_SECONDS, _write_late, (stores[0], add, entry)).start()
        return ""

    SqlStore.write = noted  # type: ignore[method-assign]  # the fault
    Audit.add = late  # type: ignore[method-assign]  # the fault


def _write_late(store: SqlStore, add: Callable[[Audit, Entry], str], entry: Entry) -> None:
    with store.write() as tx:
        add(tx.audit, entry)


def _counted_early() -> None:
    """Count what an agent has open in all before the unit of work in which one more is written."""
    start, is_full = BackchannelService.start, request_limits.RemainingRequests._is_full
    counted = threading.local()

    def early(self: BackchannelService, agent: Agent, *more: Any, **named: Any) -> Any:
        with self.store.read() as view:
            counted.open = view.approvals.open_count(agent.id, None, view.now)
        time.sleep(_PAUSE_SECONDS)
        return start(self, agent, *more, **named)

    def full(
        self: request_limits.RemainingRequests,
        limit: int,
        risk: Any,
        agent: str | None,
        user: str | None,
    ) -> bool:
        if agent is None or user is not None:
            return is_full(self, limit, risk, agent, user)
        return bool(counted.open >= limit)

    BackchannelService.start = early  # type: ignore[method-assign]  # the fault
    request_limits.RemainingRequests._is_full = full  # type: ignore[method-assign]  # the fault


def _queued_for_the_person_alone() -> None:
    """Let an agent's requests to different people not wait for each other."""
    request_limits.lock = _at_once  # type: ignore[assignment]  # the fault


def _acknowledged_early() -> None:
    """Return from a unit of work before its COMMIT, which comes a little later."""
    flush = GroupedWriter._flush

    def later(self: GroupedWriter) -> None:
        time.sleep(_PAUSE_SECONDS)
        flush(self)

    _Batch.wait = _at_once  # type: ignore[method-assign,assignment]  # the fault
    GroupedWriter._flush = later  # type: ignore[method-assign]  # the fault


def _at_once(*_: object) -> None:
    """Wait for nothing."""


def _names_that_hang() -> None:
    """Every name below `hangs.example` takes its time, as with a name server that says nothing."""
    look_up, sleep = _socket.getaddrinfo, monkey.get_original("time", "sleep")

    def slowly(host: Any, *rest: Any, **named: Any) -> Any:
        if str(host).endswith("hangs.example"):
            sleep(_HANGS_SECONDS)
            raise _socket.gaierror(-3, "Temporary failure in name resolution")
        return look_up(host, *rest, **named)

    _socket.getaddrinfo = slowly


def _own_clock() -> None:
    """Each process goes by its own clock, although the database has one for all."""
    original = SqlStore._version_and_time

    def by_own(self: SqlStore, connection: Any, *, lock: bool) -> tuple[int, int]:
        return original(self, connection, lock=lock)[0], self._dependencies.clock.now()

    SqlStore._version_and_time = by_own  # type: ignore[method-assign]  # the fault


def _ends_are_not_written() -> None:
    """What is over is over only as long as the clock says so."""
    vars(grant)["expire"] = lambda *_: None
    Sweeper.round = lambda *_: 0  # type: ignore[method-assign]  # the fault


def _pace_in_memory() -> None:
    """Each process counts the polls that it has seen itself."""
    seen: dict[str, Any] = {}
    by_handle = Approvals.by_handle

    def paced(_: Approvals, approval_id: str, *, now: int, interval_ms: int, **__: Any) -> None:
        seen[approval_id] = {"last_poll_at": now, "interval_ms": interval_ms}

    def remembered(self: Approvals, handle: bytes) -> Approval | None:
        found = by_handle(self, handle)
        return found and replace(found, **seen.get(found.id, {}))

    Approvals.record_poll = paced  # type: ignore[method-assign,assignment]  # the fault
    Approvals.by_handle = remembered  # type: ignore[method-assign,assignment]  # the fault


def _first_of_several_lost() -> None:
    """The oldest of several events past a cursor is omitted."""
    after = Feed.after

    def without_first(self: Feed, *asked: Any) -> list[Any]:
        found = after(self, *asked)
        return found[1:] or found

    Feed.after = without_first  # type: ignore[method-assign,assignment]  # the fault


def _no_cursor_is_too_old() -> None:
    """Whoever was away for too long is not told that events are gone."""
    Feed.floor = lambda *_: 0  # type: ignore[method-assign]  # the fault


def _a_successor_each() -> None:
    """Each use of one refresh token makes a new one."""
    anything = secrets.token_urlsafe
    AppTokenIssuer.successor = lambda *_: anything()  # type: ignore[method-assign]  # the fault
    AppRefreshGrant._stolen = lambda *_: False  # type: ignore[method-assign]  # the fault
    CodeGrants.use_token = lambda *_: True  # type: ignore[method-assign]  # the fault


def _no_farewell() -> None:
    """A server that ends says so to nobody."""
    Hub.end = lambda *_: None  # type: ignore[method-assign]  # the fault


def _failures_in_silence() -> None:
    """What could not be stored is passed over, as if it had been."""
    end, transaction = _Batch.end, GroupedWriter.transaction

    def well(self: _Batch, error: object) -> None:
        del error
        end(self, None)

    @contextmanager
    def passed_over(self: GroupedWriter) -> Iterator[Any]:
        with suppress(Busy), transaction(self) as connection:
            yield connection

    _Batch.end = well  # type: ignore[method-assign]  # the fault
    GroupedWriter.transaction = passed_over  # type: ignore[method-assign]  # the fault


def _words_as_they_came() -> None:
    """What an agent wrote reaches a screen letter by letter."""
    vars(rendering)["display_safe"] = lambda text, **_: text


def _waits_for_ever() -> None:
    """Whoever asks a database that says nothing waits as long as it does."""
    from server.storage import postgres_connection  # noqa: PLC0415  # loads the driver

    postgres_connection._STATEMENT_SECONDS = 3_600.0  # type: ignore[misc]  # the fault
    postgres_connection._PING_SECONDS = 3_600.0  # type: ignore[misc]  # the fault


def _bodies_in_the_log() -> None:
    """Each request to the token endpoint is written to the log in full."""
    exchange = TokenEndpoint.exchange

    def noted(self: Any, request: Any) -> Any:
        sys.stderr.write(f"{request}\n")
        return exchange(self, request)

    TokenEndpoint.exchange = noted  # type: ignore[method-assign]  # the fault


def _no_entries() -> None:
    """Effects take place, and nothing is written to the audit log about them."""

    def unwritten(self: Audit, entry: Entry) -> str:
        del entry
        return self._new_id(self._now)

    Audit.add = unwritten  # type: ignore[method-assign]  # the fault


SEEDS: Mapping[str, Callable[[], None]] = {
    "read_then_write": _read_then_write,
    "many_tokens_per_approval": _many_tokens_per_approval,
    "entry_elsewhere": _entry_elsewhere,
    "counted_early": _counted_early,
    "queued_for_the_person_alone": _queued_for_the_person_alone,
    "acknowledged_early": _acknowledged_early,
    "names_that_hang": _names_that_hang,
    "own_clock": _own_clock,
    "ends_are_not_written": _ends_are_not_written,
    "pace_in_memory": _pace_in_memory,
    "first_of_several_lost": _first_of_several_lost,
    "no_cursor_is_too_old": _no_cursor_is_too_old,
    "a_successor_each": _a_successor_each,
    "no_farewell": _no_farewell,
    "failures_in_silence": _failures_in_silence,
    "words_as_they_came": _words_as_they_came,
    "waits_for_ever": _waits_for_ever,
    "bodies_in_the_log": _bodies_in_the_log,
    "no_entries": _no_entries,
}
