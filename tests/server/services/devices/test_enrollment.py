"""Enrollment codes: format, lifetime, and that only the newest one is valid."""

import pytest

from server.services.devices import enrollment
from tests.support.builders.clock import MINUTE
from tests.support.builders.installation import BY, add_user


def _row(admin_services, code):
    with admin_services.store.write() as tx:
        return tx.codes.get(enrollment.split_code(code)[0])


def test_a_code_has_eight_groups_of_four_and_is_valid_for_fifteen_minutes(admin_services):
    """Short groups are easy to read aloud and to type."""
    add_user(admin_services)
    _, issued = admin_services.users.enroll("admin", by=BY)
    assert [len(group) for group in issued.code.split("-")] == [4] * 8
    assert issued.expires_at == admin_services.clock.now() + 15 * MINUTE


def test_the_database_contains_only_a_keyed_hash_of_the_secret(admin_services):
    """A stolen database cannot be used to enroll a device."""
    add_user(admin_services)
    _, issued = admin_services.users.enroll("admin", by=BY)
    code_id, secret = enrollment.split_code(issued.code)
    row = _row(admin_services, issued.code)
    assert row.secret_hash == admin_services.secrets.code_hash(code_id, secret)
    assert secret not in repr(row)


def test_a_new_code_invalidates_earlier_unused_codes(admin_services):
    """A user has at most one valid code."""
    add_user(admin_services)
    _, first = admin_services.users.enroll("admin", by=BY)
    _, second = admin_services.users.enroll("admin", by=BY)
    assert _row(admin_services, first.code).expires_at <= admin_services.clock.now()
    assert _row(admin_services, second.code).expires_at > admin_services.clock.now()


def test_the_audit_log_contains_only_the_public_half_of_a_code(admin_services):
    """Somebody who reads the audit log cannot use the code."""
    add_user(admin_services)
    _, issued = admin_services.users.enroll("admin", by=BY)
    code_id, secret = enrollment.split_code(issued.code)
    entry = admin_services.entries("code.issued")[-1]
    assert entry["facts"]["code"] == code_id
    assert secret not in str(entry)


@pytest.mark.parametrize(
    "typed",
    [
        "ABCD-1234-EFGH-5678-JKMN-PQRS-TVWX-YZ01",
        "abcd1234efgh5678jkmnpqrstvwxyz01",
        " abcd 1234 efgh 5678 jkmn pqrs tvwx yzOi ",
        "ABCD-L234-EFGH-5678-JKMN-PQRS-TVWX-YZ0I",
    ],
)
def test_a_code_is_accepted_however_it_is_typed(typed):
    """Case, hyphens, spaces and letters that look like digits do not matter."""
    assert enrollment.split_code(typed) == ("ABCD1234", "EFGH5678JKMNPQRSTVWXYZ01")


@pytest.mark.parametrize("typed", ["", "ABCD", "U" * 32, "A" * 31, "A" * 33, "é" * 32, "A" * 1_000])
def test_an_impossible_code_is_refused(typed):
    """A code with a wrong length or alphabet is refused before the database is read."""
    with pytest.raises(enrollment.BadCode, match="eight groups of four"):
        enrollment.split_code(typed)


def test_the_link_contains_the_code_in_its_fragment():
    """Browsers do not send the fragment, so no web server logs the code."""
    assert enrollment.link("https://sayso.example", "AB-CD") == "https://sayso.example/enroll#AB-CD"
