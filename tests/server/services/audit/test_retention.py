"""Deleting the bodies of old entries: what stays verifies, and nothing is deleted in silence."""

import pytest

from server.audit_log import bundles, notes
from server.audit_log.merkle import check_consistency
from server.audit_log.verify import Broken, summary, verify
from server.model.audit import Entry, EntrySearch
from server.services.audit.audit import Type
from server.services.audit.entries import AuditEntries
from server.services.audit.log import AuditLog
from server.services.audit.retention import SHORTEST_DAYS, Retention, RetentionSchedule, Trim
from server.services.audit.streams import AuditStream, Position
from server.services.refusals import Invalid, NotFound
from tests.support.builders.clock import DAY, HOUR, MINUTE
from tests.support.builders.installation import BY, admitted


@pytest.fixture
def log(admin_services):
    """A log with an old half and a new one, both signed."""
    log = AuditLog(admin_services.store, "https://approvals.example.com", lambda: b"k" * 32)
    for name in ("ann", "bob"):
        admitted(admin_services, name)
    with admin_services.store.write() as tx:
        log.record_key(tx, b"n" * 32, b"k" * 32, by=BY)
    log.round()
    admin_services.clock.forward(MINUTE)
    for name in ("cleo", "dave"):
        admitted(admin_services, name)
    log.round()
    admin_services.clock.forward(SHORTEST_DAYS * DAY)
    return log


def _trim(log, admin_services):
    """Announce, sign, delete; returns the place, and how many."""
    moment = admin_services.clock.now() - SHORTEST_DAYS * DAY
    retention = Retention(admin_services.store)
    trim = retention.announce(moment, by=BY)
    log.round()
    retention.delete()
    return trim.before, trim.entries


def _verified(log):
    return verify(bundles.write(log.origin, log.lines()), [log.key])


def _announced(admin_services):
    wanted = EntrySearch(type=Type.AUDIT_TRIMMED)
    return len(AuditEntries(admin_services.store).search(wanted, 10))


def _names(admin_services):
    found = AuditEntries(admin_services.store).search(EntrySearch(type=Type.USER_ADDED), 10)
    return [one.members["facts"]["name"] for one in found]


def test_what_stays_of_a_trimmed_log_verifies(admin_services, log):
    """Old bodies are gone, and each root and each proof of what stays is as before."""
    size = _verified(log).frontier.size
    place, deleted = _trim(log, admin_services)
    assert 0 < deleted < place < size
    assert _names(admin_services) == ["dave", "cleo"]
    log.check()
    found = _verified(log)
    assert found.meaning.trimmed == deleted
    assert f" entries ({deleted} without contents), " in summary(found)
    assert _trim(log, admin_services)[1] == 0
    proof = log.consistency(place)
    new, _at = notes.verify(proof.checkpoint, [log.key])
    old = notes.verify(list(log.lines())[place].note, [log.key])[0]
    check_consistency(place, old.root, new.size, new.root, proof.hashes)
    for entry in AuditEntries(admin_services.store).newest(100):
        log.prove(entry.id).check([log.key])


def test_keys_that_verify_later_entries_stay(admin_services, log):
    """Approvers follow a replaced key, however old the entry is."""
    admin_services.clock.forward(MINUTE)
    _trim(log, admin_services)
    assert [replacement.log_key for replacement in log.replacements()] == [
        notes.public_key(log.origin, b"n" * 32).text
    ]


def test_a_deleted_entry_is_not_found(admin_services, log):
    """Neither it nor its proof; its personal texts are gone as well."""
    first = AuditEntries(admin_services.store).newest(100)[0]
    with admin_services.store.read() as view:
        texts = view.audit.openings.between(0, 100)
    place, _deleted = _trim(log, admin_services)
    for read in (AuditEntries(admin_services.store).get, log.prove):
        with pytest.raises(NotFound):
            read(first.id)
    with admin_services.store.read() as view:
        left = view.audit.openings.between(0, 100)
    assert left == {seq: found for seq, found in texts.items() if seq >= place} != texts


def test_a_body_is_never_deleted_in_silence(admin_services, log):
    """Whoever deletes one without an entry about it is noticed, and the last one is named."""
    with admin_services.store.write() as tx:
        tx.audit.trim(0, 2, ())
    with pytest.raises(Broken, match="Entry 1 has no contents, and no entry says why"):
        _verified(log)


