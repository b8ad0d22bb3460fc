"""The PIN and the keys that it unlocks: attempts are counted, and each action needs its key."""

import pytest

from approver_tui.client.devices.keys import KeyLevel
from approver_tui.client.devices.unlocking import SESSION_PURPOSE, confirm_pin, open_key
from approver_tui.client.errors import ApiError, DeviceLocked, WrongPin
from approver_tui.client.jose import SigningKey
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.devices.devices import PinState
from server.model.devices import MAX_ATTEMPTS
from server.services.devices.devices import MAX_UNCONFIRMED
from server.services.devices.statements import PIN_FRESH_MS
from server.services.users.users import Users
from tests.support.builders.clock import SECOND
from tests.support.checks.log_and_rows import entries, state
from tests.support.clients.agent import Agent
from tests.support.clients.terminal import PIN, Terminal, terminal
from tests.support.inputs.signing import approval_key, decision, pin_statement
from tests.support.servers.server import BY, LiveServer

WRONG = "not-the-pin"


def _pin(person: Terminal) -> PinState:
    """Returns the counter of PIN attempts as the server shows it."""
    device = person.client.me().device
    assert device is not None
    return device.pin


def _call_pin_without_proof(person: Terminal, times: int = 1) -> None:
    """Makes PIN calls that do not prove that the PIN is right."""
    for _ in range(times):
        person.client.pin(b"\0" * 32, "session")


def _get_pending(person: Terminal) -> Approval:
    """Returns the one pending request, with the nonce for a decision."""
    return person.client.approval(person.only_request().id)


def _refusal_of(person: Terminal, approval: Approval, signed: str) -> ApiError:
    """Sends a decision that must be refused, and returns the error."""
    with pytest.raises(ApiError) as refused:
        person.client.decide(approval.id, signed)
    return refused.value


def test_wrong_pins_are_counted_and_shown(person: Terminal) -> None:
    """The server counts an attempt before it answers, and the device shows the attempts left."""
    for attempts_used in (1, 2, 3):
        with pytest.raises(WrongPin) as wrong:
            person.decider.unlock(WRONG)
        assert (wrong.value.tries, wrong.value.left) == (
            attempts_used,
            MAX_ATTEMPTS - attempts_used,
        )

    assert _pin(person) == PinState(tries=3, left=7, locked=False, exhausted=False)


def test_an_approval_with_the_pin_resets_the_attempts(agent: Agent, person: Terminal) -> None:
    """The approval is signed over the server's nonce by a key that the PIN opens, as proof."""
    _call_pin_without_proof(person, 3)
    agent.request_approval(person.user)
    person.approve(person.only_request())

    assert _pin(person).tries == 0


def test_unlocking_the_app_resets_the_attempts(person: Terminal) -> None:
    """The high key proves the PIN by a signature over the nonce of its own PIN call."""
    _call_pin_without_proof(person, 3)
    person.decider.unlock("sesame-12")

    assert _pin(person).tries == 0


def test_a_denial_with_the_session_key_keeps_the_attempts(agent: Agent, person: Terminal) -> None:
    """A denial with the session key proves nothing about the PIN."""
    _call_pin_without_proof(person, 3)
    agent.request_approval(person.user)
    person.deny(person.only_request())

    assert _pin(person).tries == 3


def test_a_refused_change_is_no_wrong_pin(person: Terminal) -> None:
    """The PIN was right; only the change was not."""
    with pytest.raises(ApiError):
        person.decider.change_password("short", PIN)
    assert _pin(person).tries == 0


def test_a_refused_decision_keeps_the_attempts(agent: Agent, person: Terminal) -> None:
    """Neither an unknown key nor a wrong nonce proves the PIN."""
    agent.request_approval(person.user)
    approval = _get_pending(person)
    low = approval_key(person, KeyLevel.LOW)
    _call_pin_without_proof(person, 2)
    _refusal_of(person, approval, decision(person, approval, SigningKey.generate()))
    _refusal_of(person, approval, decision(person, approval, low, nonce="A" * 43))

    assert _pin(person).tries == 3


