"""Device enrollment: codes used once, sessions bound to a key, and alarms otherwise."""

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
from tests.support.clients.feed_frames import greeted
from tests.support.clients.terminal import Terminal, terminal
from tests.support.servers.server import BY, LiveServer

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@contextmanager
def _unenrolled(server: LiveServer) -> Iterator[Transport]:
    """A program with a key of its own and no session."""
    transport = Transport(server.url, SigningKey.generate(), clock=server.clock.now)
    try:
        yield transport
    finally:
        transport.close()


def _use(server: LiveServer, code: str) -> Tokens:
    """Sends a code to the token endpoint, with a new key."""
    with _unenrolled(server) as transport:
        return transport.tokens({"grant_type": ENROLLMENT, "code": code})


def _refused(server: LiveServer, code: str) -> ApiError:
    """Sends a code that must be refused."""
    with pytest.raises(ApiError) as refused:
        _use(server, code)
    return refused.value


def _wrong(code: str) -> str:
    """The same code with another last character."""
    return code[:-1] + ALPHABET[(ALPHABET.index(code[-1]) + 1) % len(ALPHABET)]


def _unknown() -> str:
    return "".join(chance.choice(ALPHABET) for _ in range(32))


def _users(server: LiveServer) -> Users:
    return Users(server.services.store, server.services.secrets)


def test_a_code_works_however_it_is_typed(server: LiveServer) -> None:
    """Lower case, spaces, and letters mistaken for digits."""
    _, code = server.user()
    typed = code.lower().replace("-", " ").replace("0", "o").replace("1", "l")

    assert _use(server, typed).access_token


def test_a_second_use_of_a_code_is_refused_and_raises_an_alarm(
    server: LiveServer, person: Terminal
) -> None:
    """The second user gets nothing; the user's screens and the log report it."""
    _, issued = _users(server).enroll(person.user, by=BY)
    second = terminal(server, person.user, issued.code, name="phone")
    with greeted(person) as mine, greeted(second) as theirs:
        error = _refused(server, issued.code)
        mine.event("alarm.code_reused")
        theirs.event("alarm.code_reused")
    second.client.close()
    user = person.client.profile.user_id

    assert (error.status, error.code) == (400, "invalid_grant")
    assert len(entries(server, "code.reused", subject=user)) == 1
    assert len(person.client.devices()) == 2


def test_five_wrong_secrets_end_a_code(server: LiveServer) -> None:
    """Afterwards the right secret fails too; one log entry."""
    name, code = server.user()
    for _ in range(MAX_ATTEMPTS):
        assert _refused(server, _wrong(code)).code == "invalid_grant"
    user, devices = _users(server).show(name)

    assert _refused(server, code).code == "invalid_grant"
    assert len(entries(server, "code.refused", subject=user.id)) == 1
    assert devices == []


def test_four_wrong_secrets_do_not_end_a_code(server: LiveServer) -> None:
    """Users mistype."""
    _, code = server.user()
    for _ in range(MAX_ATTEMPTS - 1):
        _refused(server, _wrong(code))

    assert _use(server, code).access_token


def test_a_code_expires_after_a_quarter_of_an_hour(server: LiveServer) -> None:
    """It works until then."""
    _, good = server.user()
    _, late = server.user()
    server.clock.forward(LIFETIME_MS - 30 * SECOND)
    assert _use(server, good).access_token
    server.clock.forward(30 * SECOND)

    assert _refused(server, late).code == "invalid_grant"


def test_a_new_code_ends_the_unused_one_before_it(server: LiveServer) -> None:
    """Only one is valid at a time."""
    name, first = server.user()
    _, second = _users(server).enroll(name, by=BY)

    assert _refused(server, first).code == "invalid_grant"
    assert _use(server, second.code).access_token


def test_a_disabled_user_enrolls_no_device(server: LiveServer) -> None:
    """Earlier codes end too, and stay so when the user is enabled again."""
    name, code = server.user()
    _users(server).disable(name, by=BY)
    while_disabled = _refused(server, code)
    _users(server).enable(name, by=BY)

    assert while_disabled.code == "invalid_grant"
    assert _refused(server, code).code == "invalid_grant"


