"""Signing keys: renewed without a moment in which a valid token cannot be verified."""

import pytest

from server.services.keys import ensure_keys, published
from server.services.refusals import Invalid
from tests.support.clock import HOUR, MINUTE
from tests.support.installation import BY


def _ensured(desk):
    with desk.store.write() as tx:
        return ensure_keys(tx, desk.keys.signer)


def test_missing_keys_are_made_once(desk):
    """Whoever comes second finds them, and a start that makes none bumps no version."""
    assert len(_ensured(desk)) == 3
    version = desk.version()
    assert _ensured(desk) == []
    assert desk.version() == version


def test_a_rotated_key_stays_published_until_its_last_token_is_over(desk):
    """The longest token of ours lives ten minutes, and a key set may be cached for an hour."""
    _ensured(desk)
    old = next(key for key in desk.keys.all() if key.alg == "ES256")
    rotated = desk.keys.rotate("ES256", by=BY)
    states = {key.kid: (key.state, key.retires_at) for key in desk.keys.all()}
    assert states[rotated.key.kid] == ("active", None)
    assert states[old.kid] == ("retiring", desk.clock.now() + 10 * MINUTE + HOUR)
    assert [entry["facts"]["kid"] for entry in desk.entries("key.retired")] == [old.kid]


def test_a_retired_key_is_trusted_until_its_time_and_not_a_moment_longer(desk):
    """Whether somebody came to drop it or not."""
    _ensured(desk)
    old = next(key for key in desk.keys.all() if key.alg == "ES256")
    desk.keys.rotate("ES256", by=BY)
    over = desk.clock.now() + 10 * MINUTE + HOUR
    before, after = (published(desk.keys.all(), moment) for moment in (over - 1, over))
    assert {key.kid for key in before} - {key.kid for key in after} == {old.kid}


def test_the_other_algorithms_keep_their_keys(desk):
    """A rotation touches what it names."""
    _ensured(desk)
    before = {key.kid for key in desk.keys.all() if key.alg != "ES256"}
    desk.keys.rotate("ES256", by=BY)
    assert {k.kid for k in desk.keys.all() if k.alg != "ES256" and k.state == "active"} == before


def test_a_key_whose_time_is_over_is_dropped_at_the_next_rotation(desk):
    """The published set does not grow for ever."""
    _ensured(desk)
    old = next(key for key in desk.keys.all() if key.alg == "ES256")
    desk.keys.rotate("ES256", by=BY)
    desk.clock.forward(2 * HOUR)
    assert desk.keys.rotate("EdDSA", by=BY).dropped == (old.kid,)
    assert old.kid not in {key.kid for key in desk.keys.all()}


def test_the_private_half_never_lies_open_in_the_database(desk):
    """Neither a key's row nor its entry says what it signs with."""
    key = _ensured(desk)[0]
    assert "d" not in key.public_jwk
    with pytest.raises(Exception, match="master key"):
        desk.secrets.open("signing key:another", key.sealed)


@pytest.mark.parametrize("alg", ["HS256", "none", "ES512", ""])
def test_an_algorithm_that_is_not_ours_is_refused(desk, alg):
    """The refusal names the ones that are."""
    with pytest.raises(Invalid, match="ES256, EdDSA, RS256"):
        desk.keys.rotate(alg, by=BY)
