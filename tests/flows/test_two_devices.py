"""One user with two terminals: the first decision wins, and each device watches the other."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from approver_tui.client.devices.keys import KeyLevel
from approver_tui.client.errors import (
    AlreadyDecided,
    ApiError,
    DeviceLocked,
    LoginFirst,
    WrongPin,
)
from approver_tui.client.jose import SigningKey, signed_statement
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.devices.devices import Device
from server.services.approvals.oversight import Oversight
from server.services.users.users import Users
from tests.support.builders.clock import DAY, MINUTE
from tests.support.checks.log_and_rows import entries, state, story
from tests.support.clients.agent import Agent
from tests.support.clients.feed_frames import feed_line, open_feed
from tests.support.clients.terminal import PIN, Terminal, terminal
from tests.support.inputs.signing import approval_key, decision
from tests.support.servers.server import BY, LiveServer

WRONG = "no-such-pin"


@pytest.fixture
def phone(server: LiveServer, person: Terminal) -> Iterator[Terminal]:
    """A second terminal of this test's user, enrolled with an administrator's code."""
    _, issued = _users(server).enroll(person.user, by=BY)
    second = terminal(server, person.user, issued.code, name="phone")
    yield second
    second.client.close()


@pytest.mark.parametrize("first", ["approve", "deny"])
def test_the_first_decision_wins_and_the_second_names_its_device(
    server: LiveServer, agent: Agent, person: Terminal, phone: Terminal, first: str
) -> None:
    """The later decision gets the approval with the decision that counted and its device."""
    handle = agent.request_approval(person.user)
    pending = person.only_request()
    steps = [person.approve, phone.deny] if first == "approve" else [person.deny, phone.approve]
    steps[0](pending)
    with pytest.raises(AlreadyDecided) as refused:
        steps[1](pending)
    decided = refused.value.approval.decision

    assert refused.value.code == "already_decided"
    assert decided is not None
    assert (decided.decision, decided.device_name) == (first, "laptop")
    assert (agent.poll(handle).status_code == 200) == (first == "approve")
    assert len([e for e in story(server, pending.id) if e != "token.issued"]) == 2


def test_one_of_two_concurrent_decisions_wins(
    server: LiveServer, agent: Agent, person: Terminal, phone: Terminal
) -> None:
    """In ten races between approve and deny, one wins and both answers name the winner."""
    low = approval_key(person, KeyLevel.LOW)
    with ThreadPoolExecutor(2) as threads:
        for _ in range(10):
            handle = agent.request_approval(person.user)
            own_approval = person.client.approval(person.only_request().id)
            theirs = phone.client.approval(own_approval.id)
            yes = decision(person, own_approval, low)
            terms = {"decision": "deny", "code": "not_needed", "ceremony": "none"}
            no = decision(phone, theirs, phone.client.session.key, **terms)
            answers = [
                threads.submit(
                    _outcome, lambda p=person, s=yes, i=own_approval.id: p.client.decide(i, s)
                ),
                threads.submit(
                    _outcome, lambda p=phone, s=no, i=own_approval.id: p.client.decide(i, s)
                ),
            ]
            wins, approvals = zip(*(answer.result() for answer in answers), strict=True)
            verdicts = {approval.state for approval in approvals}
            token = agent.poll(handle).status_code == 200

            assert sorted(wins) == [False, True]
            assert verdicts == {"approved"} if wins[0] else verdicts == {"denied"}
            assert token == wins[0]
            server.clock.forward(41 * MINUTE)  # three denials in ten minutes pause an agent


def test_the_same_device_may_repeat_its_decision(
    server: LiveServer, agent: Agent, person: Terminal, phone: Terminal
) -> None:
    """A repetition changes nothing; the same decision of another device is a conflict."""
    agent.request_approval(person.user)
    pending = person.only_request()
    assert person.deny(pending).state == "denied"
    assert person.deny(pending).state == "denied"
    with pytest.raises(AlreadyDecided):
        phone.deny(pending)

    assert story(server, pending.id) == ["approval.requested", "approval.denied"]


def test_an_approval_may_be_repeated_after_redemption(agent: Agent, person: Terminal) -> None:
    """The decision of this device is still the one that counted."""
    handle = agent.request_approval(person.user)
    pending = person.client.approval(person.only_request().id)
    signed = decision(person, pending, approval_key(person, KeyLevel.LOW))
    person.client.decide(pending.id, signed)
    agent.poll(handle)

    assert person.client.decide(pending.id, signed).state == "redeemed"


def test_the_first_device_of_a_user_can_decide_everything_immediately(
    agent: Agent, person: Terminal
) -> None:
    """A user's first device does not wait, because no other device could vouch for it."""
    agent.ask_payment(person.user)

    assert person.approve(person.only_request()).state == "approved"


