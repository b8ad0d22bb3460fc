"""Strings that look alike have the same skeleton; strings of mixed scripts are recognized."""
# ruff: noqa: RUF001  # these tests need ambiguous letters

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.protocol.confusables import (
    _prototypes,
    mixed_scripts,
    name_keys,
    scripts,
    skeleton,
)

_LOOK_ALIKES = sorted(_prototypes())
_NEAR = st.text(
    st.one_of(st.sampled_from("invoice-bot1lIO0m"), st.sampled_from(_LOOK_ALIKES).map(chr))
)
_TEXTS = st.one_of(st.text(), _NEAR)


@given(_TEXTS)
def test_a_skeleton_is_its_own_skeleton(text):
    """The skeleton of a skeleton is the same skeleton, for any string."""
    assert skeleton(skeleton(text)) == skeleton(text)


def test_the_skeleton_of_every_character_is_its_own_skeleton():
    """The same holds for each character of Unicode except surrogates."""
    characters = (chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000)
    assert [char for char in characters if skeleton(skeleton(char)) != skeleton(char)] == []


@given(st.data())
def test_texts_of_one_skeleton_are_confusable_with_each_other(data):
    """Replacing any characters of a name by look-alikes does not change its skeleton."""
    name = "invoice-bot"
    by_look = {}
    for code in _LOOK_ALIKES:
        by_look.setdefault(skeleton(chr(code)), []).append(chr(code))

    def spell():
        choices = (
            st.sampled_from([character, *by_look.get(skeleton(character), [])])
            for character in name
        )
        return "".join(map(data.draw, choices))

    left, right = spell(), spell()
    assert skeleton(left) == skeleton(right)
    assert skeleton(left) == skeleton(name)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("invoice-bot", "invօice-bot"),
        ("invoice-bot", "lnvoice-bot"),
        ("invoice-bot", "Invoice-Bot"),
        ("invoice-bot", "1nv0ice-bot"),
        ("invoice-bot", "invoice\u200b-bot"),
        ("invoice-bot", "ｉｎｖｏｉｃｅ-ｂｏｔ"),
        ("merger", "rnerger"),
        ("cope", "соре"),
        ("BOT-7", "ВОТ-7"),
        ("paypal.com", "раypal.com"),
        ("Logistik", "Logіstik"),
        ("Straße", "STRASSE"),
        ("ﬁle", "file"),
    ],
)
def test_texts_that_look_alike_are_confusable(left, right):
    """Scripts, case, digits, letter pairs and invisible characters can make strings look alike."""
    assert skeleton(left) == skeleton(right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("vova", "nona"),
        ("Борис", "Boris"),
        ("Zoë", "Zoe"),
        ("bot-2", "bot-3"),
        ("invoice-bot", "invoice_bot"),
        ("", "a"),
    ],
)
def test_other_texts_are_not_confusable(left, right):
    """Strings that differ in letters, separators or accents have different skeletons."""
    assert skeleton(left) != skeleton(right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("invoice-bot", "invoice_bot"),
        ("invoice-bot", "Invoice  Bot"),
        ("invoice-bot", "lnvoice.bot"),
        ("invoice-bot", "invoicebot"),
        ("invoice-bot", "invoice-bot_"),
        ("node-1-11", "node1.11"),
        ("Νίκος", "νίκος"),
        ("НОРА", "нора"),
        ("ΝΑΝ", "nan"),
        ("ναν", "vav"),
    ],
)
def test_names_that_are_easily_confused_share_a_key(left, right):
    """Keys ignore separators, and case in any script."""
    assert name_keys(left) & name_keys(right)


@pytest.mark.parametrize(
    ("left", "right"),
    [("invoice-bot", "invoice-bot-2"), ("node-1-11", "node-11-1"), ("nan", "vav")],
)
def test_distinct_names_have_different_keys(left, right):
    """A separator between digits is not ignored, because it separates numbers."""
    assert not name_keys(left) & name_keys(right)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("invoice-bot 7", {"Latin"}),
        ("7 - 8", set()),
        ("invօice-bot", {"Latin", "Armenian"}),
        ("Logіstik", {"Latin", "Cyrillic"}),
        ("José 山田", {"Latin", "Han"}),
        ("カラー", {"Katakana"}),
    ],
)
def test_the_scripts_of_a_string_are_found(text, expected):
    """A character used in several scripts counts as a script that the string already contains."""
    assert scripts(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "Zoë", "Σοφία", "Борис", "José 山田", "山田カラーひ", "한국어 bot", "ㄅ中 bot", "חשבון 7"],
)
def test_a_string_in_one_script_is_not_mixed(text):
    """Latin together with Chinese, Japanese or Korean does not count as mixed either."""
    assert not mixed_scripts(text)


@pytest.mark.parametrize(
    "text",
    ["invօice-bot", "раypal.com", "Anna Смирнова", "bot חשבון", "ひ한", "Σοφία 山田", "bot-١"],
)
def test_a_name_in_several_scripts_is_mixed(text):
    """These names violate the level Highly Restrictive of UTS 39."""
    assert mixed_scripts(text)


@given(_TEXTS)
def test_a_text_of_one_script_is_never_mixed(text):
    """If a string is mixed, it has at least two scripts."""
    if mixed_scripts(text):
        assert len(scripts(text)) > 1
