"""An unlocked app locks itself."""

import pytest

from approver_tui.client.devices.keys import KeyLevel
from approver_tui.client.devices.unlocking import (
    IDLE_LIMIT,
    SESSION_PURPOSE,
    LowKey,
    boottime_seconds,
    temporary_key,
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


def test_the_right_pin_unlocks_and_is_confirmed(low, client, server):
    """The key is the one that the server knows, and the attempts are reset."""
    low.open(PIN)
    assert low.get().thumbprint == client.profile.low_key
    assert server.pin_tries == 0


def test_a_wrong_pin_unlocks_nothing_and_is_counted(low, server):
    """The server counts before it answers; the error has the attempts left."""
    with pytest.raises(WrongPin) as caught:
        low.open("wrong horse")
    assert (caught.value.tries, caught.value.left) == (1, 9)
    assert low.get() is None
    assert server.pin_tries == 1


def test_a_wrong_pin_does_not_lock_an_unlocked_app(low):
    """The open key stays."""
    low.open(PIN)
    with pytest.raises(WrongPin):
        low.open("wrong horse")
    assert low.get() is not None


def test_after_ten_attempts_the_right_pin_is_refused(low, server):
    """The server refuses it, and not a counter on this disk."""
    server.pin_tries = 10
    with pytest.raises(DeviceLocked):
        low.open(PIN)


def test_without_a_confirmation_the_app_stays_locked(low, server):
    """The server must know that the PIN was right."""
    server.faults.drop_request_to.add("/confirmation")
    with pytest.raises(Unreachable):
        low.open(PIN)
    assert low.get() is None


def test_an_idle_app_locks(low, ticks):
    """The app locks a second after fifteen minutes."""
    low.open(PIN)
    opened = low._opened
    ticks.seconds += IDLE_LIMIT
    assert low.get() is not None
    ticks.seconds += 1
    assert low.get() is None
    assert opened.scalar == bytes(32)


def test_activity_restarts_the_idle_time(low, ticks):
    """Activity after it does not."""
    low.open(PIN)
    ticks.seconds += IDLE_LIMIT - 5
    low.touch()
    ticks.seconds += IDLE_LIMIT - 5
    assert low.get() is not None
    ticks.seconds += IDLE_LIMIT
    low.touch()
    assert low.get() is None


def test_a_changed_clock_does_not_extend_the_idle_time(low, client, ticks):
    """A change of the server's clock, or of this machine's, does not extend it."""
    low.open(PIN)
    client.observe(client.now() - 10 * IDLE_LIMIT * 1_000, client.now())
    ticks.seconds += IDLE_LIMIT + 1
    assert low.get() is None


def test_the_default_clock_is_monotonic():
    """It is the real one."""
    assert boottime_seconds() <= boottime_seconds()


def test_locking_wipes_the_key(low):
    """The private number is gone from memory."""
    low.open(PIN)
    opened = low._opened
    low.lock()
    assert (opened.scalar, low.get()) == (bytes(32), None)


def test_a_temporary_key_is_wiped_even_on_an_error(client):
    """The key is wiped when the block ends normally and when it raises an error."""
    block = temporary_key(client, PIN, KeyLevel.HIGH, SESSION_PURPOSE)
    opened = block.__enter__()
    assert opened.key.thumbprint == client.profile.high_key
    assert not block.__exit__(RuntimeError, RuntimeError(), None)
    assert opened.scalar == bytes(32)
