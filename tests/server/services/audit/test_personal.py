"""Personal texts: where they are shown, what remains after erasing them, and why they are safe."""

import json
import sqlite3

import pytest

from server.audit_log import bundles
from server.audit_log.entries import CHANGED, ERASED, leaf_hash
from server.audit_log.verify import verify
from server.model.audit import Entry, EntrySearch
from server.services.audit import audit
from server.services.audit.audit import Type
from server.services.audit.entries import AuditEntries
from server.services.audit.log import AuditLog
from server.services.audit.retention import Retention
from server.services.refusals import NotFound
from tests.support.builders.installation import BY, add_user

ANN, BOB = "sayso_us_ann", "sayso_us_bob"


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (Entry(Type.USER_ADDED, BY, subject=ANN, facts={"name": "ann"}), {"name": ANN}),
        (Entry(Type.AGENT_ADDED, BY, facts={"name": "bot"}), {}),
        (
            Entry(
                Type.APPROVAL_DENIED,
                f"user:{BOB}",
                subject=ANN,
                facts={"reason": "r", "note": "n", "signed": "s"},
            ),
            {"reason": BOB, "note": BOB},
        ),
        (
            Entry(
                Type.APPROVAL_REQUESTED,
                "agent:bot",
                subject=ANN,
                facts={"agent_says": "a", "asked_from": "192.0.2.1", "scope": "pay"},
            ),
            {"agent_says": ANN, "asked_from": ANN},
        ),
        (Entry(Type.APPROVAL_EXECUTED, "resource:r", subject=ANN, facts={"text": None}), {}),
        (Entry(Type.APPROVAL_EXECUTED, "resource:r", facts={"text": "t"}), {"text": None}),
        (Entry(Type.INCIDENT_CLOSED, BY, subject=ANN, facts={"note": "n"}), {"note": ANN}),
        (Entry(Type.LOG_KEY_REPLACED, BY, facts={"note": "signed"}), {}),
    ],
    ids=("user", "agent", "answer", "request", "no text", "phantom", "incident", "key"),
)
def test_a_personal_text_belongs_to_its_author_or_to_the_subject(entry, expected):
    """Names of agents and signed notes are not personal texts."""
    assert audit.owners(entry) == expected


@pytest.fixture
def log(admin_services):
    """The audit log of an installation with two users who have one device each."""
    for name in ("ann", "bob"):
        user = add_user(admin_services, name)
        _name_device(admin_services, user.id, "laptop")
    log = AuditLog(admin_services.store, "https://approvals.example.com", lambda: b"k" * 32)
    log.round()
    return log


def _name_device(admin_services, user_id, name):
    with admin_services.store.write() as tx:
        entry = Entry(Type.DEVICE_RENAMED, BY, subject=user_id, facts={"name": name})
        tx.audit.add(entry)


def _bundle(log):
    return list(bundles.write(log.origin, log.lines()))


def _verify_export(log):
    return verify(_bundle(log), [log.key])


def _names(admin_services):
    search = EntrySearch(type=Type.USER_ADDED)
    entries = AuditEntries(admin_services.store).search(search, 10)
    return {entry.members["facts"]["name"] for entry in entries}


@pytest.mark.usefixtures("log")
def test_stored_bytes_have_commitments_and_readers_see_the_texts(admin_services):
    """Two entries with the same text have different commitments."""
    with admin_services.store.read() as view:
        entries = view.audit.tail(100)
    added = [entry for entry in entries if entry.type == Type.USER_ADDED]
    assert {entry.members["facts"]["name"] for entry in added} >= {"ann", "bob"}
    for entry in entries:
        assert leaf_hash(entry.body) == entry.leaf
        texts = [json.dumps(opening.text).encode() for opening in entry.openings.values()]
        assert all(text not in entry.body for text in texts)  # quoted: hashes contain short names
    devices = [entry.members for entry in entries if entry.type == Type.DEVICE_RENAMED]
    assert [device["facts"]["name"] for device in devices] == ["laptop", "laptop"]
    assert len({device["committed"]["name"] for device in devices}) == 2


def test_an_erased_user_leaves_a_log_that_verifies(admin_services, log):
    """Other users' texts stay, and an entry records who erased how many texts."""
    before = _bundle(log)
    user, texts = Retention(admin_services.store).erase("ann", by="user:sayso_us_dpo")
    assert texts == 2
    names = _names(admin_services)
    assert "bob" in names
    assert ERASED in names
    assert "ann" not in names
    (entry,) = AuditEntries(admin_services.store).search(EntrySearch(type=Type.AUDIT_ERASED), 2)
    assert (entry.actor, entry.members["subject"]) == ("user:sayso_us_dpo", user.id)
    assert entry.members["facts"] == {"texts": texts}
    log.round()
    assert _verify_export(log).erased == texts
    assert '"ann"' not in "".join(_bundle(log))
    assert verify(before, [log.key]).erased == 0
    assert Retention(admin_services.store).erase(user.id, by=BY)[1] == 0


@pytest.mark.usefixtures("log")
def test_an_erased_text_is_marked_in_its_entry(admin_services):
    """A separate member marks the erased text, because a person could type `erased`."""
    Retention(admin_services.store).erase("ann", by=BY)
    entries = AuditEntries(admin_services.store).search(EntrySearch(type=Type.USER_ADDED), 10)
    erased = {entry.members["facts"]["name"]: entry.members.get("erased") for entry in entries}
    assert (erased[ERASED], erased["bob"]) == (["name"], None)


def test_erased_bytes_are_not_in_the_file(tmp_path, admin_services):
    """SQLite keeps deleted rows in the file unless `secure_delete` is on."""
    user = add_user(admin_services, "cleo")
    _name_device(admin_services, user.id, "Zaphod's telephone")
    assert b"Zaphod" in _database_bytes(tmp_path)
    with admin_services.store.write() as tx:
        tx._connection.exec_driver_sql("PRAGMA secure_delete=OFF")
    Retention(admin_services.store).erase("cleo", by=BY)
    assert b"Zaphod" not in _database_bytes(tmp_path)


def _database_bytes(folder):
    """Return the bytes of the database after a checkpoint of its write-ahead log."""
    connection = sqlite3.connect(folder / "sayso.db")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return (folder / "sayso.db").read_bytes() + (folder / "sayso.db-wal").read_bytes()


def test_erasing_an_unknown_user_is_not_found(admin_services):
    """Only a user can be erased."""
    with pytest.raises(NotFound):
        Retention(admin_services.store).erase("nobody", by=BY)


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_openings SET text = 'mallory'",
        "UPDATE audit_openings SET salt = zeroblob(32)",
    ],
)
def test_a_changed_text_is_never_shown(tmp_path, admin_services, statement):
    """Somebody with access to the machine can drop the trigger, but cannot forge the hash."""
    connection = sqlite3.connect(tmp_path / "sayso.db")
    connection.execute("DROP TRIGGER audit_openings_update")
    connection.execute(statement)
    connection.commit()
    connection.close()
    assert _names(admin_services) == {CHANGED}


def test_a_proof_contains_no_personal_text(admin_services, log):
    """A proof can be passed on to others."""
    (entry, *_rest) = AuditEntries(admin_services.store).search(
        EntrySearch(type=Type.USER_ADDED), 1
    )
    proof = log.prove(entry.id)
    proof.check([log.key])
    assert json.dumps(entry.members["facts"]["name"]).encode() not in proof.body
