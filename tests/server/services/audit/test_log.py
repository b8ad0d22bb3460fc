"""The audit log signs checkpoints, detects changes to the log, and proves entries."""

import sqlite3
from dataclasses import replace

import pytest

from server.audit_log import bundles, notes
from server.audit_log.merkle import BadProof
from server.audit_log.verify import verify
from server.model.audit import StoredLeaf
from server.services.audit.log import IDLE_MS, AuditLog, BrokenLog
from server.services.refusals import Conflict, NotFound
from tests.support.builders.clock import MINUTE
from tests.support.builders.installation import BY, add_user

KEY = b"k" * 32


@pytest.fixture
def audit_log(admin_services):
    """The audit log of an installation with a few entries."""
    for name in ("ann", "bob", "cleo"):
        add_user(admin_services, name)
    return AuditLog(admin_services.store, "https://approvals.example.com", lambda: KEY)


def verify_export(log):
    """Verify the exported log with its public key."""
    return verify(bundles.write(log.origin, log.lines()), [log.key])


def test_a_checkpoint_covers_all_entries(admin_services, audit_log):
    """A further checkpoint is signed only after new entries, and it covers them too."""
    first = audit_log.round()
    assert first > 0
    assert audit_log.round() == 0
    add_user(admin_services, "dave")
    assert audit_log.round() > 0
    log = verify_export(audit_log)
    assert log.checkpoints == 2
    assert log.frontier.size > first


def test_a_later_checkpoint_has_a_later_time(admin_services, audit_log):
    """Two checkpoints signed in the same millisecond get times one millisecond apart."""
    times = []
    for name in ("dave", "eve"):
        add_user(admin_services, name)
        audit_log.round()
        with admin_services.store.read() as view:
            times.append(view.audit_log.newest().at)
    assert times == [admin_services.clock.now(), admin_services.clock.now() + 1]


def test_an_idle_log_signs_a_checkpoint_once_a_minute(admin_services, audit_log):
    """A checkpoint with the same size and a later time proves that nothing was added."""
    audit_log.round()
    admin_services.clock.forward(IDLE_MS - 1)
    audit_log.round()
    assert verify_export(audit_log).checkpoints == 1
    admin_services.clock.forward(1)
    audit_log.round()
    assert verify_export(audit_log).checkpoints == 2


def test_a_promise_is_not_older_than_the_newest_checkpoint(admin_services, audit_log):
    """Otherwise a checkpoint from before the clock was set back would contradict the promise."""
    leaf = StoredLeaf("sayso_ae_1", admin_services.clock.now(), b"l" * 32)
    audit_log.round()
    for milliseconds in (MINUTE, -5 * MINUTE):
        admin_services.clock.forward(milliseconds)
        stored = replace(leaf, at=admin_services.clock.now())
        (note,) = audit_log.promises([stored])
        promise = notes.read_promise(note, audit_log.key)
        _newest, at = notes.verify(audit_log.newest(), [audit_log.key])
        assert (promise.entry_id, promise.leaf) == (leaf.id, leaf.leaf)
        assert promise.at == max(stored.at // 1000, at)


def test_checkpoint_times_increase_when_the_clock_is_set_back(admin_services, audit_log):
    """The times of checkpoints only increase, so the log still verifies."""
    audit_log.round()
    admin_services.clock.forward(-MINUTE)
    add_user(admin_services, "dave")
    audit_log.round()
    assert verify_export(audit_log).checkpoints == 2


def test_the_log_keeps_its_name_when_the_issuer_changes(audit_log):
    """Auditors have pinned the name, so a new issuer does not change it."""
    assert audit_log.origin == "approvals.example.com/log"
    audit_log.round()
    renamed = AuditLog(audit_log.store, "https://other.example.com", lambda: KEY)
    assert renamed.origin == "approvals.example.com/log"


def _tamper(folder, statement):
    """Change the database as somebody with access to the machine could."""
    connection = sqlite3.connect(folder / "sayso.db")
    for table in ("audit_entries", "audit_nodes"):
        for change in ("update", "delete"):
            connection.execute(f"DROP TRIGGER IF EXISTS {table}_{change}")
    connection.execute(statement)
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entries SET body = '{}' WHERE seq = 1",
        "DELETE FROM audit_entries WHERE seq = 1",
        "UPDATE audit_entries SET seq = -seq WHERE seq = 1",
        "UPDATE audit_nodes SET hash = zeroblob(32) WHERE level = 1 AND number = 0",
        "DELETE FROM audit_nodes WHERE level = 1 AND number = 0",
        "DELETE FROM audit_nodes WHERE level = 1",
    ],
)
def test_a_changed_log_is_noticed(tmp_path, audit_log, statement):
    """I8: the server does not start with a changed log."""
    audit_log.round()
    audit_log.check()
    _tamper(tmp_path, statement)
    with pytest.raises(BrokenLog, match="The audit log was changed outside of Sayso"):
        audit_log.check()


