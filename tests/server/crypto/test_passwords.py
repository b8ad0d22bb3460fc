"""Passwords by argon2id."""

import threading
import time

import pytest

from server.crypto import passwords
from server.crypto.passwords import AT_ONCE, Argon2Passwords
from server.model.store import Busy


def test_a_password_verifies_only_against_its_own_hash():
    """Two hashes of one password differ by salt; an invalid hash never verifies."""
    hasher = Argon2Passwords()
    one, two = hasher.hash("correct horse battery"), hasher.hash("correct horse battery")
    assert one != two
    assert one.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert hasher.verify("correct horse battery", one)
    assert not hasher.verify("correct horse batterx", one)
    assert not hasher.verify("correct horse battery", "nonsense")
    assert not hasher.verify("nobody", None)


def test_an_unknown_user_takes_as_long_as_a_known_one():
    """Timing does not reveal whether an account exists."""
    hasher = Argon2Passwords()
    hashed = hasher.hash("correct horse battery")
    hasher.verify("x", None)

    def cost(known):
        began = time.thread_time()
        for _ in range(5):
            hasher.verify("wrong", known)
        return time.thread_time() - began

    assert cost(None) > cost(hashed) / 3


def test_concurrent_hashing_is_limited_and_waits_time_out(monkeypatch):
    """Further callers wait, but not forever."""
    monkeypatch.setattr(passwords, "_TIMEOUT_SECONDS", 0.05)
    entered, go_on = threading.Semaphore(0), threading.Event()

    def elsewhere(work):
        entered.release()
        go_on.wait(10)
        return work()

    hasher = Argon2Passwords(elsewhere)
    threads = [threading.Thread(target=hasher.hash, args=("x",)) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
        entered.acquire(timeout=10)
    with pytest.raises(Busy):
        hasher.hash("x")
    go_on.set()
    for thread in threads:
        thread.join()
    assert hasher.hash("x")
