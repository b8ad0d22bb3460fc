"""Device enrollment: a code is used once, a session has one key, and misuse raises an alarm."""

import secrets as chance
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from approver_tui.client.devices.enrolling import ENROLLMENT
from approver_tui.client.errors import ApiError, LoginFirst
from approver_tui.client.jose import SigningKey, dpop_proof
from approver_tui.client.sign_in import tokens
from approver_tui.client.sign_in.tokens import Tokens
from approver_tui.client.transport import Transport
from server.services.devices.enrollment import MAX_ATTEMPTS, UNKNOWN_CODES
from server.services.users.enrollment_codes import LIFETIME_MS
from server.services.users.users import Users
from tests.support.builders.clock import DAY, MINUTE, SECOND
from tests.support.checks.log_and_rows import entries
from tests.support.clients.feed_frames import open_feed
from tests.support.clients.terminal import Terminal, terminal
from tests.support.servers.server import BY, LiveServer

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@contextmanager
def _unenrolled(server: LiveServer) -> Iterator[Transport]:
    """Yields the transport of a program that has its own key and no session."""
    transport = Transport(server.url, SigningKey.generate(), clock=server.clock.now)
    try:
        yield transport
    finally:
        transport.close()


def _use(server: LiveServer, code: str) -> Tokens:
    """Sends a code to the token endpoint, with a new key."""
    with _unenrolled(server) as transport:
        return transport.tokens({"grant_type": ENROLLMENT, "code": code})


def _refusal_of(server: LiveServer, code: str) -> ApiError:
    """Sends a code that must be refused, and returns the error."""
    with pytest.raises(ApiError) as refused:
        _use(server, code)
    return refused.value


def _with_wrong_secret(code: str) -> str:
    """Returns the code with a different last character."""
    return code[:-1] + ALPHABET[(ALPHABET.index(code[-1]) + 1) % len(ALPHABET)]


def _random_code() -> str:
    return "".join(chance.choice(ALPHABET) for _ in range(32))


def _users(server: LiveServer) -> Users:
    return Users(server.services.store, server.services.secrets)


def test_a_code_works_however_it_is_typed(server: LiveServer) -> None:
    """A code may be typed in lower case, with spaces, and with o for 0 and l for 1."""
    _, code = server.user()
    typed = code.lower().replace("-", " ").replace("0", "o").replace("1", "l")

    assert _use(server, typed).access_token


def test_a_second_use_of_a_code_is_refused_and_raises_an_alarm(
    server: LiveServer, person: Terminal
) -> None:
    """The second use creates no device. All of the user's screens and the log report it."""
    _, issued = _users(server).enroll(person.user, by=BY)
    second = terminal(server, person.user, issued.code, name="phone")
    with open_feed(person) as own_feed, open_feed(second) as other_feed:
        error = _refusal_of(server, issued.code)
        own_feed.event("alarm.code_reused")
        other_feed.event("alarm.code_reused")
    second.client.close()
    user = person.client.profile.user_id

    assert (error.status, error.code) == (400, "invalid_grant")
    assert len(entries(server, "code.reused", subject=user)) == 1
    assert len(person.client.devices()) == 2


def test_five_wrong_secrets_end_a_code(server: LiveServer) -> None:
    """After five wrong attempts the right code is refused too, and the log has one entry."""
    name, code = server.user()
    for _ in range(MAX_ATTEMPTS):
        assert _refusal_of(server, _with_wrong_secret(code)).code == "invalid_grant"
    user, devices = _users(server).show(name)

    assert _refusal_of(server, code).code == "invalid_grant"
    assert len(entries(server, "code.refused", subject=user.id)) == 1
    assert devices == []


def test_four_wrong_secrets_do_not_end_a_code(server: LiveServer) -> None:
    """Users mistype, so a code still works after four wrong attempts."""
    _, code = server.user()
    for _ in range(MAX_ATTEMPTS - 1):
        _refusal_of(server, _with_wrong_secret(code))

    assert _use(server, code).access_token


def test_a_code_expires_after_a_quarter_of_an_hour(server: LiveServer) -> None:
    """A code works half a minute before its expiry and is refused after it."""
    _, good = server.user()
    _, late = server.user()
    server.clock.forward(LIFETIME_MS - 30 * SECOND)
    assert _use(server, good).access_token
    server.clock.forward(30 * SECOND)

    assert _refusal_of(server, late).code == "invalid_grant"


def test_a_new_code_replaces_the_unused_one(server: LiveServer) -> None:
    """Only a user's newest code is valid."""
    name, first = server.user()
    _, second = _users(server).enroll(name, by=BY)

    assert _refusal_of(server, first).code == "invalid_grant"
    assert _use(server, second.code).access_token


def test_a_disabled_user_cannot_enroll_a_device(server: LiveServer) -> None:
    """Disabling a user revokes their code, which stays invalid when the user is enabled again."""
    name, code = server.user()
    _users(server).disable(name, by=BY)
    while_disabled = _refusal_of(server, code)
    _users(server).enable(name, by=BY)

    assert while_disabled.code == "invalid_grant"
    assert _refusal_of(server, code).code == "invalid_grant"