@pytest.mark.parametrize("key", ["session", "low", "unknown"])
def test_only_the_high_key_confirms_a_pin(person: Terminal, key: str) -> None:
    """The keys of an unlocked app cannot reset the counter of wrong PINs."""
    signers = {
        "session": person.client.session.key,
        "low": approval_key(person, KeyLevel.LOW),
        "unknown": SigningKey.generate(),
    }
    answer = person.client.pin(b"\0" * 32, "session")
    signer = signers[key]
    with pytest.raises(ApiError) as refused:
        person.client.confirm_pin(pin_statement(person, signer, answer.nonce))

    assert (refused.value.status, refused.value.code) == (403, "key_not_allowed")
    assert _pin(person).tries == 2


def test_a_confirmation_is_for_the_latest_pin_call(person: Terminal) -> None:
    """The nonce of an earlier call proves nothing about the last call."""
    high = approval_key(person, KeyLevel.HIGH)
    answer = person.client.pin(b"\0" * 32, "session")
    stale = pin_statement(person, high, answer.nonce)
    _call_pin_without_proof(person)
    with pytest.raises(ApiError) as refused:
        person.client.confirm_pin(stale)

    assert (refused.value.status, refused.value.code) == (422, "invalid_statement")
    assert _pin(person).tries == 3


def test_a_device_has_ten_pin_attempts(server: LiveServer, person: Terminal) -> None:
    """The eleventh attempt is refused and not counted, and the log has one entry."""
    _call_pin_without_proof(person, MAX_ATTEMPTS)
    for _ in range(3):
        with pytest.raises(DeviceLocked) as refused:
            _call_pin_without_proof(person)
        assert (refused.value.status, refused.value.code) == (423, "device_locked")

    assert _pin(person) == PinState(tries=10, left=0, locked=True, exhausted=False)
    user = person.client.profile.user_id
    assert len(entries(server, "device.locked", subject=user)) == 1


