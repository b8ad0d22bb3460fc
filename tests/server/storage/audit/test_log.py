"""Audit entries have an order and cannot be changed, on both databases."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError

from server.audit_log.entries import leaf_hash
from server.audit_log.merkle import MissingNode
from server.crypto.secrets import EntryIdGenerator
from server.model.audit import CheckpointRow, Entry
from server.services.audit import lag
from server.services.audit.lag import Lag
from server.services.reactions import react
from server.storage.audit.tables import (
    audit_checkpoints,
    audit_entries,
    audit_nodes,
    audit_openings,
)
from server.storage.open import open_store
from server.storage.store import SqlStore
from tests.support.builders.clock import DAY, MovableClock

USER = "sayso_us_ann"
EMPTY = {"body": b"", "type": "", "actor": "", "correlation_id": "", "subject": None}
CHECKPOINT = CheckpointRow(3, 1_000, b"frontier", "log\n3\n")


@pytest.fixture
def store_with_entries(store: SqlStore) -> SqlStore:
    """A store with three entries, each with a personal text, and a checkpoint."""
    for number in range(3):
        with store.write() as tx:
            facts = {"name": f"ann's phone {number}"}
            tx.audit.add(Entry(f"device.{number}", "operator", subject=USER, facts=facts))
    store.sequence()
    with store.write() as tx:
        tx.audit_log.add(CHECKPOINT)
        tx.audit_log.add_nodes({(1, 0): b"node"})
    return store


def test_entries_are_numbered_without_gaps(store_with_entries: SqlStore) -> None:
    """Numbers start at 0, in storage order. Each leaf is the hash of the entry's bytes."""
    with store_with_entries.read() as view:
        entries = view.audit_log.entries(0, 10)
        assert [entry.seq for entry in entries] == [0, 1, 2]
        assert [leaf_hash(entry.body) for entry in entries] == [entry.leaf for entry in entries]
        assert view.audit_log.leaves(1, 3) == [entry.leaf for entry in entries[1:]]
        assert view.audit_log.size() == 3
        newest = view.audit.tail(1)[0]
        assert view.audit_log.position_of(newest.id) == 2
        assert view.audit_log.position_of("other") is None


@pytest.mark.parametrize("seconds", [5, 0, -5])
def test_an_entry_is_numbered_after_those_that_it_may_depend_on(
    postgres_url: str, clock: MovableClock, seconds: int
) -> None:
    """A unit of work that waits sees the entries of another process that began after it."""
    first, second = (
        open_store(postgres_url, clock, EntryIdGenerator().new, react, serving=True)
        for _ in range(2)
    )
    with first.write() as waiting:
        clock.forward(seconds * 1_000)
        with second.write() as tx:
            earlier = tx.audit.add(Entry("vote.stored", "operator"))
        later = [waiting.audit.add(Entry("vote.counted", "operator")) for _ in range(2)]
    first.sequence()
    with first.read() as view:
        assert [view.audit_log.position_of(name) for name in (earlier, *later)] == [0, 1, 2]
    first.close()
    second.close()


def test_the_newest_entry_comes_last_after_the_clock_was_set_back(
    url: str, clock: MovableClock
) -> None:
    """A process that starts afterwards does not put its entries before the earlier ones."""
    written = []
    clock.forward(400 * DAY)
    for _ in range(2):
        new = open_store(url, clock, EntryIdGenerator().new, react, serving=False)
        with new.write() as tx:
            written += [tx.audit.add(Entry("user.added", "operator")) for _ in range(2)]
        with new.read() as view:
            assert [entry.id for entry in view.audit.tail(9)] == written
        clock.forward(-400 * DAY)
        new.close()


def test_the_times_of_entries_are_found_with_and_without_a_position(
    store_with_entries: SqlStore,
) -> None:
    """On PostgreSQL an entry has no position until the sequencer numbers it."""
    store = store_with_entries
    with store.write() as tx:
        tx.audit.add(Entry("type.new", "operator"))
    with store.read() as view:
        rows, at = view.audit_log, [entry.at for entry in view.audit.tail(4)]
        assert [rows.time_of(position) for position in range(3)] == at[:3]
        assert lag.measure_lag(view, 1) == Lag(3, view.now - at[1])
        assert lag.unsigned(view) == Lag(1, view.now - at[3])
        assert lag.measure_lag(view, 4 - rows.unplaced()[0]) == Lag(rows.unplaced()[0], 0)
    store.sequence()
    with store.read() as view:
        assert view.audit_log.unplaced() == (0, None)
        assert view.audit_log.time_of(4) is None
        assert lag.measure_lag(view, 9) == Lag()


def test_nodes_are_found_by_their_indexes(store_with_entries: SqlStore) -> None:
    """A leaf is the hash of its entry. A missing node is an error, not an empty hash."""
    with store_with_entries.write() as tx:
        tx.audit_log.add_nodes({(1, 1): b"b", (2, 0): b"c", (1, 2): b"d"})
        tx.audit_log.add_nodes({})
        leaf = tx.audit_log.leaves(2, 3)[0]
        assert tx.audit_log.nodes([]) == {}
        assert tx.audit_log.nodes([(0, 2)]) == {(0, 2): leaf}
        nodes = {(2, 0): b"c", (0, 2): leaf, (1, 0): b"node"}
        assert tx.audit_log.nodes([*nodes]) == nodes
        for missing in ((0, 3), (1, 3), (2, 1)):
            with pytest.raises(MissingNode, match=f"Hash {missing[1]} of level {missing[0]}"):
                tx.audit_log.nodes([(1, 0), missing])
        assert tx.audit_log.nodes_over(0, 3) == {(1, 0): b"node"}
        assert tx.audit_log.nodes_over(2, 4) == {(1, 1): b"b", (2, 0): b"c"}
        assert tx.audit_log.nodes_over(0, 1) == {}
        assert tx.audit_log.size_of_nodes() == 6


