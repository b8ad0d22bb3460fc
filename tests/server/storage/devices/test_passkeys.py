"""Passkey rows: the statement that stores a counter also checks it, in both databases."""

from collections.abc import Callable

import pytest

from server.model.devices import Passkey
from server.model.users import User
from server.storage.store import SqlStore
from tests.support.builders.installation import device_row

USER = User("sayso_us_a", "ana", None, (), "enabled", 1)
DEVICE = "sayso_dv_a"
STORED, OTHER = b"1" * 32, b"2" * 32


@pytest.mark.parametrize(
    ("stored_count", "signs", "signed", "is_valid"),
    [
        (7, 8, OTHER, True),
        (7, 1 << 32, OTHER, True),
        (7, 7, OTHER, False),
        (7, 6, OTHER, False),
        (7, 0, OTHER, False),
        (0, 1, OTHER, True),
        (0, 0, OTHER, True),
        (7, 7, STORED, True),
    ],
)
def test_a_passkey_counter_increases_or_stays_unused(
    url: str,
    open_database: Callable[[str], SqlStore],
    *,
    stored_count: int,
    signs: int,
    signed: bytes,
    is_valid: bool,
) -> None:
    """A refused counter changes nothing. The same assertion may be repeated."""
    store = open_database(url)
    with store.administer() as tx:
        tx.users.add(USER)
        tx.devices.add(device_row(DEVICE, USER, tx.now))
        tx.passkeys.add(Passkey(DEVICE, b"c", b"k", stored_count, synced=False, last_signed=STORED))
    with store.write() as tx:
        assert tx.passkeys.count(DEVICE, signs, signed) is is_valid
    with store.read() as view:
        passkey = view.passkeys.get(DEVICE)
    assert passkey is not None
    assert (passkey.signs, passkey.last_signed) == (
        (signs, signed) if is_valid else (stored_count, STORED)
    )