def test_only_the_newest_part_of_a_long_log_is_checked_at_startup(
    tmp_path, admin_services, monkeypatch
):
    """A check of the whole log would be slow. `sayso audit verify` checks the whole log."""
    log = AuditLog(admin_services.store, "https://approvals.example.com", lambda: KEY)
    add_user(admin_services)
    log.round()
    add_user(admin_services, "dave")
    log.round()
    monkeypatch.setattr("server.services.audit.log.MAX_CHECKED", 1)
    _tamper(tmp_path, "UPDATE audit_entries SET body = '{}' WHERE seq = 1")
    log.check()
    _tamper(tmp_path, "UPDATE audit_entries SET body = '{}'")
    with pytest.raises(BrokenLog):
        log.check()


def test_a_different_log_key_is_detected(audit_log):
    """Two servers with one database need the same log key."""
    audit_log.round()
    with pytest.raises(BrokenLog, match="not signed with this log key"):
        AuditLog(audit_log.store, audit_log.issuer, lambda: b"o" * 32).check()


def test_a_log_without_a_checkpoint_has_nothing_to_compare(admin_services):
    """A new installation starts, and requesting its checkpoint is a conflict."""
    log = AuditLog(admin_services.store, "https://approvals.example.com", lambda: KEY)
    log.check()
    with pytest.raises(Conflict, match="no checkpoint yet"):
        log.newest()


def test_entries_in_a_checkpoint_have_a_proof(audit_log):
    """The first and the last entry of the log each have a proof."""
    audit_log.round()
    with audit_log.store.read() as view:
        entries = view.audit.tail(100)
    for entry in (entries[0], entries[-1]):
        proof = audit_log.prove(entry.id)
        assert proof.body == entry.body
        proof.check([audit_log.key])


def test_an_entry_outside_a_checkpoint_has_no_proof(admin_services, audit_log):
    """A new entry is a conflict until the next checkpoint, and an unknown entry is not found."""
    audit_log.round()
    add_user(admin_services, "dave")
    with audit_log.store.read() as view:
        newest = view.audit.tail(1)[0]
    with pytest.raises(Conflict, match="not in a checkpoint yet"):
        audit_log.prove(newest.id)
    with pytest.raises(NotFound):
        audit_log.prove("other")


def test_a_proof_from_a_changed_hash_is_invalid(tmp_path, audit_log):
    """The checkpoint's root is signed, and the changed hashes do not lead to it."""
    audit_log.round()
    with audit_log.store.read() as view:
        entry = view.audit.tail(100)[0].id
    audit_log.prove(entry).check([audit_log.key])
    _tamper(tmp_path, "UPDATE audit_nodes SET hash = zeroblob(32)")
    changed = audit_log.prove(entry)
    with pytest.raises(BadProof):
        changed.check([audit_log.key])


def test_hashes_missing_from_an_earlier_version_are_added(tmp_path, admin_services, audit_log):
    """The next checkpoint adds them, even if only the last hashes are missing."""
    audit_log.round()
    expected = _nodes(audit_log)
    for statement in (
        "DELETE FROM audit_nodes",
        "DELETE FROM audit_nodes WHERE (number + 1) << level > 2",
    ):
        _tamper(tmp_path, statement)
        audit_log.check()
        admin_services.clock.forward(IDLE_MS)
        audit_log.round()
        assert _nodes(audit_log) == expected
        audit_log.check()


def _nodes(log):
    with log.store.read() as view:
        nodes = view.audit_log.nodes_over(0, view.audit_log.size())
    assert len(nodes) > 2
    return nodes


def test_replacing_the_log_key_writes_an_entry(audit_log):
    """The entry contains the new public key."""
    with audit_log.store.write() as tx:
        audit_log.record_key(tx, b"n" * 32, KEY, by=BY)
        entry = tx.audit.tail(1)[0]
    assert entry.type == "log_key.replaced"
    assert b"approvals.example.com/log+" in entry.body