def test_a_second_device_cannot_approve_high_risk_requests_for_a_day(
    server: LiveServer, agent: Agent, person: Terminal, phone: Terminal
) -> None:
    """The second device can deny and approve low-risk requests now, high-risk ones in a day."""
    agent.request_approval(person.user)
    assert phone.approve(person.only_request()).state == "approved"
    agent.ask_payment(person.user)
    pending = person.only_request()
    with pytest.raises(ApiError) as refused:
        phone.approve(pending)
    assert (refused.value.status, refused.value.code) == (403, "device_too_new")
    assert state(server, pending.id) == ("pending", None)
    assert phone.deny(pending).state == "denied"

    server.clock.forward(DAY)
    agent.ask_payment(person.user)
    assert phone.approve(phone.only_request()).state == "approved"


def test_an_old_device_vouches_for_a_new_one(
    server: LiveServer, agent: Agent, person: Terminal, phone: Terminal
) -> None:
    """The old device's high key ends the wait, and the log says which device vouched."""
    with open_feed(person) as line:
        person.decider.vouch_device(_other_device(person), PIN)
        frame = line.event("device.vouched")
    agent.ask_payment(person.user)
    (entry,) = entries(server, "device.vouched", actor=f"user:{person.client.profile.user_id}")

    assert frame["device"]["name"] == "phone"
    assert entry["facts"]["by"] == person.client.profile.device_id
    assert phone.approve(phone.only_request()).state == "approved"


def test_a_new_device_cannot_vouch(server: LiveServer, person: Terminal, phone: Terminal) -> None:
    """While it waits, a new device can vouch neither for itself nor for a third device."""
    _, issued = _users(server).enroll(person.user, by=BY)
    tablet = terminal(server, person.user, issued.code, name="tablet")
    tablet.client.close()
    devices = {str(device.name): device for device in phone.client.devices()}
    with pytest.raises(ApiError) as for_other:
        phone.decider.vouch_device(devices["tablet"], PIN)
    with pytest.raises(ApiError) as for_itself:
        phone.decider.vouch_device(devices["phone"], PIN)

    assert for_other.value.code == "device_too_new"
    assert for_itself.value.code == "key_not_allowed"


@pytest.mark.usefixtures("phone")
def test_a_statement_is_accepted_once(person: Terminal) -> None:
    """The device's nonce changes with each statement about it."""
    before = _other_device(person)
    person.decider.vouch_device(before, PIN)
    with pytest.raises(ApiError) as refused:
        person.decider.vouch_device(before, PIN)

    assert (refused.value.status, refused.value.code) == (422, "invalid_statement")
    assert _other_device(person).nonce != before.nonce


def test_a_statement_about_another_users_device_is_refused(
    server: LiveServer, person: Terminal
) -> None:
    """Another user's device is not found."""
    user, code = server.user()
    other_device = terminal(server, user, code)
    device = other_device.client.me().device
    other_device.client.close()
    assert device is not None
    with pytest.raises(ApiError) as refused:
        person.decider.vouch_device(device, PIN)

    assert (refused.value.status, refused.value.code) == (404, "not_found")


def test_ten_wrong_pins_lock_a_device_and_every_screen_shows_it(
    agent: Agent, person: Terminal, phone: Terminal
) -> None:
    """The right PIN is refused too. Another device can still approve low-risk requests."""
    with open_feed(phone) as line:
        _lock(person)
        frame = line.event("device.locked")
    agent.request_approval(person.user)
    pending = person.only_request()
    with pytest.raises(DeviceLocked) as refused:
        person.approve(pending)

    assert frame["device"]["pin"] == {"tries": 10, "left": 0, "locked": True, "exhausted": False}
    assert refused.value.code == "device_locked"
    assert phone.approve(pending).state == "approved"


def test_a_locked_device_can_still_deny(agent: Agent, person: Terminal) -> None:
    """A locked device can no longer add power, but it can still remove it."""
    agent.request_approval(person.user)
    pending = person.only_request()
    _lock(person)

    assert person.deny(pending, "suspicious").state == "denied"


def test_another_device_unlocks_a_locked_one(
    server: LiveServer, agent: Agent, person: Terminal, phone: Terminal
) -> None:
    """A second device can unlock the first one with its high key, once it has waited a day."""
    _lock(person)
    with pytest.raises(ApiError) as refused:
        phone.decider.unlock_device(_other_device(phone), PIN)
    assert refused.value.code == "device_too_new"
    server.clock.forward(DAY)
    with open_feed(person) as line:
        unlocked = phone.decider.unlock_device(_other_device(phone), PIN)
        frame = line.event("device.unlocked")
    agent.request_approval(person.user)

    assert unlocked.pin.tries == 0
    assert frame["device"]["name"] == "laptop"
    assert person.approve(person.only_request()).state == "approved"


