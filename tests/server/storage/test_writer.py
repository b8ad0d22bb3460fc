"""A transaction returns only after its COMMIT, which other ready transactions share."""

import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import Connection

from server.model.store import Busy
from server.services.reactions import react
from server.storage import open as opening
from server.storage import writer as writing
from server.storage.writer import DirectWriter, GroupedWriter, SqlitePool
from tests.support.builders.clock import MovableClock
from tests.support.checks.waiting import in_background, until

_HOLDER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.readline()
connection.execute("COMMIT")
"""


@dataclass
class Bench:
    """A grouped writer that commits nothing until it is started, and the SQL that SQLite ran."""

    path: Path
    writer: GroupedWriter
    statements: list[str] = field(default_factory=list)

    def put(self, name: str) -> None:
        """Insert a name in one transaction."""
        with self.writer.transaction() as connection:
            _put(connection, name)

    def stored(self) -> set[str]:
        """The names that another connection sees."""
        connection = sqlite3.connect(self.path)
        names = {row[0] for row in connection.execute("SELECT name FROM things")}
        connection.close()
        return names

    def count(self, statement: str) -> int:
        """How often SQLite ran this statement."""
        return self.statements.count(statement)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A writer over a file with two tables."""
    path = tmp_path / "things.db"
    connection = opening._sqlite_engine(path, timeout=0).connect()
    connection.exec_driver_sql("CREATE TABLE things (name TEXT PRIMARY KEY)")
    connection.exec_driver_sql("CREATE TABLE parts (of TEXT REFERENCES things (name))")
    bench = Bench(path, GroupedWriter(connection))
    raw = connection.connection.dbapi_connection
    assert isinstance(raw, sqlite3.Connection)
    raw.set_trace_callback(bench.statements.append)
    yield bench
    bench.writer.close()


def _put(connection: Connection, name: str) -> None:
    connection.exec_driver_sql("INSERT INTO things VALUES (?)", (name,))


def _break_commit(connection: Connection) -> None:
    """Insert a dangling reference, which SQLite checks at COMMIT."""
    connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
    connection.exec_driver_sql("INSERT INTO parts VALUES ('of nothing')")


