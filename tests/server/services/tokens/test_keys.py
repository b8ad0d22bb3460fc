"""Signing keys: renewed without a moment in which a valid token cannot be verified."""

import pytest

from server.model.tokens import published
from server.services.refusals import Invalid, NotFound
from server.services.tokens.keys import ensure_keys
from tests.support.builders.clock import HOUR
from tests.support.builders.installation import BY


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
    """An agent's or a resource's tokens may live an hour, and a key set be cached for another."""
    _ensured(desk)
    old = next(key for key in desk.keys.all() if key.alg == "ES256")
    rotated = desk.keys.rotate("ES256", by=BY)
    states = {key.kid: (key.state, key.retires_at) for key in desk.keys.all()}
    assert states[rotated.key.kid] == ("active", None)
    assert states[old.kid] == ("retiring", desk.clock.now() + 2 * HOUR)
    assert [entry["facts"]["kid"] for entry in desk.entries("key.retired")] == [old.kid]


def test_a_retired_key_is_trusted_until_its_time_and_not_a_moment_longer(desk):
    """Whether somebody came to drop it or not."""
    _ensured(desk)
    old = next(key for key in desk.keys.all() if key.alg == "ES256")
    desk.keys.rotate("ES256", by=BY)
    over = desk.clock.now() + 2 * HOUR
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


def test_a_revoked_key_verifies_nothing_from_then_on(agent, local, person, resource):
    """Whatever it signed, for whomever; and another one signs at once."""
    token = agent.paid(person)
    (old,) = [key for key in local.desk.keys.all() if key.alg == "ES256"]
    revoked = local.desk.keys.revoke(old.kid, by=BY)
    assert resource.introspect(token).json == {"active": False}
    assert person.call("GET", "/api/me").refusal == (401, "invalid_token")
    assert old.kid not in {key["kid"] for key in local.send("GET", "/jwks").json["keys"]}
    new = agent.alone().json["access_token"]
    assert resource.introspect(new).json["active"] is True
    assert revoked.replaced_by in local.desk.keys.all()
    assert person.refresh().status == 200
    assert person.call("GET", "/api/me").status == 200
    (entry,) = local.desk.entries("key.revoked")
    assert entry["facts"] == {"kid": old.kid, "alg": "ES256", "was": "active"}


def test_a_retiring_key_is_revoked_without_another(desk):
    """The one that signs now is not concerned."""
    _ensured(desk)
    old = next(key for key in desk.keys.all() if key.alg == "ES256")
    new = desk.keys.rotate("ES256", by=BY).key
    assert desk.keys.revoke(old.kid, by=BY).replaced_by is None
    assert {key.kid for key in desk.keys.all() if key.alg == "ES256"} == {new.kid}


@pytest.mark.parametrize("alg", ["ES256", "EdDSA", "RS256"])
def test_each_algorithm_signs_on_after_a_revocation(desk, alg):
    """There is one key that signs for each, always."""
    _ensured(desk)
    old = next(key for key in desk.keys.all() if key.alg == alg)
    desk.keys.revoke(old.kid, by=BY)
    active = [key.kid for key in desk.keys.all() if key.alg == alg and key.state == "active"]
    assert len(active) == 1
    assert old.kid not in active


def test_a_key_that_is_not_there_cannot_be_revoked(desk):
    """Nor twice."""
    _ensured(desk)
    kid = desk.keys.all()[0].kid
    desk.keys.revoke(kid, by=BY)
    for name in (kid, "x"):
        with pytest.raises(NotFound, match="no key "):
            desk.keys.revoke(name, by=BY)