def test_a_locked_device_does_not_unlock_itself(person: Terminal) -> None:
    """Only a different device may sign the statement that unlocks it."""
    high = approval_key(person, KeyLevel.HIGH)
    own = person.client.me().device
    assert own is not None
    _lock(person)
    with pytest.raises(ApiError) as refused:
        person.client.unlock_device(own.id, _unlock_statement(person, own, high))

    assert refused.value.code == "key_not_allowed"


@pytest.mark.usefixtures("phone")
@pytest.mark.parametrize("level", ["session", "low"])
def test_only_the_high_key_unlocks(server: LiveServer, person: Terminal, level: str) -> None:
    """Unlocking adds power, so neither the session key nor the low key is enough."""
    server.clock.forward(DAY)
    key = person.client.session.key
    if level == "low":
        key = approval_key(person, KeyLevel.LOW)
    device = _other_device(person)
    with pytest.raises(ApiError) as refused:
        person.client.unlock_device(device.id, _unlock_statement(person, device, key))

    assert (refused.value.status, refused.value.code) == (403, "key_not_allowed")


def test_an_administrator_unlocks_a_locked_device(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """A user with a single locked device can be helped by an administrator."""
    _lock(person)
    with open_feed(person) as line:
        _, unlocked = _users(server).unlock(person.user, by=BY)
        frame = line.event("device.unlocked")
    agent.ask_payment(person.user)

    assert len(unlocked) == 1
    assert frame["device"]["pin"]["locked"] is False
    assert person.approve(person.only_request()).state == "approved"


def test_a_revoked_device_is_disconnected_immediately(
    server: LiveServer, agent: Agent, person: Terminal, phone: Terminal
) -> None:
    """The device's socket closes with 4403, its calls are refused, and its session ends."""
    agent.request_approval(person.user)
    pending = phone.only_request()
    with open_feed(phone) as other_feed, open_feed(person) as own_feed:
        person.client.revoke_device(phone.client.profile.device_id)
        began = time.monotonic()
        frame = own_feed.event("device.revoked")
        assert other_feed.closed() == 4403
        assert time.monotonic() - began < 15
    for call in (phone.client.me, lambda: phone.deny(pending)):
        with pytest.raises((ApiError, LoginFirst)) as refused:
            call()
        assert refused.value.status in {401, 403}
    server.clock.forward(11 * MINUTE)
    with pytest.raises(LoginFirst):
        phone.client.me()

    assert frame["device"]["state"] == "revoked"
    assert person.deny(pending).state == "denied"


def test_an_administrator_revokes_a_device(server: LiveServer, person: Terminal) -> None:
    """The device is disconnected even though another process revoked it."""
    with feed_line(person) as line:
        line.frame()
        device = person.client.profile.device_id
        assert Oversight(server.services.store).revoke_device(device, by=BY)[1]
        assert line.closed() == 4403


def test_a_new_device_appears_on_the_old_ones_screen(server: LiveServer, person: Terminal) -> None:
    """The user can therefore notice a fraudulent enrollment."""
    _, issued = _users(server).enroll(person.user, by=BY)
    with open_feed(person) as line:
        phone = terminal(server, person.user, issued.code, name="unknown phone")
        frame = line.event("device.enrolled")
    phone.client.close()
    enrolled_entries = entries(server, "device.enrolled", subject=person.client.profile.user_id)

    assert frame["device"]["name"] == "unknown phone"
    assert frame["device"]["high_from"] > frame["device"]["created_at"]
    assert len(enrolled_entries) == 2


def _users(server: LiveServer) -> Users:
    return Users(server.services.store, server.services.secrets)


def _other_device(seen_from: Terminal) -> Device:
    """Returns the user's other device, as this one sees it."""
    (other,) = [device for device in seen_from.client.devices() if not device.is_this]
    return other


def _lock(person: Terminal) -> None:
    """Enters a wrong PIN until the device is locked."""
    device = person.client.me().device
    assert device is not None
    for _ in range(device.pin.left - 1):
        person.client.pin(b"\0" * 32, "session")
    with pytest.raises(WrongPin) as wrong:
        person.decider.unlock(WRONG)
    assert wrong.value.left == 0


def _unlock_statement(person: Terminal, device: Device, key: SigningKey) -> str:
    client = person.client
    return signed_statement(
        key,
        client.signer,
        purpose="unlock",
        subject=device.id,
        at=client.now() // 1000,
        nonce=device.nonce or "",
    )


def _outcome(answer: Callable[[], Approval]) -> tuple[bool, Approval]:
    """Returns whether this decision won, and the approval in the answer."""
    try:
        return True, answer()
    except AlreadyDecided as error:
        return False, error.approval
