"""Deleting the bodies of old entries: the remaining log verifies, and deletions are announced."""

import pytest

from server.audit_log import bundles, notes
from server.audit_log.merkle import check_consistency
from server.audit_log.verify import Broken, summary, verify
from server.model.audit import Entry, EntrySearch
from server.services.audit.audit import Type
from server.services.audit.entries import AuditEntries
from server.services.audit.log import AuditLog
from server.services.audit.retention import MIN_AGE_DAYS, Retention, RetentionSchedule, Trim
from server.services.audit.streams import AuditStream, Position
from server.services.refusals import Invalid, NotFound
from tests.support.builders.clock import DAY, HOUR, MINUTE
from tests.support.builders.installation import BY, add_user


@pytest.fixture
def log(admin_services):
    """An audit log whose first half is old and whose second half is new, both signed."""
    log = AuditLog(admin_services.store, "https://approvals.example.com", lambda: b"k" * 32)
    for name in ("ann", "bob"):
        add_user(admin_services, name)
    with admin_services.store.write() as tx:
        log.record_key(tx, b"n" * 32, b"k" * 32, by=BY)
    log.round()
    admin_services.clock.forward(MINUTE)
    for name in ("cleo", "dave"):
        add_user(admin_services, name)
    log.round()
    admin_services.clock.forward(MIN_AGE_DAYS * DAY)
    return log


def _trim(log, admin_services):
    """Announce, sign and delete; return the first sequence number that is kept, and the count."""
    moment = admin_services.clock.now() - MIN_AGE_DAYS * DAY
    retention = Retention(admin_services.store)
    trim = retention.announce(moment, by=BY)
    log.round()
    retention.delete()
    return trim.before, trim.entries


def _verify_export(log):
    return verify(bundles.write(log.origin, log.lines()), [log.key])


def _count_announcements(admin_services):
    search = EntrySearch(type=Type.AUDIT_TRIMMED)
    return len(AuditEntries(admin_services.store).search(search, 10))


def _names(admin_services):
    found = AuditEntries(admin_services.store).search(EntrySearch(type=Type.USER_ADDED), 10)
    return [entry.members["facts"]["name"] for entry in found]


def test_a_trimmed_log_still_verifies(admin_services, log):
    """Old bodies are deleted, but all roots and the proofs of remaining entries stay valid."""
    size = _verify_export(log).frontier.size
    first_kept, deleted = _trim(log, admin_services)
    assert 0 < deleted < first_kept < size
    assert _names(admin_services) == ["dave", "cleo"]
    log.check()
    result = _verify_export(log)
    assert result.meaning.trimmed == deleted
    assert f" entries ({deleted} without contents), " in summary(result)
    assert _trim(log, admin_services)[1] == 0
    proof = log.consistency(first_kept)
    new, _at = notes.verify(proof.checkpoint, [log.key])
    old = notes.verify(list(log.lines())[first_kept].note, [log.key])[0]
    check_consistency(first_kept, old.root, new.size, new.root, proof.hashes)
    for entry in AuditEntries(admin_services.store).newest(100):
        log.prove(entry.id).check([log.key])


def test_log_keys_that_verify_later_entries_are_kept(admin_services, log):
    """Approvers need the entry to trust the new key, however old the entry is."""
    admin_services.clock.forward(MINUTE)
    _trim(log, admin_services)
    assert [replacement.log_key for replacement in log.replacements()] == [
        notes.public_key(log.origin, b"n" * 32).text
    ]


def test_a_deleted_entry_is_not_found(admin_services, log):
    """The entry, its proof and its personal texts are all gone."""
    first = AuditEntries(admin_services.store).newest(100)[0]
    with admin_services.store.read() as view:
        texts = view.audit.openings.between(0, 100)
    first_kept, _deleted = _trim(log, admin_services)
    for read in (AuditEntries(admin_services.store).get, log.prove):
        with pytest.raises(NotFound):
            read(first.id)
    with admin_services.store.read() as view:
        openings_left = view.audit.openings.between(0, 100)
    assert openings_left == {seq: text for seq, text in texts.items() if seq >= first_kept} != texts


def test_deleting_a_body_without_an_announcement_is_detected(admin_services, log):
    """The error names the entry whose body was deleted."""
    with admin_services.store.write() as tx:
        tx.audit.trim(0, 2, ())
    with pytest.raises(Broken, match="Entry 1 has no contents, and no entry says why"):
        _verify_export(log)