def test_all_refusals_of_a_code_have_the_same_text(server: LiveServer) -> None:
    """A guesser cannot tell whether a code is unknown, wrong, used or malformed."""
    _, used_code = server.user()
    _use(server, used_code)
    _, code = server.user()
    texts = {
        str(_refusal_of(server, bad))
        for bad in (used_code, _with_wrong_secret(code), _random_code(), "1-2-3")
    }

    assert len(texts) == 1


def test_unknown_codes_slow_down_only_their_sender(server: LiveServer) -> None:
    """After twenty unknown codes the sender must wait a minute. A valid code never waits."""
    _, code = server.user()
    server.clock.forward(10 * MINUTE)  # guesses of other tests no longer count
    for _ in range(UNKNOWN_CODES.value):
        assert _refusal_of(server, _random_code()).code == "invalid_grant"
    slowed = _refusal_of(server, _random_code())

    assert (slowed.status, slowed.code) == (503, "temporarily_unavailable")
    assert slowed.members["retry_after"] == "60"
    assert _use(server, code).access_token
    server.clock.forward(10 * MINUTE)
    assert _refusal_of(server, _random_code()).code == "invalid_grant"


@pytest.mark.parametrize("client_id", ["", "sayso-something", "sayso_ag_aaaaaaaaaaaaaaaa"])
def test_only_the_terminal_app_enrolls(server: LiveServer, client_id: str) -> None:
    """A request with a different client ID is refused, and the code stays valid."""
    _, code = server.user()
    form = {"grant_type": ENROLLMENT, "code": code, "client_id": client_id}
    with _unenrolled(server) as transport, pytest.raises(ApiError):
        transport.tokens(form)

    assert _use(server, code).access_token


def test_a_code_needs_a_proof_of_the_key(server: LiveServer) -> None:
    """A missing, doubled, invalid or misdirected proof is refused, and the code stays valid."""
    _, code = server.user()
    form = {"grant_type": ENROLLMENT, "code": code, "client_id": "sayso-approver"}
    with server.client() as http, _unenrolled(server) as transport:
        good = transport.proof("POST", "/token")
        misdirected_proof = transport.proof("POST", "/bc-authorize")
        headers = [
            [],
            [("DPoP", good), ("DPoP", good)],
            [("DPoP", misdirected_proof)],
            [("DPoP", "x.y.z")],
        ]
        answers = [
            http.post("/token", data=form, headers=proof_headers) for proof_headers in headers
        ]

    assert {a.status_code for a in answers} == {400}
    assert {a.json()["error"] for a in answers} == {"invalid_dpop_proof"}
    assert _use(server, code).access_token


def test_a_session_registers_one_device(server: LiveServer, person: Terminal) -> None:
    """A second registration gets 409, and the device keeps its keys."""
    before = person.client.me().device
    keys = {"low": SigningKey.generate().jwk, "high": SigningKey.generate().jwk}
    with pytest.raises(ApiError) as refused:
        person.client.session.post("/api/devices", {"name": "again", "approval_keys": keys})

    assert (refused.value.status, refused.value.code) == (409, "already_enrolled")
    assert person.client.me().device == before
    assert len(_users(server).show(person.user)[1]) == 1


