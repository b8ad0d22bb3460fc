"""A person may choose other keys, but none that moves, and none twice."""

import pytest

from approver_tui.state.keymap import KEYS, Keymap, is_key
from approver_tui.state.text import SafeText


@pytest.mark.parametrize("key", ["A", "y", "!", "f2", "f12", "ctrl+a", "ctrl+r"])
def test_a_character_a_function_key_or_ctrl_may_be_chosen(key):
    """What does not move the cursor and means nothing to terminals."""
    assert is_key(key)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "j",
        "G",
        "1",
        " ",
        "é",
        "f1",
        "f13",
        "fx",
        "ctrl+c",
        "ctrl+",
        "ctrl+é",
        "ctrl+ab",
        "enter",
    ],
)
def test_what_moves_helps_or_ends_may_not(key):
    """Movement, digits, F1, and what terminals take for themselves."""
    assert not is_key(key)


def test_every_key_from_the_start_may_be_chosen():
    """So that two can be exchanged, and none of them is another's."""
    assert all(map(is_key, KEYS.values()))
    assert Keymap().twins() is None


def test_a_chosen_key_is_shown_in_the_place_of_the_first():
    """Any other text stays."""
    keymap = Keymap({"approve": "A"})
    assert (keymap.key("approve"), keymap.key("deny")) == ("A", "d")
    assert [keymap.shown(SafeText(key)) for key in ("a", "d", "Enter")] == ["A", "d", "Enter"]


def test_two_names_with_one_key_are_found():
    """Which of them would count is nobody's guess."""
    assert Keymap({"approve": "d"}).twins() == ("approve", "deny")
