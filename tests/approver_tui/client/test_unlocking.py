"""An unlocked app forgets its key by itself."""

import pytest

from approver_tui.client.errors import DeviceLocked, Unreachable, WrongPin
from approver_tui.client.keys import Level
from approver_tui.client.unlocking import IDLE_LIMIT, SESSION, LowKey, one_signature
from tests.approver_tui.client.conftest import PIN


@pytest.fixture
def low(client):
    """The low key, locked."""
    return LowKey(client)


def test_the_right_pin_opens_and_is_confirmed(low, client, server):
    """The key that opens is the one the server knows, and the tries start again."""
    low.open(PIN)
    assert low.get().thumbprint == client.profile.low_key
    assert server.pin_tries == 0


def test_a_wrong_pin_opens_nothing_and_is_counted(low, server):
    """The server counts before it answers; this device says how many are left."""
    with pytest.raises(WrongPin) as caught:
        low.open("wrong horse")
    assert (caught.value.tries, caught.value.left) == (1, 9)
    assert low.get() is None
    assert server.pin_tries == 1


def test_a_wrong_pin_does_not_lock_an_open_app(low):
    """A slip of the finger takes away nothing that was there."""
    low.open(PIN)
    with pytest.raises(WrongPin):
        low.open("wrong horse")
    assert low.get() is not None


def test_after_ten_tries_even_the_right_pin_is_refused(low, server):
    """The answer comes from the server, not from a counter on this disk."""
    server.pin_tries = 10
    with pytest.raises(DeviceLocked):
        low.open(PIN)


def test_without_a_confirmation_it_stays_locked(low, server):
    """If the server did not learn that the PIN was right, the app is not unlocked."""
    server.faults.drop_request_to.add("/confirmation")
    with pytest.raises(Unreachable):
        low.open(PIN)
    assert low.get() is None


def test_idle_for_too_long_locks(low, client):
    """Fifteen minutes without a touch, and not a millisecond more."""
    low.open(PIN)
    opened = low._opened
    opened_at = low._touched
    client.observe(opened_at + IDLE_LIMIT - 1_000)
    assert low.get() is not None
    client.observe(opened_at + IDLE_LIMIT + 1_000)
    assert low.get() is None
    assert opened.scalar == bytes(32)


def test_a_touch_starts_the_limit_again(low, client):
    """Whoever works is not interrupted; whoever comes back too late is."""
    low.open(PIN)
    start = low._touched
    client.observe(start + IDLE_LIMIT - 5_000)
    low.touch()
    client.observe(start + IDLE_LIMIT + 60_000)
    assert low.get() is not None
    client.observe(start + 3 * IDLE_LIMIT)
    low.touch()
    assert low.get() is None


def test_locking_wipes(low):
    """The private number is gone from where we kept it."""
    low.open(PIN)
    opened = low._opened
    low.lock()
    assert (opened.scalar, low.get()) == (bytes(32), None)


def test_a_key_for_one_signature_is_wiped_even_on_an_error(client):
    """Whatever happens in the block, the high key does not outlive it."""
    block = one_signature(client, PIN, Level.HIGH, SESSION)
    opened = block.__enter__()
    assert opened.key.thumbprint == client.profile.high_key
    assert not block.__exit__(RuntimeError, RuntimeError(), None)
    assert opened.scalar == bytes(32)
