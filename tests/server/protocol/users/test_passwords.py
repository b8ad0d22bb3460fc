"""What may be a password, and how long a form waits."""

import pytest

from server.protocol.users import passwords


def test_a_password_is_kept_in_one_spelling():
    """Composed or not, it is the same one; nothing else about it is changed."""
    assert passwords.check("pässword with marks") == "pässword with marks"
    assert passwords.check("  spaces stay  ") == "  spaces stay  "


@pytest.mark.parametrize(
    "raw", ["", "elevenchars", "a" * 257, "with\0null-character", "tab\there-and-there"]
)
def test_what_is_too_short_too_long_or_cannot_be_typed_is_refused(raw):
    """Twelve characters, and any alphabet."""
    with pytest.raises(ValueError, match="A password must"):
        passwords.check(raw)


def test_a_form_waits_longer_each_time_and_never_for_ever():
    """Five are free, then one second, two, four, up to five minutes."""
    pauses = [passwords.pause_ms(tries) // 1000 for tries in range(1, 16)]
    assert pauses == [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert passwords.pause_ms(10_000) == passwords.LONGEST_PAUSE_MS


def test_an_address_waits_later_and_never_as_long():
    """Many people may share it."""
    free = passwords.FREE_TRIES_OF_ADDRESS
    pauses = [passwords.pause_of_address_ms(tries) // 1000 for tries in range(free - 1, free + 8)]
    assert pauses == [0, 1, 2, 4, 8, 16, 32, 60, 60]


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::2:1", "2001:db8::/64"),
        ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
        ("", ""),
    ],
)
def test_an_ipv6_host_is_told_by_its_network(address, network):
    """It has 64 bits of its own."""
    assert passwords.network(address) == network


def test_a_name_is_looked_up_in_one_form():
    """Full-width, bold and surrounded by spaces."""
    assert [passwords.normalize_name(name) for name in ("\uff41na", "\U0001d41ana", " ana\t")] == [
        "ana"
    ] * 3
