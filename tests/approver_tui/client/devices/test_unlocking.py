"""An unlocked app forgets its key by itself."""

import pytest

from approver_tui.client.devices.keys import KeyLevel
from approver_tui.client.devices.unlocking import (
    IDLE_LIMIT,
    SESSION,
    LowKey,
    boottime_seconds,
    one_signature,
)
from approver_tui.client.errors import DeviceLocked, Unreachable, WrongPin
from tests.approver_tui.client.conftest import PIN


class Ticks:
    """Seconds since something."""

    seconds = 1_000.0

    def __call__(self):
        """How late it is."""
        return self.seconds


@pytest.fixture
def ticks():
    """A stopwatch that only goes when told."""
    return Ticks()


@pytest.fixture
def low(client, ticks):
    """The low key, locked."""
    return LowKey(client, ticks)


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


def test_idle_for_too_long_locks(low, ticks):
    """Fifteen minutes without a touch, and not a moment more."""
    low.open(PIN)
    opened = low._opened
    ticks.seconds += IDLE_LIMIT
    assert low.get() is not None
    ticks.seconds += 1
    assert low.get() is None
    assert opened.scalar == bytes(32)


def test_a_touch_starts_the_limit_again(low, ticks):
    """Whoever works is not interrupted; whoever comes back too late is."""
    low.open(PIN)
    ticks.seconds += IDLE_LIMIT - 5
    low.touch()
    ticks.seconds += IDLE_LIMIT - 5
    assert low.get() is not None
    ticks.seconds += IDLE_LIMIT
    low.touch()
    assert low.get() is None


def test_a_clock_that_is_set_keeps_nobody_unlocked(low, client, ticks):
    """Neither this machine's time nor the server's word about it lengthens the limit."""
    low.open(PIN)
    client.observe(client.now() - 10 * IDLE_LIMIT * 1_000, client.now())
    ticks.seconds += IDLE_LIMIT + 1
    assert low.get() is None


def test_without_a_stopwatch_of_the_test_the_seconds_go_forward():
    """The real one is monotonic."""
    assert boottime_seconds() <= boottime_seconds()


def test_locking_wipes(low):
    """The private number is gone from where we kept it."""
    low.open(PIN)
    opened = low._opened
    low.lock()
    assert (opened.scalar, low.get()) == (bytes(32), None)


def test_a_key_for_one_signature_is_wiped_even_on_an_error(client):
    """Whatever happens in the block, the high key does not outlive it."""
    block = one_signature(client, PIN, KeyLevel.HIGH, SESSION)
    opened = block.__enter__()
    assert opened.key.thumbprint == client.profile.high_key
    assert not block.__exit__(RuntimeError, RuntimeError(), None)
    assert opened.scalar == bytes(32)
