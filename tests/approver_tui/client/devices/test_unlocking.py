"""Unlocking with the PIN, and locking after a period of inactivity."""

import time

import pytest

from approver_tui.client.devices.unlocking import (
    IDLE_LIMIT,
    SESSION_PURPOSE,
    LowKey,
    boottime_seconds,
    temporary_high_key,
)
from approver_tui.client.errors import DeviceLocked, Unreachable, WrongPin
from tests.approver_tui.client.conftest import PIN


class FakeClock:
    """A clock, in seconds, that only the test advances."""

    seconds = 1_000.0

    def __call__(self):
        """Return the current time."""
        return self.seconds


@pytest.fixture
def ticks():
    """Return a clock that only the test advances."""
    return FakeClock()


@pytest.fixture
def low(client, ticks):
    """The low key, locked."""
    return LowKey(client, ticks)


def test_the_right_pin_unlocks_and_is_confirmed(low, client, server):
    """The opened key is the one that the server knows, and the attempts are reset."""
    low.open(PIN)
    assert low.get().thumbprint == client.profile.low_key
    assert server.pin_tries == 0


def test_a_wrong_pin_does_not_unlock_and_is_counted(low, server):
    """The server counts the attempt, and the error has the number of attempts left."""
    with pytest.raises(WrongPin) as caught:
        low.open("wrong horse")
    assert (caught.value.tries, caught.value.left) == (1, 9)
    assert low.get() is None
    assert server.pin_tries == 1


def test_a_wrong_pin_does_not_lock_an_unlocked_app(low):
    """An app that is already unlocked stays unlocked after a wrong PIN."""
    low.open(PIN)
    with pytest.raises(WrongPin):
        low.open("wrong horse")
    assert low.get() is not None


def test_after_ten_attempts_the_right_pin_is_refused(low, server):
    """The limit is enforced by the server and not by a counter on this disk."""
    server.pin_tries = 10
    with pytest.raises(DeviceLocked):
        low.open(PIN)


def test_without_a_confirmation_the_app_stays_locked(low, server):
    """The app unlocks only after the server has recorded that the PIN was right."""
    server.faults.drop_request_to.add("/confirmation")
    with pytest.raises(Unreachable):
        low.open(PIN)
    assert low.get() is None


def test_an_idle_app_locks(low, ticks):
    """After fifteen minutes without activity, the key is wiped."""
    low.open(PIN)
    opened = low._opened
    ticks.seconds += IDLE_LIMIT
    assert low.get() is not None
    ticks.seconds += 1
    assert low.get() is None
    assert opened.scalar == bytes(32)


def test_activity_resets_the_idle_timer(low, ticks):
    """Activity after the time limit does not unlock the app again."""
    low.open(PIN)
    ticks.seconds += IDLE_LIMIT - 5
    low.touch()
    ticks.seconds += IDLE_LIMIT - 5
    assert low.get() is not None
    ticks.seconds += IDLE_LIMIT
    low.touch()
    assert low.get() is None


def test_a_changed_clock_does_not_extend_the_idle_time(low, client, ticks):
    """The idle time does not depend on the server's clock or on this machine's wall clock."""
    low.open(PIN)
    client.observe(client.now() - 10 * IDLE_LIMIT * 1_000, client.now())
    ticks.seconds += IDLE_LIMIT + 1
    assert low.get() is None


def test_the_idle_clock_also_runs_while_the_machine_sleeps(monkeypatch):
    """Systems without such a clock use their monotonic clock."""
    monkeypatch.setattr(time, "clock_gettime", lambda clock: clock)
    assert boottime_seconds() == getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def test_locking_wipes_the_key(low):
    """After locking, the private key is no longer in memory."""
    low.open(PIN)
    opened = low._opened
    low.lock()
    assert (opened.scalar, low.get()) == (bytes(32), None)


def test_a_temporary_high_key_is_wiped_even_on_an_error(client):
    """The key is wiped when the block raises an error."""
    block = temporary_high_key(client, PIN, SESSION_PURPOSE)
    opened = block.__enter__()
    assert opened.key.thumbprint == client.profile.high_key
    assert not block.__exit__(RuntimeError, RuntimeError(), None)
    assert opened.scalar == bytes(32)
