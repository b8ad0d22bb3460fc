"""Two names that look the same are one name."""
# ruff: noqa: RUF001  # these letters are what it is about

import unicodedata

import pytest

from server.protocol.look_alikes import _LOOKS, name_key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Pay", "pAY"),
        ("cope", "соре"),
        ("BOT-7", "ВОТ-7"),
        ("Hope Pay 2", "Норе Рау 2"),
        ("poxy", "ροχγ"),
        ("MINT", "ΜΙΝΤ"),
        ("Straße", "STRASSE"),
    ],
)
def test_what_looks_the_same_has_one_key(one, other):
    """Whichever alphabet it is from, small or capital."""
    assert name_key(one) == name_key(other)


@pytest.mark.parametrize("name", ["Борис", "нора", "Σοφια", "Zoë", "山田"])
def test_a_letter_of_its_own_shows_the_script(name):
    """So people with names in other alphabets are found, sorted and told apart as ever."""
    assert name_key(name) == name.casefold()


def test_every_letter_that_is_taken_for_a_latin_one_is_of_another_script():
    """And what it is taken for is Latin."""
    for code, look in _LOOKS.items():
        assert unicodedata.name(chr(code)).split()[0] in {"CYRILLIC", "GREEK"}
        assert chr(look).isascii()
        assert chr(look).isalpha()