@contextmanager
def _locked(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Lock the file in another process, until that process reads a line."""
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "locked\n"
    with holder:
        yield holder
        _release(holder)


def _release(holder: subprocess.Popen[str]) -> None:
    if holder.stdin is not None and not holder.stdin.closed:
        holder.stdin.write("\n")
        holder.stdin.close()
        holder.wait(10)


@pytest.mark.parametrize("serving", [True, False])
def test_writes_survive_a_power_cut(sqlite_url: str, clock: MovableClock, *, serving: bool) -> None:
    """The writing connection uses `synchronous=FULL` and WAL, in the server and in commands."""
    store = opening.open_store(sqlite_url, clock, str, react, serving=serving)
    store.start()
    with store._writer.transaction() as connection:
        mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()
        synchronous = connection.exec_driver_sql("PRAGMA synchronous").scalar_one()
    store.close()

    assert mode == "wal"
    assert synchronous == 2


def test_a_transaction_returns_only_after_its_commit(bench: Bench) -> None:
    """Before its COMMIT, no other connection sees the rows of a transaction."""
    with in_background(lambda: bench.put("a")) as unit:
        until(lambda: bench.count("RELEASE unit"))
        time.sleep(0.1)
        assert not unit.done()
        assert bench.stored() == set()

        bench.writer.start()
        unit.result(5)
        assert bench.stored() == {"a"}


def test_ready_transactions_share_one_commit(bench: Bench) -> None:
    """Twelve transactions are stored with one COMMIT."""
    names = {f"thing-{number}" for number in range(12)}
    with ExitStack() as units:
        waiting = [
            units.enter_context(in_background(lambda n=name: bench.put(n))) for name in names
        ]
        until(lambda: bench.count("RELEASE unit") == 12)
        bench.writer.start()
        for unit in waiting:
            unit.result(5)

    assert bench.count("BEGIN IMMEDIATE") == bench.count("COMMIT") == 1
    assert bench.stored() == names


def test_a_failed_commit_fails_every_transaction_in_it(bench: Bench) -> None:
    """None of them is reported as stored, and the next transaction works."""

    def fail() -> None:
        with bench.writer.transaction() as connection:
            _break_commit(connection)

    with in_background(lambda: bench.put("a")) as good, in_background(fail) as bad:
        until(lambda: bench.count("RELEASE unit") == 2)
        bench.writer.start()
        for unit in (good, bad):
            assert isinstance(unit.exception(5), Busy)

    assert bench.stored() == set()
    bench.put("later")
    assert bench.stored() == {"later"}


def test_an_error_rolls_back_only_its_own_transaction(bench: Bench) -> None:
    """Other transactions of the same COMMIT are stored."""
    with in_background(lambda: bench.put("before")) as before:
        until(lambda: bench.count("RELEASE unit"))
        with suppress(LookupError), bench.writer.transaction() as connection:
            _put(connection, "rolled back")
            raise LookupError
        with in_background(lambda: bench.put("after")) as after:
            until(lambda: bench.count("RELEASE unit") == 3)
            bench.writer.start()
            before.result(5)
            after.result(5)

    assert bench.stored() == {"before", "after"}
    assert bench.count("COMMIT") == 1


def test_a_transaction_waits_while_another_process_locks_the_file(bench: Bench) -> None:
    """The transaction continues when the lock is released. Reads are possible while it waits."""
    bench.writer.start()
    with _locked(bench.path) as holder, in_background(lambda: bench.put("a")) as unit:
        until(lambda: bench.count("BEGIN IMMEDIATE") > 3)
        assert bench.stored() == set()
        assert not unit.done()
        _release(holder)
        unit.result(5)

    assert bench.stored() == {"a"}


def test_waiting_for_a_lock_uses_short_pauses(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite itself never waits, so the server's event loop keeps running."""
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        time.sleep(seconds)

    clock = SimpleNamespace(sleep=sleep, monotonic=time.monotonic)
    monkeypatch.setattr(writing, "time", clock)
    with _locked(bench.path) as holder, in_background(lambda: bench.put("a")):
        until(lambda: len(pauses) > 10)
        _release(holder)
        until(lambda: bench.count("RELEASE unit"))
        bench.writer.start()

    assert max(pauses) <= 0.01
    with bench.writer.transaction() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one() == 0


@pytest.mark.parametrize("mode", ["grouped", "direct"])
def test_a_file_locked_too_long_is_busy(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    """The transaction is not stored, and the next one succeeds."""
    monkeypatch.setattr(writing, "_TIMEOUT_SECONDS", 0.2)
    monkeypatch.setattr(writing, "_COMMAND_TIMEOUT_SECONDS", 0.2)
    writer: GroupedWriter | DirectWriter = bench.writer
    if mode == "direct":
        writer = DirectWriter(SqlitePool(opening._sqlite_engine(bench.path, timeout=0)))
    bench.writer.start()
    with _locked(bench.path), pytest.raises(Busy), writer.transaction() as connection:
        _put(connection, "never")

    with writer.transaction() as connection:
        _put(connection, "later")
    assert bench.stored() == {"later"}
    if mode == "direct":
        writer.close()


def test_a_transaction_that_waits_for_a_hanging_one_is_busy(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Waiting for the writer of the same process also times out."""
    monkeypatch.setattr(writing, "_TIMEOUT_SECONDS", 0.2)
    resume = threading.Event()

    def slow() -> None:
        with bench.writer.transaction() as connection:
            _put(connection, "slow")
            resume.wait(5)

    bench.writer.start()
    with in_background(slow) as unit:
        until(lambda: bench.count("SAVEPOINT unit"))
        with pytest.raises(Busy):
            bench.put("waiting")
        resume.set()
        unit.result(5)

    assert bench.stored() == {"slow"}


def test_a_full_disk_is_busy_and_stores_nothing(bench: Bench) -> None:
    """SQLite's errors are raised as `Busy`, and a retry works when there is space again."""
    bench.writer.start()
    with bench.writer.transaction() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    raw = bench.writer._connection
    raw.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    with pytest.raises(Busy), bench.writer.transaction() as connection:
        _put(connection, "x" * 100_000)

    assert bench.stored() == set()
    raw.exec_driver_sql("PRAGMA max_page_count=1000000")
    bench.put("later")
    assert bench.stored() == {"later"}


def test_closing_stores_open_transactions(bench: Bench) -> None:
    """A transaction whose block has ended is not lost."""
    with in_background(lambda: bench.put("a")) as unit:
        until(lambda: bench.count("RELEASE unit"))
        bench.writer.start()
        bench.writer.close()
        unit.result(5)

    assert bench.stored() == {"a"}