def test_all_refusals_of_a_code_are_equal(server: LiveServer) -> None:
    """Unknown, wrong, used, expired: a guesser cannot distinguish them."""
    _, used = server.user()
    _use(server, used)
    _, code = server.user()
    texts = {str(_refused(server, bad)) for bad in (used, _wrong(code), _unknown(), "1-2-3")}

    assert len(texts) == 1


def test_unknown_codes_slow_only_their_sender_for_a_while(server: LiveServer) -> None:
    """Twenty are free; then guesses must wait, with Retry-After. A valid code never waits."""
    _, code = server.user()
    server.clock.forward(10 * MINUTE)  # whatever other tests have guessed is over
    for _ in range(UNKNOWN_CODES.value):
        assert _refused(server, _unknown()).code == "invalid_grant"
    slowed = _refused(server, _unknown())

    assert (slowed.status, slowed.code) == (503, "temporarily_unavailable")
    assert slowed.members["retry_after"] == "60"
    assert _use(server, code).access_token
    server.clock.forward(10 * MINUTE)
    assert _refused(server, _unknown()).code == "invalid_grant"


@pytest.mark.parametrize("client_id", ["", "sayso-something", "sayso_ag_aaaaaaaaaaaaaaaa"])
def test_only_the_terminal_app_enrolls(server: LiveServer, client_id: str) -> None:
    """Another client id is refused, and the code stays valid."""
    _, code = server.user()
    form = {"grant_type": ENROLLMENT, "code": code, "client_id": client_id}
    with _unenrolled(server) as transport, pytest.raises(ApiError):
        transport.tokens(form)

    assert _use(server, code).access_token


def test_a_code_needs_a_proof_of_the_key(server: LiveServer) -> None:
    """No proof, two proofs and one for another URL are refused, and the code stays valid."""
    _, code = server.user()
    form = {"grant_type": ENROLLMENT, "code": code, "client_id": "sayso-approver"}
    with server.client() as http, _unenrolled(server) as transport:
        good = transport.proof("POST", "/token")
        elsewhere = transport.proof("POST", "/bc-authorize")
        headers = [[], [("DPoP", good), ("DPoP", good)], [("DPoP", elsewhere)], [("DPoP", "x.y.z")]]
        answers = [http.post("/token", data=form, headers=sent) for sent in headers]

    assert {a.status_code for a in answers} == {400}
    assert {a.json()["error"] for a in answers} == {"invalid_dpop_proof"}
    assert _use(server, code).access_token


def test_a_session_registers_one_device(server: LiveServer, person: Terminal) -> None:
    """409 for a second one; the keys of the first stay."""
    before = person.client.me().device
    keys = {"low": SigningKey.generate().jwk, "high": SigningKey.generate().jwk}
    with pytest.raises(ApiError) as refused:
        person.client.session.post("/api/devices", {"name": "again", "approval_keys": keys})

    assert (refused.value.status, refused.value.code) == (409, "already_enrolled")
    assert person.client.me().device == before
    assert len(_users(server).show(person.user)[1]) == 1


