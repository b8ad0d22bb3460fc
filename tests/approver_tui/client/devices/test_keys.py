"""Only the PIN, the server's half and the device together unseal a key."""

import pytest
from argon2.low_level import Type, hash_secret_raw

from approver_tui.client.devices import keys
from approver_tui.client.devices.keys import KeyLevel
from approver_tui.client.errors import BadPin

X, Y = bytes(32), bytes([1]) * 32
SECRET = bytes(range(32))


@pytest.fixture(scope="module")
def blob() -> bytes:
    """A sealed private key."""
    return keys.seal(SECRET, x=X, y=Y, level=KeyLevel.LOW, device="sayso_dv_a")


def test_the_same_values_unseal_the_key(blob):
    """The key is unsealed into memory that can be wiped."""
    opened = keys.unseal(blob, x=X, y=Y, level=KeyLevel.LOW, device="sayso_dv_a")
    assert opened == SECRET
    keys.wipe(opened)
    assert opened == bytes(32)


@pytest.mark.parametrize(
    "change",
    [
        {"x": Y},
        {"y": X},
        {"level": KeyLevel.HIGH},
        {"device": "sayso_dv_b"},
    ],
    ids=["another PIN", "another server", "another level", "another device"],
)
def test_any_other_value_does_not_unseal_it(blob, change):
    """A wrong PIN, server half, level or device fails with the same error."""
    values = {"x": X, "y": Y, "level": KeyLevel.LOW, "device": "sayso_dv_a"} | change
    with pytest.raises(keys.UnsealFailed):
        keys.unseal(blob, **values)


@pytest.mark.parametrize("blob", [b"", bytes(11), bytes(12), bytes(40)])
def test_a_damaged_blob_does_not_unseal(blob):
    """A truncated or damaged blob raises the same error as a wrong PIN."""
    with pytest.raises(keys.UnsealFailed):
        keys.unseal(blob, x=X, y=Y, level=KeyLevel.LOW, device="sayso_dv_a")


def test_each_seal_is_different(blob):
    """Two seals of one key with one PIN have different nonces."""
    again = keys.seal(SECRET, x=X, y=Y, level=KeyLevel.LOW, device="sayso_dv_a")
    assert again[:12] != blob[:12]


def test_stretching_uses_the_agreed_cost(monkeypatch):
    """The PIN is stretched with Argon2id: three passes over 64 MiB on one lane (RFC 9106)."""
    monkeypatch.undo()
    expected = hash_secret_raw(b"123456", bytes(16), 3, 65_536, 1, 32, Type.ID)
    assert keys.stretch("123456", bytes(16)) == expected


def test_stretching_depends_on_pin_and_salt():
    """Composed and decomposed characters count as the same PIN."""
    salt = bytes(16)
    stretched = keys.stretch("zo\u00eb zo\u00eb", salt)
    assert len(stretched) == 32
    assert keys.stretch("zoe\u0308 zoe\u0308", salt) == stretched
    assert keys.stretch("zoe zoe", salt) != stretched
    assert keys.stretch("zo\u00eb zo\u00eb", bytes([1]) * 16) != stretched


@pytest.mark.parametrize("pin", ["", "12345", "zoe\u0308zo"])
def test_a_short_pin_is_rejected(pin):
    """A new PIN needs six characters or more, counted after normalization."""
    with pytest.raises(BadPin):
        keys.check_pin(pin)
    keys.check_pin("123456")