def test_an_announcement_covers_no_later_entry(admin_services, log):
    """The entries that it names, and no more."""
    place, _deleted = _trim(log, admin_services)
    with admin_services.store.write() as tx:
        tx.audit.trim(place, place + 1, ())
    with pytest.raises(Broken, match=f"Entry {place} has no contents"):
        _verified(log)


def test_entries_without_a_checkpoint_keep_their_bodies(admin_services):
    """They could be another's tomorrow."""
    admitted(admin_services, "ann")
    admin_services.clock.forward(SHORTEST_DAYS * DAY + MINUTE)
    moment = admin_services.clock.now() - SHORTEST_DAYS * DAY
    assert Retention(admin_services.store).announce(moment, by=BY) == Trim(0, 0)
    assert _announced(admin_services) == 0


def test_a_stream_that_is_behind_goes_on(admin_services, log):
    """It sends what stays; its position counts all."""
    _trim(log, admin_services)
    entries = AuditStream(admin_services.store).next(Position())
    assert [entry.members for entry in entries if not entry.body] == [{}] * sum(
        not entry.body for entry in entries
    )
    assert Position().after(entries).sent == entries[-1].seq + 1


def test_a_trimmed_log_may_begin_in_the_middle_of_a_request(admin_services, log):
    """Its approval is not known any more, so its token contradicts nothing."""
    _trim(log, admin_services)
    with admin_services.store.write() as tx:
        issued = Entry(Type.TOKEN_ISSUED, BY, approval_id="sayso_ap_old", facts={"jti": "j"})
        tx.audit.add(issued)
    log.round()
    _verified(log)


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize("age", [-DAY, 0, MINUTE, SHORTEST_DAYS * DAY - 1])
def test_young_entries_are_never_trimmed(admin_services, age):
    """A time in the future or of yesterday is a mistake; nothing is written."""
    before = len(admin_services.entries())
    with pytest.raises(Invalid, match="`before` must be at least 30 days ago"):
        Retention(admin_services.store).announce(admin_services.clock.now() - age, by=BY)
    assert len(admin_services.entries()) == before


def test_the_server_trims_once_a_day(admin_services, log):
    """It announces, and deletes only after a checkpoint; without anything old it writes nothing."""
    schedule = RetentionSchedule(admin_services.store, SHORTEST_DAYS)
    schedule.round()
    assert (_announced(admin_services), len(_names(admin_services))) == (1, 4)
    log.round()
    schedule.round()
    assert _names(admin_services) == ["dave", "cleo"]
    for hours, announced in ((23, 1), (2, 2), (25, 2)):
        admin_services.clock.forward(hours * HOUR)
        schedule.round()
        log.round()
        schedule.round()
        assert _announced(admin_services) == announced
    assert _names(admin_services) == []
    assert _verified(log).meaning.trimmed_before


def test_a_server_without_the_setting_deletes_what_administrators_announced(admin_services, log):
    """It announces nothing by itself."""
    schedule = RetentionSchedule(admin_services.store, None)
    schedule.round()
    assert _announced(admin_services) == 0
    Retention(admin_services.store).announce(admin_services.clock.now() - 30 * DAY, by=BY)
    log.round()
    schedule.round()
    assert _names(admin_services) == ["dave", "cleo"]


def test_a_server_that_was_killed_finishes_what_was_announced(admin_services, log):
    """Before the checkpoint, or in the middle of deleting."""
    RetentionSchedule(admin_services.store, SHORTEST_DAYS).round()
    log.round()
    with admin_services.store.write() as tx:
        tx.audit.trim(0, 2, ())
    RetentionSchedule(admin_services.store, SHORTEST_DAYS).round()
    assert _names(admin_services) == ["dave", "cleo"]
    assert _announced(admin_services) == 1
    _verified(log)


@pytest.mark.usefixtures("log")
def test_two_servers_announce_once(admin_services):
    """Each looks for itself; the second one finds the entry of the first."""
    for _ in range(2):
        RetentionSchedule(admin_services.store, SHORTEST_DAYS).round()
    assert _announced(admin_services) == 1