def test_a_session_without_a_device_cannot_decide(server: LiveServer) -> None:
    """A session that has not registered a device gets 403 for a PIN call."""
    _, code = server.user()
    with _unenrolled(server) as transport, server.client() as http:
        token = transport.tokens({"grant_type": ENROLLMENT, "code": code}).access_token
        path = "/api/devices/self/pin"
        headers = {"Authorization": f"DPoP {token}", "DPoP": transport.proof("POST", path, token)}
        answer = http.post(path, json={"x": "A" * 43, "for": "session"}, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


def test_refreshing_rotates_the_refresh_token(server: LiveServer, person: Terminal) -> None:
    """Each refresh returns a new refresh token, and a session that is used outlives thirty days."""
    first = _stored_tokens(person)
    second = _refresh(person, first.refresh_token)
    server.clock.forward(20 * DAY)
    third = _refresh(person, second.refresh_token)
    server.clock.forward(20 * DAY)
    fourth = _refresh(person, third.refresh_token)
    refresh_tokens = {t.refresh_token for t in (first, second, third, fourth)}

    assert len(refresh_tokens) == 4


def test_a_session_unused_for_thirty_days_expires(server: LiveServer, person: Terminal) -> None:
    """The refresh token of an unused session is refused, without an alarm about reuse."""
    stored = _stored_tokens(person)
    server.clock.forward(31 * DAY)
    with pytest.raises(ApiError) as refused:
        _refresh(person, stored.refresh_token)

    assert refused.value.code == "invalid_grant"
    assert entries(server, "refresh.reused", subject=person.client.profile.user_id) == []


def test_a_lost_refresh_answer_can_be_requested_again(server: LiveServer, person: Terminal) -> None:
    """NG-089: the previous refresh token works for one more minute, without an alarm."""
    old = _stored_tokens(person).refresh_token
    lost = _refresh(person, old)
    server.clock.forward(50 * SECOND)
    second = _refresh(person, old)
    third = _refresh(person, second.refresh_token)

    assert lost.refresh_token != second.refresh_token != third.refresh_token
    assert entries(server, "refresh.reused", subject=person.client.profile.user_id) == []


def test_an_old_refresh_token_revokes_the_session_with_an_alarm(
    server: LiveServer, person: Terminal
) -> None:
    """The token was copied, so both holders are signed out; the user's other screen is notified."""
    _, issued = _users(server).enroll(person.user, by=BY)
    other = terminal(server, person.user, issued.code, name="phone")
    old = _stored_tokens(person).refresh_token
    new = _refresh(person, old)
    server.clock.forward(61 * SECOND)
    with open_feed(other) as line:
        with pytest.raises(ApiError) as refusal:
            _refresh(person, old)
        line.event("alarm.refresh_reused")
    with pytest.raises(ApiError) as owner:
        _refresh(person, new.refresh_token)
    with pytest.raises(LoginFirst):
        person.client.me()
    other.client.close()

    assert refusal.value.code == owner.value.code == "invalid_grant"
    assert len(entries(server, "refresh.reused", subject=person.client.profile.user_id)) == 1


def test_a_refresh_token_is_invalid_without_its_key(server: LiveServer, person: Terminal) -> None:
    """DP-35, NG-086: a refresh with a different key is refused, and the session continues."""
    stored = _stored_tokens(person)
    form = {"grant_type": "refresh_token", "refresh_token": stored.refresh_token}
    with _unenrolled(server) as transport, pytest.raises(ApiError) as refused:
        transport.tokens(form)

    assert refused.value.code == "invalid_dpop_proof"
    assert _refresh(person, stored.refresh_token).access_token


def test_an_access_token_is_invalid_without_its_key(server: LiveServer, person: Terminal) -> None:
    """A missing proof, or one that does not fit key, method, URL and token, gets 401."""
    token = person.client.session.tokens.access_token()
    own = person.client.session.transport.proof
    with _unenrolled(server) as transport, server.client() as http:
        attempts = [
            {"Authorization": f"DPoP {token}", "DPoP": transport.proof("GET", "/api/me", token)},
            {"Authorization": f"DPoP {token}"},
            {"Authorization": f"Bearer {token}", "DPoP": own("GET", "/api/me", token)},
            {"Authorization": f"DPoP {token}", "DPoP": own("POST", "/api/me", token)},
            {"Authorization": f"DPoP {token}", "DPoP": own("GET", "/api/devices", token)},
            {"Authorization": f"DPoP {token}", "DPoP": own("GET", "/api/me", token + "x")},
            {"Authorization": f"DPoP {token}", "DPoP": own("GET", "/api/me")},
        ]
        answers = [http.get("/api/me", headers=headers) for headers in attempts]

    assert {answer.status_code for answer in answers} == {401}
    assert all(answer.headers["www-authenticate"].startswith("DPoP ") for answer in answers)


def test_a_proof_is_accepted_once(server: LiveServer, person: Terminal) -> None:
    """The API and the token endpoint refuse a proof that was used before."""
    transport = person.client.session.transport
    stored = _stored_tokens(person)
    api = {
        "Authorization": f"DPoP {stored.access_token}",
        "DPoP": transport.proof("GET", "/api/me", stored.access_token),
    }
    form = {
        "grant_type": "refresh_token",
        "refresh_token": stored.refresh_token,
        "client_id": "sayso-approver",
    }
    grant = {"DPoP": transport.proof("POST", "/token")}
    with server.client() as http:
        read = [http.get("/api/me", headers=api) for _ in range(2)]
        first = http.post("/token", data=form, headers=grant)
        again = {**form, "refresh_token": first.json()["refresh_token"]}
        second = http.post("/token", data=again, headers=grant)

    assert [answer.status_code for answer in read] == [200, 401]
    assert read[1].json()["code"] == "invalid_dpop_proof"
    assert first.status_code == 200
    assert (second.status_code, second.json()["error"]) == (400, "invalid_dpop_proof")


@pytest.mark.parametrize("seconds", [-61, 60])
def test_a_proof_must_be_current(server: LiveServer, person: Terminal, seconds: int) -> None:
    """A proof from 61 seconds ago or from the future is refused, so nobody can store one."""
    session = person.client.session
    token = session.tokens.access_token()
    proof = dpop_proof(
        session.key,
        method="GET",
        uri=f"{server.url}/api/me",
        at=server.clock.now() // 1000 + seconds,
        access_token=token,
    )
    headers = {"Authorization": f"DPoP {token}", "DPoP": proof}
    with server.client() as http:
        answer = http.get("/api/me", headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_dpop_proof")


def _stored_tokens(person: Terminal) -> Tokens:
    """Returns the tokens that the terminal has stored."""
    return tokens.load(person.client.session.tokens._vault)


def _refresh(person: Terminal, refresh_token: str) -> Tokens:
    """Uses a refresh token with the terminal's key, and stores nothing."""
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    return person.client.session.transport.tokens(form)
