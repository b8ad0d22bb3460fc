"""The enrollment grant: a code becomes a session that is bound to a key."""

import pytest

from approver_tui.client.jose import SigningKey, dpop_proof
from server.protocol.names import APPROVER_CLIENT
from server.services.users.users import NewUser
from tests.support.builders.callers import another_device, enroll, sign_in
from tests.support.builders.clock import MINUTE
from tests.support.builders.installation import BY
from tests.support.builders.site import ISSUER

REFUSED = (400, "invalid_grant")


@pytest.fixture
def code(local):
    """An enrollment code of a new user."""
    return local.admin.users.add(NewUser("ben"), by=BY)[1].code


@pytest.fixture
def prove(local):
    """Return a function that makes a current proof."""
    key = SigningKey.generate()

    def proof(**changes):
        members = {"method": "POST", "uri": f"{ISSUER}/token", "at": local.clock.now() // 1000}
        return dpop_proof(key, **{**members, **changes})

    return proof


def _wrong_secret(code):
    """Return the code with the same ID and a wrong secret."""
    return code[:-1] + ("0" if code[-1] != "0" else "1")


def test_a_code_yields_a_session_bound_to_the_key_of_the_proof(local):
    """RFC 9449 5: the tokens are for our own API."""
    user, issued = local.admin.users.add(NewUser("ben"), by=BY)
    terminal = sign_in(local, user, issued.code)
    claims = local.claims(terminal.access_token)
    assert (claims["sub"], claims["aud"], claims["client_id"]) == (
        user.id,
        f"{ISSUER}/api",
        APPROVER_CLIENT,
    )
    assert claims["cnf"] == {"jkt": terminal.session.thumbprint}
    assert claims["exp"] - claims["iat"] == 600
    assert terminal.refresh_token.startswith("sayso_rt_")
    assert terminal.call("GET", "/api/me").json["device"] is None
    (entry,) = [entry for entry in local.admin.entries("code.used") if entry["subject"] == user.id]
    assert entry["decision"] == "used"


def test_a_code_is_accepted_however_it_is_typed(local, code, prove):
    """Case and spaces do not matter, and the letters o and l count as digits."""
    typed = code.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert enroll(local, f"  {typed} ", prove()).status == 200


def test_reusing_a_code_is_refused_with_an_alarm(local, code, prove, person):
    """The alarm is an audit entry, a webhook message and an event for the user."""
    assert enroll(local, code, prove()).status == 200
    assert enroll(local, code, prove()).refusal == REFUSED
    (entry,) = local.admin.entries("code.reused")
    user, _ = local.admin.users.show("ben")
    assert (entry["subject"], entry["decision"]) == (user.id, "refused")
    assert local.admin.events(user) == ["alarm.code_reused"]
    assert "alarm.code_reused" not in local.admin.events(person.user)
    alarm = next(message for message in local.messages() if message["event"] == "alarm.code_reused")
    assert alarm["user"] == user.id


def test_five_wrong_secrets_invalidate_an_enrollment_code(local, code, prove):
    """After five wrong secrets, one audit entry is written and the correct code is refused."""
    for _ in range(4):
        assert enroll(local, _wrong_secret(code), prove()).refusal == REFUSED
    assert local.admin.entries("code.refused") == []
    for _ in range(2):
        assert enroll(local, _wrong_secret(code), prove()).refusal == REFUSED
    (entry,) = local.admin.entries("code.refused")
    assert entry["decision"] == "ended after wrong secrets"
    assert enroll(local, code, prove()).refusal == REFUSED
    assert local.admin.entries("code.reused") == []


def test_four_wrong_secrets_do_not_invalidate_a_code(local, code, prove):
    """A person can mistype a code up to four times."""
    for _ in range(4):
        enroll(local, _wrong_secret(code), prove())
    assert enroll(local, code, prove()).status == 200


@pytest.mark.parametrize(("later", "status"), [(15 * MINUTE - 1, 200), (15 * MINUTE, 400)])
def test_a_code_is_valid_for_fifteen_minutes(local, code, prove, later, status):
    """A code works until the last millisecond of its lifetime, and not afterwards."""
    local.clock.forward(later)
    assert enroll(local, code, prove()).status == status


def test_a_newer_code_ends_the_older_one(local, code, prove):
    """A user has at most one valid code."""
    local.admin.users.enroll("ben", by=BY)
    assert enroll(local, code, prove()).refusal == REFUSED


def test_disabling_the_user_ends_their_code(local, code, prove):
    """Enabling the user again does not restore the code."""
    local.admin.users.disable("ben", by=BY)
    assert enroll(local, code, prove()).refusal == REFUSED
    local.admin.users.enable("ben", by=BY)
    assert enroll(local, code, prove()).refusal == REFUSED


def test_the_state_of_the_user_is_checked_when_a_code_is_used(local, code, prove):
    """A disabled user is refused even if their code has not been ended."""
    user, _ = local.admin.users.show("ben")
    with local.services.store.write() as tx:
        tx.bump_admin_version()
        tx.users.replace(type(user)(**{**_members(user), "state": "disabled"}))
    assert enroll(local, code, prove()).refusal == REFUSED


def test_only_one_of_two_concurrent_uses_of_a_code_gets_a_session(local, code, prove, monkeypatch):
    """The conditional update determines the winner, not the earlier read."""
    with local.services.store.read() as view:
        session_rows = type(view.sessions)
    with local.services.store.write() as tx:
        code_rows = type(tx.codes)
    added = []
    monkeypatch.setattr(session_rows, "add", lambda _self, session: added.append(session))
    monkeypatch.setattr(code_rows, "use", lambda *_: False)
    assert enroll(local, code, prove()).refusal == REFUSED
    assert added == []


def test_guessing_codes_is_limited_per_address(local, code, prove):
    """After twenty unknown codes in ten minutes, only a correct code still works."""
    for number in range(20):
        guess = f"{number:08d}" + "0" * 24
        assert enroll(local, guess, prove()).refusal == REFUSED
    slowed = enroll(local, "9" * 32, prove())
    assert slowed.refusal == (503, "temporarily_unavailable")
    assert slowed.headers["Retry-After"] == "60"
    assert enroll(local, code, prove()).status == 200
    local.clock.forward(10 * MINUTE)
    assert enroll(local, "9" * 32, prove()).refusal == REFUSED


@pytest.mark.parametrize("text", ["short", "U" * 32, "0" * 31, "0" * 33, "é" * 32])
def test_an_impossible_code_is_refused_like_a_wrong_one(local, prove, text):
    """A malformed code gets the same error as a wrong one, which says to get a new code."""
    answer = enroll(local, text, prove())
    assert answer.refusal == REFUSED
    assert "Get a new one." in answer.json["error_description"]


def test_the_code_is_required(local, prove):
    """A request without the code is invalid."""
    assert enroll(local, None, prove()).refusal == (400, "invalid_request")


def test_another_client_id_is_refused(local, code, prove):
    """Only the approver app can use this grant; the code stays valid."""
    assert enroll(local, code, prove(), client_id="other").refusal == (401, "invalid_client")
    assert enroll(local, code, prove()).status == 200


def test_an_invalid_proof_is_refused(local, code, prove):
    """No proof, two proofs or a wrong or old proof is refused; the code stays valid."""
    now = local.clock.now() // 1000
    for proofs in (
        (),
        (prove(), prove()),
        (prove(method="GET"),),
        (prove(uri=f"{ISSUER}/api/me"),),
        (prove(at=now - 60),),
        ("no.jwt.here",),
    ):
        assert enroll(local, code, *proofs).refusal == (400, "invalid_dpop_proof")
    assert enroll(local, code, prove(uri="http://127.0.0.1:8470/token")).status == 200


def test_a_proof_is_used_once(local, code, prove, person):
    """A proof that was used with a different code is refused, even if that code was wrong."""
    proof = prove()
    assert enroll(local, _wrong_secret(code), proof).refusal == REFUSED
    replayed = enroll(local, code, proof)
    assert replayed.refusal == (400, "invalid_dpop_proof")
    assert "already used" in replayed.json["error_description"]
    assert another_device(person).device.name == "desktop"


def _members(record):
    return {name: getattr(record, name) for name in record.__dataclass_fields__}