def test_a_transaction_that_is_rolled_back_uses_no_number(store_with_entries: SqlStore) -> None:
    """The next entry gets the number that the rolled-back entry would have had."""
    store = store_with_entries
    with pytest.raises(ZeroDivisionError), store.write() as tx:
        assert tx.audit.add(Entry("type.lost", "operator")) == 1 / 0
    with store.write() as tx:
        tx.audit.add(Entry("type.kept", "operator"))
    store.sequence()
    with store.read() as view:
        assert view.audit_log.size() == 4
        assert b"type.kept" in view.audit_log.entries(3, 4)[0].body


def test_checkpoints_are_read_in_order(store_with_entries: SqlStore) -> None:
    """A checkpoint without new entries has the same size and a later time."""
    later = CheckpointRow(3, 2_000, b"frontier", "later")
    with store_with_entries.write() as tx:
        assert tx.audit_log.newest() == CHECKPOINT
        tx.audit_log.add(later)
        assert tx.audit_log.newest() == later
        assert tx.audit_log.checkpoints((0, -1), 10) == [CHECKPOINT, later]
        assert tx.audit_log.checkpoints((3, 1_000), 10) == [later]
        assert tx.audit_log.checkpoints((3, 2_000), 10) == []


@pytest.mark.parametrize(
    "statement",
    [
        sa.update(audit_entries).values(body=b"other"),
        sa.update(audit_entries).values(seq=audit_entries.c.seq + 10),
        pytest.param(sa.update(audit_entries).values(body=b""), id="only the body"),
        pytest.param(
            sa.update(audit_entries).values({**EMPTY, "subject": "other"}), id="a different user"
        ),
        pytest.param(
            sa.update(audit_entries).values({**EMPTY, "leaf": b"other"}), id="a different hash"
        ),
        pytest.param(
            sa.update(audit_entries).values({**EMPTY, "body": b"other"}), id="a different body"
        ),
        sa.delete(audit_entries),
        sa.update(audit_checkpoints).values(note="other"),
        sa.delete(audit_checkpoints),
        sa.update(audit_nodes).values(hash=b"other"),
        sa.delete(audit_nodes),
        sa.update(audit_openings).values(text="other"),
    ],
    ids=str,
)
def test_the_database_refuses_changes(store_with_entries: SqlStore, statement: sa.Update) -> None:
    """With the permissions of the server, nobody can change an entry or checkpoint by mistake."""
    with (
        pytest.raises(DatabaseError, match="The audit log is never changed"),
        store_with_entries.write() as tx,
    ):
        tx._connection.execute(statement)


def test_texts_are_read_with_their_entries_until_they_are_erased(
    store_with_entries: SqlStore,
) -> None:
    """Texts are read by ID and by position. Erasing one user's texts keeps other users'."""
    with store_with_entries.write() as tx:
        tx.audit.add(Entry("device.other", "operator", subject="bob", facts={"name": "bob's"}))
    with store_with_entries.read() as view:
        by_id = [entry.members["facts"]["name"] for entry in view.audit.tail(4)]
        by_position = [entry.members["facts"]["name"] for entry in view.audit_log.entries(0, 3)]
    assert by_id == [*by_position, "bob's"]
    assert by_position == [f"ann's phone {number}" for number in range(3)]
    with store_with_entries.write() as tx:
        assert tx.audit.openings.erase(USER) == 3
    with store_with_entries.read() as view:
        names = [entry.members["facts"]["name"] for entry in view.audit.tail(4)]
    assert names == ["erased", "erased", "erased", "bob's"]


def test_a_cleared_entry_keeps_its_position_and_hash(store_with_entries: SqlStore) -> None:
    """Other entries do not change. An entry of a kept type loses only its personal texts."""
    with store_with_entries.read() as view:
        before = view.audit_log.entries(0, 3)
    with store_with_entries.write() as tx:
        assert tx.audit.count_bodies(2, ["device.1"]) == 1
        tx.audit.trim(0, 2, ["device.1"])
        assert tx.audit.count_bodies(2, ["device.1"]) == 0
        assert tx.audit_log.bodies("device.1", 0, 3) == [before[1].body]
        assert tx.audit_log.bodies("device.1", 2, 3) == []
    with store_with_entries.read() as view:
        entries, with_body = view.audit_log.entries(0, 3), view.audit.tail(3)
        assert [entry.leaf for entry in entries] == [entry.leaf for entry in before]
        assert [entry.body for entry in entries] == [b"", before[1].body, before[2].body]
        assert [entry.type for entry in with_body] == ["device.1", "device.2"]
        assert [entry.members["facts"]["name"] for entry in with_body] == [
            "erased",
            "ann's phone 2",
        ]
        assert view.audit_log.size() == 3


@pytest.mark.postgresql
def test_an_entry_without_a_position_cannot_be_changed_either(
    postgres_url: str, open_database: Callable[[str], SqlStore]
) -> None:
    """The only permitted change is made by the sequencer, which numbers the entry."""
    store = open_database(postgres_url)
    with store.write() as tx:
        tx.audit.add(Entry("type.new", "operator"))
    with pytest.raises(DatabaseError, match="never changed"), store.write() as tx:
        tx._connection.execute(sa.update(audit_entries).values(seq=0, body=b"other"))
    with pytest.raises(DatabaseError, match="never changed"), store.write() as tx:
        tx._connection.execute(sa.text("TRUNCATE audit_entries"))
    assert store.sequence() >= 1
