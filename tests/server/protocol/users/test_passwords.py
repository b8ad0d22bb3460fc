"""Valid passwords, and the pauses after failed attempts."""

import pytest

from server.protocol.users import passwords


def test_a_password_is_normalized_to_one_form():
    """Composed and decomposed characters are equal; spaces are kept."""
    assert passwords.check("pässword with marks") == "pässword with marks"
    assert passwords.check("  spaces stay  ") == "  spaces stay  "


@pytest.mark.parametrize(
    "raw", ["", "elevenchars", "a" * 257, "with\0null-character", "tab\there-and-there"]
)
def test_an_invalid_password_is_refused(raw):
    """A password has 12 to 256 characters, and no control characters."""
    with pytest.raises(ValueError, match="A password must"):
        passwords.check(raw)


def test_the_pause_of_an_account_doubles_up_to_five_minutes():
    """The fifth failed attempt causes a pause of one second, which then doubles."""
    pauses = [passwords.pause_ms(failures) // 1000 for failures in range(1, 16)]
    assert pauses == [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert passwords.pause_ms(10_000) == passwords.MAX_PAUSE_MS


def test_the_pause_of_an_address_starts_later_and_stays_shorter():
    """An address gets more attempts and shorter pauses, because many users may share it."""
    free = passwords.FREE_ATTEMPTS_PER_ADDRESS
    pauses = [
        passwords.address_pause_ms(failures) // 1000 for failures in range(free - 1, free + 8)
    ]
    assert pauses == [0, 1, 2, 4, 8, 16, 32, 60, 60]


def test_a_name_is_looked_up_in_one_form():
    """Full-width and bold letters and surrounding spaces do not matter for a lookup."""
    assert [passwords.normalize_name(name) for name in ("\uff41na", "\U0001d41ana", " ana\t")] == [
        "ana"
    ] * 3
