"""Passwords are hashed with argon2id."""

import threading
import time

import pytest

from server.crypto import passwords
from server.crypto.passwords import MAX_CONCURRENT_HASHES, Argon2Passwords
from server.model.store import Busy


def test_a_password_verifies_only_against_its_own_hash():
    """Two hashes of one password differ in their salt. An invalid hash never verifies."""
    hasher = Argon2Passwords()
    first, second = hasher.hash("correct horse battery"), hasher.hash("correct horse battery")
    assert first != second
    assert first.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert hasher.verify("correct horse battery", first)
    assert not hasher.verify("correct horse batterx", first)
    assert not hasher.verify("correct horse battery", "nonsense")
    assert not hasher.verify("nobody", None)


def test_checking_the_password_of_an_unknown_user_takes_just_as_long():
    """Timing does not reveal whether an account exists."""
    hasher = Argon2Passwords()
    hashed = hasher.hash("correct horse battery")
    hasher.verify("x", None)

    def cost(stored_hash):
        started = time.thread_time()
        for _ in range(5):
            hasher.verify("wrong", stored_hash)
        return time.thread_time() - started

    assert cost(None) > cost(hashed) / 3


def test_concurrent_hashing_is_limited_and_waits_time_out(monkeypatch):
    """Further callers wait, but not forever."""
    monkeypatch.setattr(passwords, "_TIMEOUT_SECONDS", 0.05)
    entered, resume = threading.Semaphore(0), threading.Event()

    def run_when_resumed(work):
        entered.release()
        resume.wait(10)
        return work()

    hasher = Argon2Passwords(run_when_resumed)
    threads = [
        threading.Thread(target=hasher.hash, args=("x",)) for _ in range(MAX_CONCURRENT_HASHES)
    ]
    for thread in threads:
        thread.start()
        entered.acquire(timeout=10)
    with pytest.raises(Busy):
        hasher.hash("x")
    resume.set()
    for thread in threads:
        thread.join()
    assert hasher.hash("x")