def test_a_session_without_a_device_decides_nothing(server: LiveServer) -> None:
    """A code alone can read; everything else requires a registered device."""
    _, code = server.user()
    with _unenrolled(server) as transport, server.client() as http:
        token = transport.tokens({"grant_type": ENROLLMENT, "code": code}).access_token
        path = "/api/devices/self/pin"
        headers = {"Authorization": f"DPoP {token}", "DPoP": transport.proof("POST", path, token)}
        answer = http.post(path, json={"x": "A" * 43, "for": "session"}, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


def test_refreshing_rotates_both_tokens(server: LiveServer, person: Terminal) -> None:
    """Each answer has a new pair; a used session outlives thirty days."""
    first = _kept(person)
    second = _refresh(person, first.refresh_token)
    server.clock.forward(20 * DAY)
    third = _refresh(person, second.refresh_token)
    server.clock.forward(20 * DAY)
    fourth = _refresh(person, third.refresh_token)
    refresh_tokens = {t.refresh_token for t in (first, second, third, fourth)}

    assert len(refresh_tokens) == 4


def test_a_session_unused_for_thirty_days_ends(server: LiveServer, person: Terminal) -> None:
    """The end raises no alarm."""
    kept = _kept(person)
    server.clock.forward(31 * DAY)
    with pytest.raises(ApiError) as refused:
        _refresh(person, kept.refresh_token)

    assert refused.value.code == "invalid_grant"
    assert entries(server, "refresh.reused", subject=person.client.profile.user_id) == []


def test_a_lost_refresh_answer_can_be_requested_again(server: LiveServer, person: Terminal) -> None:
    """The previous token works for one more minute, and the session continues.

    NG-089.
    """
    old = _kept(person).refresh_token
    lost = _refresh(person, old)
    server.clock.forward(50 * SECOND)
    second = _refresh(person, old)
    third = _refresh(person, second.refresh_token)

    assert lost.refresh_token != second.refresh_token != third.refresh_token
    assert entries(server, "refresh.reused", subject=person.client.profile.user_id) == []


def test_an_old_refresh_token_ends_the_session_with_an_alarm(
    server: LiveServer, person: Terminal
) -> None:
    """It was copied: thief and owner are signed out, and all screens are informed."""
    _, issued = _users(server).enroll(person.user, by=BY)
    other = terminal(server, person.user, issued.code, name="phone")
    old = _kept(person).refresh_token
    new = _refresh(person, old)
    server.clock.forward(61 * SECOND)
    with greeted(other) as line:
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
    """DP-35, NG-086: refused, and the owner's session continues."""
    kept = _kept(person)
    form = {"grant_type": "refresh_token", "refresh_token": kept.refresh_token}
    with _unenrolled(server) as transport, pytest.raises(ApiError) as refused:
        transport.tokens(form)

    assert refused.value.code == "invalid_dpop_proof"
    assert _refresh(person, kept.refresh_token).access_token


def test_an_access_token_is_invalid_without_its_key(server: LiveServer, person: Terminal) -> None:
    """Another key, no proof, or the token as a bearer token: 401 with a challenge."""
    token = person.client.session.tokens.access_token()
    own = person.client.session.transport.proof
    with _unenrolled(server) as transport, server.client() as http:
        tries = [
            {"Authorization": f"DPoP {token}", "DPoP": transport.proof("GET", "/api/me", token)},
            {"Authorization": f"DPoP {token}"},
            {"Authorization": f"Bearer {token}", "DPoP": own("GET", "/api/me", token)},
            {"Authorization": f"DPoP {token}", "DPoP": own("POST", "/api/me", token)},
            {"Authorization": f"DPoP {token}", "DPoP": own("GET", "/api/devices", token)},
            {"Authorization": f"DPoP {token}", "DPoP": own("GET", "/api/me", token + "x")},
            {"Authorization": f"DPoP {token}", "DPoP": own("GET", "/api/me")},
        ]
        answers = [http.get("/api/me", headers=headers) for headers in tries]

    assert {answer.status_code for answer in answers} == {401}
    assert all(answer.headers["www-authenticate"].startswith("DPoP ") for answer in answers)


def test_a_proof_is_accepted_once(server: LiveServer, person: Terminal) -> None:
    """A replay is refused, at the API and at the token endpoint."""
    transport = person.client.session.transport
    kept = _kept(person)
    api = {
        "Authorization": f"DPoP {kept.access_token}",
        "DPoP": transport.proof("GET", "/api/me", kept.access_token),
    }
    form = {
        "grant_type": "refresh_token",
        "refresh_token": kept.refresh_token,
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
    """Too old or from the future is refused, so none can be stored."""
    session = person.client.session
    token = session.tokens.access_token()
    made = dpop_proof(
        session.key,
        method="GET",
        uri=f"{server.url}/api/me",
        at=server.clock.now() // 1000 + seconds,
        access_token=token,
    )
    headers = {"Authorization": f"DPoP {token}", "DPoP": made}
    with server.client() as http:
        answer = http.get("/api/me", headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_dpop_proof")


def _kept(person: Terminal) -> Tokens:
    """The tokens stored by the terminal."""
    return tokens.load(person.client.session.tokens._vault)


def _refresh(person: Terminal, refresh_token: str) -> Tokens:
    """Uses a refresh token with the terminal's key, and stores nothing."""
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    return person.client.session.transport.tokens(form)