def test_an_announcement_does_not_cover_later_entries(admin_services, log):
    """Deleting an entry that comes after the announced entries is detected."""
    first_kept, _deleted = _trim(log, admin_services)
    with admin_services.store.write() as tx:
        tx.audit.trim(first_kept, first_kept + 1, ())
    with pytest.raises(Broken, match=f"Entry {first_kept} has no contents"):
        _verify_export(log)


def test_entries_without_a_checkpoint_keep_their_bodies(admin_services):
    """Without a signed checkpoint nothing proves what the entries were."""
    add_user(admin_services, "ann")
    admin_services.clock.forward(MIN_AGE_DAYS * DAY + MINUTE)
    moment = admin_services.clock.now() - MIN_AGE_DAYS * DAY
    assert Retention(admin_services.store).announce(moment, by=BY) == Trim(0, 0)
    assert _count_announcements(admin_services) == 0


def test_a_stream_that_is_behind_continues(admin_services, log):
    """The stream sends the remaining entries, and its position counts the deleted ones too."""
    _first_kept, deleted = _trim(log, admin_services)
    entries = AuditStream(admin_services.store).next(Position())
    trimmed = [entry for entry in entries if not entry.body]
    assert len(trimmed) == deleted > 0
    assert all(entry.members == {} for entry in trimmed)
    assert Position().advance(entries).sent == entries[-1].seq + 1


def test_a_trimmed_log_may_have_a_token_without_its_approval(admin_services, log):
    """The body of the approval's entry was deleted, so the token contradicts nothing."""
    _trim(log, admin_services)
    with admin_services.store.write() as tx:
        issued = Entry(Type.TOKEN_ISSUED, BY, approval_id="sayso_ap_old", facts={"jti": "j"})
        tx.audit.add(issued)
    log.round()
    _verify_export(log)


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize("age", [-DAY, 0, MINUTE, MIN_AGE_DAYS * DAY - 1])
def test_recent_entries_are_never_trimmed(admin_services, age):
    """A time that is less than 30 days ago is refused, and no entry is written."""
    before = len(admin_services.entries())
    with pytest.raises(Invalid, match="`before` must be at least 30 days ago"):
        Retention(admin_services.store).announce(admin_services.clock.now() - age, by=BY)
    assert len(admin_services.entries()) == before


def test_the_server_trims_once_a_day(admin_services, log):
    """The server deletes only after a checkpoint; without old entries, it writes nothing."""
    schedule = RetentionSchedule(admin_services.store, MIN_AGE_DAYS)
    schedule.round()
    assert (_count_announcements(admin_services), len(_names(admin_services))) == (1, 4)
    log.round()
    schedule.round()
    assert _names(admin_services) == ["dave", "cleo"]
    for hours, announcements in ((23, 1), (2, 2), (25, 2)):
        admin_services.clock.forward(hours * HOUR)
        schedule.round()
        log.round()
        schedule.round()
        assert _count_announcements(admin_services) == announcements
    assert _names(admin_services) == []
    assert _verify_export(log).meaning.trimmed_before


def test_a_server_without_the_setting_deletes_only_on_request(admin_services, log):
    """Without the setting, the server announces nothing itself."""
    schedule = RetentionSchedule(admin_services.store, None)
    schedule.round()
    assert _count_announcements(admin_services) == 0
    Retention(admin_services.store).announce(admin_services.clock.now() - 30 * DAY, by=BY)
    log.round()
    schedule.round()
    assert _names(admin_services) == ["dave", "cleo"]


def test_a_restarted_server_finishes_an_announced_deletion(admin_services, log):
    """The server was killed after it had deleted some of the bodies."""
    RetentionSchedule(admin_services.store, MIN_AGE_DAYS).round()
    log.round()
    with admin_services.store.write() as tx:
        tx.audit.trim(0, 2, ())
    RetentionSchedule(admin_services.store, MIN_AGE_DAYS).round()
    assert _names(admin_services) == ["dave", "cleo"]
    assert _count_announcements(admin_services) == 1
    _verify_export(log)


@pytest.mark.usefixtures("log")
def test_two_servers_announce_once(admin_services):
    """The second server finds the announcement of the first."""
    for _ in range(2):
        RetentionSchedule(admin_services.store, MIN_AGE_DAYS).round()
    assert _count_announcements(admin_services) == 1
