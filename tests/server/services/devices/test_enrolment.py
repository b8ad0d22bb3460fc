"""One-time codes: how they are written, how long they live, and that there is one at a time."""

import pytest

from server.services.devices import enrolment
from tests.support.builders.clock import MINUTE
from tests.support.builders.installation import BY, admitted


def _row(desk, code):
    with desk.store.write() as tx:
        return tx.codes.get(enrolment.normalise(code)[0])


def test_a_code_is_eight_groups_of_four_and_lives_for_fifteen_minutes(desk):
    """What a person types has a shape that can be read aloud, and an end."""
    admitted(desk)
    _, issued = desk.users.enrol("admin", by=BY)
    assert [len(group) for group in issued.code.split("-")] == [4] * 8
    assert issued.expires_at == desk.clock.now() + 15 * MINUTE


def test_the_database_keeps_a_keyed_hash_of_the_secret_and_never_the_secret(desk):
    """A stolen database enrols nobody."""
    admitted(desk)
    _, issued = desk.users.enrol("admin", by=BY)
    code_id, secret = enrolment.normalise(issued.code)
    row = _row(desk, issued.code)
    assert row.secret_hash == desk.secrets.code_hash(code_id, secret)
    assert secret not in repr(row)


def test_a_new_code_ends_the_unused_ones_before_it(desk):
    """There is never a second valid code that somebody forgot on a sticky note."""
    admitted(desk)
    _, first = desk.users.enrol("admin", by=BY)
    _, second = desk.users.enrol("admin", by=BY)
    assert _row(desk, first.code).expires_at <= desk.clock.now()
    assert _row(desk, second.code).expires_at > desk.clock.now()


def test_the_log_names_the_public_half_of_a_code_alone(desk):
    """Whoever reads the log learns that a code was issued and cannot use it."""
    admitted(desk)
    _, issued = desk.users.enrol("admin", by=BY)
    code_id, secret = enrolment.normalise(issued.code)
    entry = desk.entries("code.issued")[-1]
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
def test_a_code_is_understood_however_it_is_typed(typed):
    """Case, hyphens, spaces and the letters that look like digits make no difference."""
    assert enrolment.normalise(typed) == ("ABCD1234", "EFGH5678JKMNPQRSTVWXYZ01")


@pytest.mark.parametrize("typed", ["", "ABCD", "U" * 32, "A" * 31, "A" * 33, "é" * 32, "A" * 1_000])
def test_what_cannot_be_a_code_is_refused(typed):
    """A wrong length or alphabet never reaches the database."""
    with pytest.raises(enrolment.BadCode, match="eight groups of four"):
        enrolment.normalise(typed)


def test_the_link_carries_the_code_in_its_fragment():
    """A browser keeps the fragment to itself, so no log of ours or of a proxy has the code."""
    assert enrolment.link("https://sayso.example", "AB-CD") == "https://sayso.example/enrol#AB-CD"
