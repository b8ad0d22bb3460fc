"""Device codes in the database: a code creates at most one approval."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from server.model.devices import DeviceCode
from server.storage.store import SqlStore
from tests.support.builders.clock import MINUTE, NOON

Opener = Callable[[str], SqlStore]


def _code(**members: Any) -> DeviceCode:
    plain = DeviceCode(
        id="sayso_dr_1",
        device_code_hash=b"device",
        user_code_hash=b"user",
        client_id="sayso-approver",
        resource="",
        scope="",
        jkt="key",
        name="desktop",
        address="192.0.2.7",
        created_at=NOON,
        expires_at=NOON + 15 * MINUTE,
        interval_ms=5_000,
        last_poll_at=None,
        approval_id=None,
    )
    return replace(plain, **members)


def _add_code(store: SqlStore) -> None:
    with store.write() as tx:
        tx.device_codes.add(_code())


def test_a_device_grant_is_found_by_either_code(store: SqlStore) -> None:
    """One code cannot be used in place of the other."""
    _add_code(store)
    with store.write() as tx:
        assert tx.device_codes.by_device_code(b"device") == _code()
        assert tx.device_codes.by_user_code(b"user") == _code()
        assert tx.device_codes.by_device_code(b"user") is None
        assert tx.device_codes.by_user_code(b"device") is None


def test_one_of_many_concurrent_entries_uses_the_code(
    store: SqlStore, url: str, open_database: Opener
) -> None:
    """Two processes enter the code at the same time."""
    _add_code(store)
    stores = [store, open_database(url)]

    def use(number: int) -> bool:
        with stores[number % 2].write() as tx:
            return tx.device_codes.use("sayso_dr_1", f"sayso_ap_{number}", NOON)

    with ThreadPoolExecutor(8) as threads:
        assert sorted(threads.map(use, range(8))) == [False] * 7 + [True]


def test_a_device_code_cannot_be_used_after_its_expiry(store: SqlStore) -> None:
    """The expiry is exact to the millisecond."""
    _add_code(store)
    with store.write() as tx:
        assert not tx.device_codes.use("sayso_dr_1", "sayso_ap_1", NOON + 15 * MINUTE)
        assert tx.device_codes.use("sayso_dr_1", "sayso_ap_1", NOON + 15 * MINUTE - 1)


def test_a_poll_changes_only_its_own_members(store: SqlStore) -> None:
    """DG-21: a poll never reverts a concurrent change."""
    _add_code(store)
    with store.write() as tx:
        tx.device_codes.use("sayso_dr_1", "sayso_ap_1", NOON)
        tx.device_codes.record_poll("sayso_dr_1", now=NOON + 1, interval_ms=10_000)
        assert tx.device_codes.by_user_code(b"user") == _code(
            approval_id="sayso_ap_1", last_poll_at=NOON + 1, interval_ms=10_000
        )


def test_expired_device_codes_are_deleted(store: SqlStore) -> None:
    """A code is deleted an hour after its expiry, and not earlier."""
    _add_code(store)
    with store.write() as tx:
        assert tx.device_codes.prune(NOON + 75 * MINUTE - 1) == 0
        assert tx.device_codes.prune(NOON + 75 * MINUTE) == 1
        assert tx.device_codes.by_user_code(b"user") is None
