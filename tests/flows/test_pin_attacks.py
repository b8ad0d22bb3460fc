"""Attacks by someone with the keys of an unlocked app but not the PIN.

They run as the user, so they have the session key and A_low; A_high is sealed.
"""

import os
from collections.abc import Callable, Iterator

import jwt
import pytest

from approver_tui.client.errors import ApiError, DeviceLocked, PinNeeded
from approver_tui.client.jose import SigningKey, signed_statement
from server.model.devices import MAX_ATTEMPTS
from server.protocol.approvals import decisions
from server.services.devices.devices import MAX_UNCONFIRMED
from server.services.policy.policies import Policies
from server.services.users.users import Users
from tests.support.builders.policies import rule
from tests.support.checks.log_and_rows import state
from tests.support.clients.agent import Agent
from tests.support.clients.terminal import PIN, Terminal
from tests.support.inputs.signing import decision, pin_statement
from tests.support.servers.server import BY, LiveServer

GUESSES = 60


@pytest.fixture
def low(person: Terminal) -> SigningKey:
    """A_low, as an unlocked app has it after a confirmed PIN."""
    person.decider.unlock(PIN)
    key = person.decider._low_key.get()
    assert key is not None
    assert person.client.me().device.pin.tries == 0
    return key


@pytest.fixture
def pin_at_medium(server: LiveServer) -> Iterator[None]:
    """Sets a policy that requires the PIN at medium risk."""
    policies = Policies(server.services.store)
    before = policies.show().document
    policies.set(rule("ask", 'ask.risk = "medium"', 'ask.ceremony = "pin"'), by=BY)
    yield
    policies.set(before, by=BY)


def _guess(person: Terminal, low: SigningKey, agent: Agent, way: str) -> None:
    """Enters a wrong PIN, then does something that might reset the attempts."""
    answer = person.client.pin(os.urandom(32), "session")
    if way == "confirmation":
        with pytest.raises(ApiError) as refused:
            person.client.confirm_pin(pin_statement(person, low, answer.nonce))
        assert refused.value.code == "key_not_allowed"
    elif way == "an approval":
        agent.request_approval(person.user)
        approval = person.client.approval(person.only_request().id)
        assert (
            person.client.decide(approval.id, decision(person, approval, low)).state == "approved"
        )
    else:
        own = person.client.me().device
        assert own is not None
        statement = signed_statement(
            low,
            person.client.signer,
            purpose="user_code",
            subject=decisions.digest(f"{own.nonce}\nsparrow-27"),
            at=person.client.now() // 1000,
            nonce=own.nonce or "",
        )
        with pytest.raises(ApiError) as refused:
            person.client.change_user_code("sparrow-27", statement)
        assert refused.value.code == "key_not_allowed"


def _answered_guesses(guess: Callable[[int], None]) -> tuple[int, DeviceLocked]:
    """Returns how many of sixty guesses were answered, and the error that stopped them."""
    for count in range(GUESSES):
        try:
            guess(count)
        except DeviceLocked as locked:
            return count, locked
    raise AssertionError("Nothing ended the guesses.")


@pytest.mark.parametrize("way", ["confirmation", "an approval", "a user code"])
def test_sixty_guesses_with_the_low_key_are_limited_to_ten(
    agent: Agent, person: Terminal, low: SigningKey, way: str
) -> None:
    """The eleventh guess gets 423 and the device is locked, because A_low cannot reset attempts."""
    count, locked = _answered_guesses(lambda _: _guess(person, low, agent, way))

    assert (count, locked.status, locked.code) == (MAX_ATTEMPTS, 423, "device_locked")
    device = person.client.me().device
    assert device is not None
    assert device.pin.locked


def test_guesses_between_right_entries_exhaust_the_pin(person: Terminal, low: SigningKey) -> None:
    """An attacker who waits for the user's right entries still has only fifty guesses in total."""

    def guess(count: int) -> None:
        if count % (MAX_ATTEMPTS - 2) == 0:
            person.decider.unlock(PIN)
        person.client.pin(os.urandom(32), "session")

    count, error = _answered_guesses(guess)
    assert (count, error.code) == (MAX_UNCONFIRMED, "pin_exhausted")
    assert low.thumbprint == person.client.profile.low_key


def test_unlocking_by_an_administrator_does_not_reset_unconfirmed_attempts(
    server: LiveServer, person: Terminal
) -> None:
    """Fifty calls without a proof exhaust the PIN, however often the device is unlocked."""
    users = Users(server.services.store, server.services.secrets)

    def guess(_answered_guesses: int) -> None:
        person.client.pin(os.urandom(32), "session")
        users.unlock(person.user, by=BY)

    count, error = _answered_guesses(guess)
    assert (count, error.code) == (MAX_UNCONFIRMED, "pin_exhausted")


@pytest.mark.usefixtures("pin_at_medium")
@pytest.mark.parametrize("ceremony", ["pin", "confirm"])
def test_a_pin_required_by_a_policy_cannot_be_replaced_by_the_low_key(
    server: LiveServer, agent: Agent, person: Terminal, low: SigningKey, ceremony: str
) -> None:
    """A PIN call with random bytes does not prove the PIN, so the decision is refused."""
    agent.request_approval(person.user)
    approval = person.client.approval(person.only_request().id)
    assert (approval.display.risk, approval.needs_pin) == ("medium", True)
    person.client.pin(os.urandom(32), approval.id)
    with pytest.raises(ApiError) as refused:
        person.client.decide(approval.id, decision(person, approval, low, ceremony=ceremony))

    assert (refused.value.status, refused.value.code) == (403, "pin_required")
    assert state(server, approval.id) == ("pending", None)


@pytest.mark.usefixtures("pin_at_medium", "low")
def test_an_unlocked_app_asks_for_a_pin_required_by_a_policy(
    agent: Agent, person: Terminal
) -> None:
    """The app signs with A_high, and the token states that the PIN was proved."""
    handle = agent.request_approval(person.user)
    pending = person.only_request()
    with pytest.raises(PinNeeded):
        person.approve(pending, pin=None)
    assert person.approve(pending).state == "approved"
    token = agent.poll(handle).json()["access_token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["acr"], claims["amr"]) == ("urn:sayso:acr:signed-pin", ["swk", "pin"])


def test_a_voluntary_pin_is_not_claimed_by_the_low_key(
    agent: Agent, person: Terminal, low: SigningKey
) -> None:
    """The token states only what the server verified."""
    handle = agent.request_approval(person.user)
    approval = person.client.approval(person.only_request().id)
    person.client.pin(os.urandom(32), approval.id)
    with pytest.raises(ApiError) as refused:
        person.client.decide(approval.id, decision(person, approval, low, ceremony="pin"))
    assert refused.value.code == "pin_required"
    assert person.client.decide(approval.id, decision(person, approval, low)).state == "approved"
    token = agent.poll(handle).json()["access_token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["acr"], claims["amr"]) == ("urn:sayso:acr:signed", ["swk"])