def test_fifty_unconfirmed_attempts_exhaust_a_pin(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """After fifty unconfirmed attempts, unlocking has no effect; the user must enroll again."""
    users = Users(server.services.store, server.services.secrets)
    for _ in range(MAX_UNCONFIRMED // MAX_ATTEMPTS):
        _call_pin_without_proof(person, MAX_ATTEMPTS)
        users.unlock(person.user, by=BY)
    with pytest.raises(DeviceLocked) as refused:
        _call_pin_without_proof(person)
    agent.request_approval(person.user)
    _, issued = users.enroll(person.user, by=BY)
    new_device = terminal(server, person.user, issued.code, name="again")
    approved = new_device.approve(new_device.only_request())
    new_device.client.close()

    assert (refused.value.status, refused.value.code) == (423, "pin_exhausted")
    assert _pin(person).exhausted
    assert approved.state == "approved"


def test_right_pins_do_not_exhaust_a_pin(person: Terminal) -> None:
    """A confirmed attempt no longer counts as unconfirmed."""
    for _ in range(MAX_UNCONFIRMED + 5):
        key_pair = open_key(person.client, PIN, KeyLevel.HIGH, SESSION_PURPOSE)
        confirm_pin(person.client, key_pair)

    assert _pin(person) == PinState(tries=0, left=10, locked=False, exhausted=False)


def test_each_device_has_its_own_pin_half(server: LiveServer, person: Terminal) -> None:
    """The same input gives the same answer on one device and a different one on another."""
    _, issued = Users(server.services.store, server.services.secrets).enroll(person.user, by=BY)
    other = terminal(server, person.user, issued.code, name="phone")
    x = b"\1" * 32
    mine, again, theirs = (device.client.pin(x, "session").y for device in (person, person, other))
    other.client.close()

    assert mine == again != theirs


@pytest.mark.parametrize("x", ["", "AAAA", "A" * 44, "!" * 43, None, 7])
def test_an_invalid_pin_half_is_refused_and_not_counted(person: Terminal, x: object) -> None:
    """The response is a 422 that names the invalid member."""
    with pytest.raises(ApiError) as refused:
        person.client.session.post("/api/devices/self/pin", {"x": x, "for": "session"})

    assert (refused.value.status, refused.value.code) == (422, "invalid_body")
    assert "/x" in refused.value.detail
    assert _pin(person).tries == 0


def test_a_pin_call_for_another_users_request_is_refused(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """A PIN call for another user's or an unknown request is refused and not counted."""
    name, _ = server.user()
    agent.request_approval(name)
    with server.services.store.read() as view:
        user = view.directory.find_user(name)
        assert user is not None
        (others_request,) = view.approvals.waiting(user.id, view.now, 1, None)
    for purpose, refusal in (
        (others_request.id, (404, "not_found")),
        ("sayso_ap_aaaaaaaaaaaaaaaa", (404, "not_found")),
        ("everything", (422, "invalid_body")),
    ):
        with pytest.raises(ApiError) as refused:
            person.client.pin(b"\0" * 32, purpose)
        assert (refused.value.status, refused.value.code) == refusal

    assert _pin(person).tries == 0


def test_the_session_key_approves_nothing(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """CB-203: an agent that can read the terminal's files has the session key."""
    agent.request_approval(person.user)
    approval = _get_pending(person)
    for ceremony in ("confirm", "pin"):
        signed = decision(person, approval, person.client.session.key, ceremony=ceremony)
        error = _refusal_of(person, approval, signed)
        assert (error.status, error.code) == (403, "key_not_allowed")

    assert state(server, approval.id) == ("pending", None)


@pytest.mark.parametrize("key", ["session", "low"])
def test_a_weaker_key_cannot_approve_high_risk_requests(
    server: LiveServer, agent: Agent, person: Terminal, key: str
) -> None:
    """The session key and A_low are refused, even after a PIN call for this request."""
    agent.ask_payment(person.user)
    approval = _get_pending(person)
    low = approval_key(person, KeyLevel.LOW, approval.id)
    signer = low if key == "low" else person.client.session.key
    error = _refusal_of(person, approval, decision(person, approval, signer, ceremony="pin"))

    code = {"low": "pin_required", "session": "key_not_allowed"}[key]
    assert (error.status, error.code) == (403, code)
    assert state(server, approval.id) == ("pending", None)


def test_the_high_key_with_a_plain_confirmation_cannot_approve_high_risk_requests(
    agent: Agent, person: Terminal
) -> None:
    """The ceremony in the signed decision must be the required one."""
    agent.ask_payment(person.user)
    approval = _get_pending(person)
    high = approval_key(person, KeyLevel.HIGH, approval.id)
    error = _refusal_of(person, approval, decision(person, approval, high, ceremony="confirm"))

    assert (error.status, error.code) == (403, "pin_required")


@pytest.mark.parametrize("pin_call", ["session", "other", "replaced"])
def test_a_high_risk_request_needs_a_pin_call_for_this_request(
    server: LiveServer, agent: Agent, person: Terminal, pin_call: str
) -> None:
    """A PIN call for the session or a different request, or a replaced PIN call, is refused."""
    agent.ask_payment(person.user)
    shown = _get_pending(person)
    agent.request_approval(person.user)
    (other,) = [approval for approval in person.waiting() if approval.id != shown.id]
    purpose = {"session": "session", "other": other.id, "replaced": shown.id}[pin_call]
    high = approval_key(person, KeyLevel.HIGH, purpose)
    if pin_call == "replaced":
        _call_pin_without_proof(person)
    error = _refusal_of(person, shown, decision(person, shown, high, ceremony="pin"))

    assert (error.status, error.code) == (403, "pin_required")
    assert state(server, shown.id) == ("pending", None)


@pytest.mark.parametrize(
    ("age", "works"), [(PIN_FRESH_MS - 10 * SECOND, True), (PIN_FRESH_MS + SECOND, False)]
)
def test_a_pin_call_is_valid_for_two_minutes(
    server: LiveServer, agent: Agent, person: Terminal, age: int, *, works: bool
) -> None:
    """After two minutes the user must enter the PIN again."""
    agent.ask_payment(person.user)
    approval = _get_pending(person)
    high = approval_key(person, KeyLevel.HIGH, approval.id)
    server.clock.forward(age)
    signed = decision(person, approval, high, ceremony="pin")
    if works:
        assert person.client.decide(approval.id, signed).state == "approved"
    else:
        assert _refusal_of(person, approval, signed).code == "pin_required"
        assert person.approve(approval).state == "approved"


DIGEST = "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg"


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("iss", "sayso_dv_aaaaaaaaaaaaaaaa"),
        ("sub", "sayso_us_aaaaaaaaaaaaaaaa"),
        ("aud", "https://elsewhere.example"),
        ("approval", "sayso_ap_aaaaaaaaaaaaaaaa"),
        ("action_digest", DIGEST),
        ("display_digest", DIGEST),
        ("granted", DIGEST),
        ("nonce", "A" * 43),
    ],
)
def test_a_decision_with_any_changed_member_is_refused_by_its_name(
    server: LiveServer, agent: Agent, person: Terminal, member: str, value: str
) -> None:
    """The error names the member and not its value, and the request stays pending."""
    agent.request_approval(person.user)
    approval = _get_pending(person)
    low = approval_key(person, KeyLevel.LOW)
    error = _refusal_of(person, approval, decision(person, approval, low, **{member: value}))

    assert (error.status, error.code) == (422, "invalid_decision")
    assert member in error.detail
    assert value not in error.detail
    assert state(server, approval.id) == ("pending", None)
    assert person.client.decide(approval.id, decision(person, approval, low)).state == "approved"


@pytest.mark.parametrize("seconds", [-310, 310])
def test_a_decision_outside_the_clock_tolerance_is_refused(
    agent: Agent, person: Terminal, seconds: int
) -> None:
    """A device's clock may differ from the server's by at most five minutes."""
    agent.request_approval(person.user)
    approval = _get_pending(person)
    at = person.client.now() // 1000 + seconds
    error = _refusal_of(
        person, approval, decision(person, approval, approval_key(person, KeyLevel.LOW), at=at)
    )

    assert (error.code, "at" in error.detail) == ("invalid_decision", True)


@pytest.mark.parametrize(
    "members",
    [
        {"decision": "perhaps"},
        {"ceremony": "none"},
        {"ceremony": "passkey"},
        {"code": "not_needed"},
        {"decision": "deny", "code": "not_needed", "ceremony": "confirm"},
        {"extra": "1"},
    ],
)
def test_a_contradictory_decision_is_refused(
    server: LiveServer, agent: Agent, person: Terminal, members: dict[str, str]
) -> None:
    """An unknown member, or one that does not fit the decision, is refused."""
    agent.request_approval(person.user)
    approval = _get_pending(person)
    low = approval_key(person, KeyLevel.LOW)
    error = _refusal_of(person, approval, decision(person, approval, low, **members))

    assert (error.status, error.code) == (422, "invalid_decision")
    assert state(server, approval.id) == ("pending", None)


def test_a_decision_is_for_its_own_request_only(agent: Agent, person: Terminal) -> None:
    """A decision sent for a different request is refused, and both requests stay pending."""
    agent.request_approval(person.user)
    first = _get_pending(person)
    agent.request_approval(person.user)
    (second,) = [approval for approval in person.waiting() if approval.id != first.id]
    signed = decision(person, first, approval_key(person, KeyLevel.LOW))
    error = _refusal_of(person, second, signed)

    assert error.code == "invalid_decision"
    assert [approval.state for approval in person.waiting()] == ["pending", "pending"]


def test_another_user_neither_sees_nor_answers_a_request(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """Another user gets 404, as for an unknown request, even with a valid signature."""
    agent.request_approval(person.user)
    approval = _get_pending(person)
    name, code = server.user()
    unenrolled = terminal(server, name, code)
    signed = decision(unenrolled, approval, approval_key(unenrolled, KeyLevel.LOW))
    with pytest.raises(ApiError) as looking:
        unenrolled.client.approval(approval.id)
    answering = _refusal_of(unenrolled, approval, signed)
    unenrolled.client.close()

    assert (looking.value.status, answering.status) == (404, 404)
    assert state(server, approval.id) == ("pending", None)
