"""A unit of work returns when it is stored, and not before; units that are ready share a COMMIT."""

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
from server.storage.reader import SqlitePool
from server.storage.writer import DirectWriter, GroupedWriter
from tests.support.builders.clock import MovableClock
from tests.support.checks.waiting import meanwhile, until

_HOLDER = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1], isolation_level=None)
held.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.readline()
held.execute("COMMIT")
"""


@dataclass
class Bench:
    """A grouped writer that stores nothing until it is started, and what SQLite was told."""

    path: Path
    writer: GroupedWriter
    told: list[str] = field(default_factory=list)

    def put(self, name: str) -> None:
        """One unit of work."""
        with self.writer.transaction() as connection:
            _put(connection, name)

    def stored(self) -> set[str]:
        """What a connection sees that looks from outside."""
        outside = sqlite3.connect(self.path)
        names = {row[0] for row in outside.execute("SELECT name FROM things")}
        outside.close()
        return names

    def count(self, statement: str) -> int:
        """How often SQLite was told this."""
        return self.told.count(statement)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A writer over a file with two tables."""
    path = tmp_path / "things.db"
    connection = opening._sqlite_engine(path, patience=0).connect()
    connection.exec_driver_sql("CREATE TABLE things (name TEXT PRIMARY KEY)")
    connection.exec_driver_sql("CREATE TABLE parts (of TEXT REFERENCES things (name))")
    bench = Bench(path, GroupedWriter(connection))
    raw = connection.connection.dbapi_connection
    assert isinstance(raw, sqlite3.Connection)
    raw.set_trace_callback(bench.told.append)
    yield bench
    bench.writer.close()


def _put(connection: Connection, name: str) -> None:
    connection.exec_driver_sql("INSERT INTO things VALUES (?)", (name,))


def _break_commit(connection: Connection) -> None:
    """A part of nothing, which SQLite looks at only when it is asked to COMMIT."""
    connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
    connection.exec_driver_sql("INSERT INTO parts VALUES ('of nothing')")


