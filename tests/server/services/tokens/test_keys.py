"""Signing keys: no valid token fails because other keys were rotated or revoked."""

import pytest

from server.model.tokens import published
from server.services.refusals import Invalid, NotFound
from server.services.tokens.keys import ensure_keys
from tests.support.builders.clock import HOUR
from tests.support.builders.installation import BY


def _ensure(admin_services):
    with admin_services.store.write() as tx:
        return ensure_keys(tx, admin_services.keys.signer)


def test_missing_keys_are_created_once(admin_services):
    """A second start creates no keys and does not change the version."""
    assert len(_ensure(admin_services)) == 3
    version = admin_services.version()
    assert _ensure(admin_services) == []
    assert admin_services.version() == version


def test_a_rotated_key_stays_published_until_its_tokens_expired(admin_services):
    """A replaced key stays for an hour for its tokens, and an hour more for cached key sets."""
    _ensure(admin_services)
    old = next(key for key in admin_services.keys.all() if key.alg == "ES256")
    rotated = admin_services.keys.rotate("ES256", by=BY)
    states = {key.kid: (key.state, key.retires_at) for key in admin_services.keys.all()}
    assert states[rotated.key.kid] == ("active", None)
    assert states[old.kid] == ("retiring", admin_services.clock.now() + 2 * HOUR)
    assert [entry["facts"]["kid"] for entry in admin_services.entries("key.retired")] == [old.kid]


def test_a_retiring_key_is_published_until_exactly_its_expiry(admin_services):
    """The key is published until that millisecond, even if it is deleted only later."""
    _ensure(admin_services)
    old = next(key for key in admin_services.keys.all() if key.alg == "ES256")
    admin_services.keys.rotate("ES256", by=BY)
    end = admin_services.clock.now() + 2 * HOUR
    before, after = (published(admin_services.keys.all(), moment) for moment in (end - 1, end))
    assert {key.kid for key in before} - {key.kid for key in after} == {old.kid}


def test_a_rotation_keeps_the_keys_of_other_algorithms(admin_services):
    """The keys of other algorithms stay active."""
    _ensure(admin_services)
    before = {key.kid for key in admin_services.keys.all() if key.alg != "ES256"}
    admin_services.keys.rotate("ES256", by=BY)
    assert {
        key.kid for key in admin_services.keys.all() if key.alg != "ES256" and key.state == "active"
    } == before


def test_an_ended_key_is_deleted_at_the_next_rotation(admin_services):
    """Expired keys are deleted, so that the set of published keys does not grow."""
    _ensure(admin_services)
    old = next(key for key in admin_services.keys.all() if key.alg == "ES256")
    admin_services.keys.rotate("ES256", by=BY)
    admin_services.clock.forward(2 * HOUR)
    assert admin_services.keys.rotate("EdDSA", by=BY).dropped == (old.kid,)
    assert old.kid not in {key.kid for key in admin_services.keys.all()}


def test_private_keys_are_sealed_in_the_database(admin_services):
    """A private key can be opened only with the master key and its own label."""
    key = _ensure(admin_services)[0]
    assert "d" not in key.public_jwk
    with pytest.raises(Exception, match="master key"):
        admin_services.secrets.open("signing key:another", key.sealed)


@pytest.mark.parametrize("alg", ["HS256", "none", "ES512", ""])
def test_an_unsupported_algorithm_is_refused(admin_services, alg):
    """The error names the supported algorithms."""
    with pytest.raises(Invalid, match="ES256, EdDSA, RS256"):
        admin_services.keys.rotate(alg, by=BY)


def test_a_revoked_key_does_not_verify_tokens(agent, local, person, resource):
    """The tokens of a revoked key fail immediately, and a new key signs new tokens."""
    token = agent.paid(person)
    (old,) = [key for key in local.admin.keys.all() if key.alg == "ES256"]
    revoked = local.admin.keys.revoke(old.kid, by=BY)
    assert resource.introspect(token).json == {"active": False}
    assert person.call("GET", "/api/me").refusal == (401, "invalid_token")
    assert old.kid not in {key["kid"] for key in local.send("GET", "/jwks").json["keys"]}
    new_token = agent.alone().json["access_token"]
    assert resource.introspect(new_token).json["active"] is True
    assert revoked.replaced_by in local.admin.keys.all()
    assert person.refresh().status == 200
    assert person.call("GET", "/api/me").status == 200
    (entry,) = local.admin.entries("key.revoked")
    assert entry["facts"] == {"kid": old.kid, "alg": "ES256", "was": "active"}


def test_revoking_a_retiring_key_creates_no_new_key(admin_services):
    """Revoking a retiring key does not affect the active key."""
    _ensure(admin_services)
    old = next(key for key in admin_services.keys.all() if key.alg == "ES256")
    new = admin_services.keys.rotate("ES256", by=BY).key
    assert admin_services.keys.revoke(old.kid, by=BY).replaced_by is None
    assert {key.kid for key in admin_services.keys.all() if key.alg == "ES256"} == {new.kid}


@pytest.mark.parametrize("alg", ["ES256", "EdDSA", "RS256"])
def test_after_a_revocation_each_algorithm_has_one_active_key(admin_services, alg):
    """The active key is not the revoked one."""
    _ensure(admin_services)
    old = next(key for key in admin_services.keys.all() if key.alg == alg)
    admin_services.keys.revoke(old.kid, by=BY)
    active = [
        key.kid for key in admin_services.keys.all() if key.alg == alg and key.state == "active"
    ]
    assert len(active) == 1
    assert old.kid not in active


def test_an_unknown_key_cannot_be_revoked(admin_services):
    """An unknown key, or one that was already revoked, is not found."""
    _ensure(admin_services)
    kid = admin_services.keys.all()[0].kid
    admin_services.keys.revoke(kid, by=BY)
    for name in (kid, "x"):
        with pytest.raises(NotFound, match="no key "):
            admin_services.keys.revoke(name, by=BY)