@contextmanager
def _held(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the file's lock until it gets a line."""
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with holder:
        yield holder
        _release(holder)


def _release(holder: subprocess.Popen[str]) -> None:
    if holder.stdin is not None and not holder.stdin.closed:
        holder.stdin.write("\n")
        holder.stdin.close()
        holder.wait(10)


@pytest.mark.parametrize("serving", [True, False])
def test_what_is_written_survives_a_power_cut(
    sqlite_url: str, clock: MovableClock, *, serving: bool
) -> None:
    """The writing connection says FULL and WAL, in the server and in a command."""
    store = opening.open_store(sqlite_url, clock, str, react, serving=serving)
    store.start()
    with store._writer.transaction() as connection:
        mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()
        synchronous = connection.exec_driver_sql("PRAGMA synchronous").scalar_one()
    store.close()

    assert mode == "wal"
    assert synchronous == 2


def test_a_unit_returns_only_after_its_commit(bench: Bench) -> None:
    """While the flusher waits nobody is told that it is done, and nobody outside sees it."""
    with meanwhile(lambda: bench.put("a")) as unit:
        until(lambda: bench.count("RELEASE unit"))
        time.sleep(0.1)
        assert not unit.done()
        assert bench.stored() == set()

        bench.writer.start()
        unit.result(5)
        assert bench.stored() == {"a"}


def test_units_that_are_ready_together_share_one_commit(bench: Bench) -> None:
    """Twelve units, one COMMIT, everybody's rows."""
    names = {f"thing-{number}" for number in range(12)}
    with ExitStack() as units:
        waiting = [units.enter_context(meanwhile(lambda n=name: bench.put(n))) for name in names]
        until(lambda: bench.count("RELEASE unit") == 12)
        bench.writer.start()
        for unit in waiting:
            unit.result(5)

    assert bench.count("BEGIN IMMEDIATE") == bench.count("COMMIT") == 1
    assert bench.stored() == names


def test_a_commit_that_fails_fails_every_unit_in_it(bench: Bench) -> None:
    """Nobody is told that something was stored which was not; the next unit works."""

    def break_it() -> None:
        with bench.writer.transaction() as connection:
            _break_commit(connection)

    with meanwhile(lambda: bench.put("a")) as good, meanwhile(break_it) as bad:
        until(lambda: bench.count("RELEASE unit") == 2)
        bench.writer.start()
        for unit in (good, bad):
            assert isinstance(unit.exception(5), Busy)

    assert bench.stored() == set()
    bench.put("later")
    assert bench.stored() == {"later"}


def test_an_error_takes_back_only_its_own_unit(bench: Bench) -> None:
    """The others in the same COMMIT are stored."""
    with meanwhile(lambda: bench.put("before")) as before:
        until(lambda: bench.count("RELEASE unit"))
        with suppress(LookupError), bench.writer.transaction() as connection:
            _put(connection, "taken back")
            raise LookupError
        with meanwhile(lambda: bench.put("after")) as after:
            until(lambda: bench.count("RELEASE unit") == 3)
            bench.writer.start()
            before.result(5)
            after.result(5)

    assert bench.stored() == {"before", "after"}
    assert bench.count("COMMIT") == 1


def test_a_unit_waits_while_another_process_holds_the_file(bench: Bench) -> None:
    """It goes on as soon as the other process lets go, and reads go on meanwhile."""
    bench.writer.start()
    with _held(bench.path) as holder, meanwhile(lambda: bench.put("a")) as unit:
        until(lambda: bench.count("BEGIN IMMEDIATE") > 3)
        assert bench.stored() == set()
        assert not unit.done()
        _release(holder)
        unit.result(5)

    assert bench.stored() == {"a"}


def test_waiting_for_another_process_is_made_of_small_pauses(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite itself never waits, so that the loop of a server can do something else."""
    pauses: list[float] = []

    def noted(seconds: float) -> None:
        pauses.append(seconds)
        time.sleep(seconds)

    clock = SimpleNamespace(sleep=noted, monotonic=time.monotonic)
    monkeypatch.setattr(writing, "time", clock)
    with _held(bench.path) as holder, meanwhile(lambda: bench.put("a")):
        until(lambda: len(pauses) > 10)
        _release(holder)
        until(lambda: bench.count("RELEASE unit"))
        bench.writer.start()

    assert max(pauses) <= 0.01
    with bench.writer.transaction() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one() == 0


@pytest.mark.parametrize("how", ["grouped", "direct"])
def test_a_file_that_is_held_too_long_is_busy(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """The unit gives up with `Busy`, nothing of it is there, and the next one works."""
    monkeypatch.setattr(writing, "_TIMEOUT_SECONDS", 0.2)
    monkeypatch.setattr(writing, "_COMMAND_TIMEOUT_SECONDS", 0.2)
    writer: GroupedWriter | DirectWriter = bench.writer
    if how == "direct":
        writer = DirectWriter(SqlitePool(opening._sqlite_engine(bench.path, patience=0)))
    bench.writer.start()
    with _held(bench.path), pytest.raises(Busy), writer.transaction() as connection:
        _put(connection, "never")

    with writer.transaction() as connection:
        _put(connection, "later")
    assert bench.stored() == {"later"}
    if how == "direct":
        writer.close()


def test_a_unit_behind_one_that_does_not_end_is_busy(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Waiting for the writer of one's own process ends too."""
    monkeypatch.setattr(writing, "_TIMEOUT_SECONDS", 0.2)
    go_on = threading.Event()

    def slow() -> None:
        with bench.writer.transaction() as connection:
            _put(connection, "slow")
            go_on.wait(5)

    bench.writer.start()
    with meanwhile(slow) as unit:
        until(lambda: bench.count("SAVEPOINT unit"))
        with pytest.raises(Busy):
            bench.put("behind")
        go_on.set()
        unit.result(5)

    assert bench.stored() == {"slow"}


def test_a_full_disk_is_busy_and_the_unit_is_gone(bench: Bench) -> None:
    """SQLite's own failures reach a caller as `Busy`: nothing was changed, try again."""
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


def test_closing_stores_what_is_open(bench: Bench) -> None:
    """A unit that has left its block when the server ends is not lost."""
    with meanwhile(lambda: bench.put("a")) as unit:
        until(lambda: bench.count("RELEASE unit"))
        bench.writer.start()
        bench.writer.close()
        unit.result(5)

    assert bench.stored() == {"a"}
