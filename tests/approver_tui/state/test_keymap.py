"""Which keys can be chosen."""

import re
from string import ascii_lowercase

import pytest

from approver_tui.state.keymap import KEY_FORM, KEYS, Keymap, is_key
from approver_tui.state.text import SafeText


@pytest.mark.parametrize("key", ["A", "y", "!", "f2", "f12", "ctrl+a", "ctrl+r"])
def test_characters_function_keys_and_ctrl_are_allowed(key):
    """An action can have a character, a function key, or Ctrl and a letter as its key."""
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
def test_movement_help_and_control_keys_are_not_allowed(key):
    """Keys that move the cursor, digits, F1 and control keys cannot be assigned."""
    assert not is_key(key)


def test_the_error_message_excludes_exactly_the_refused_keys():
    """It lists no key that is allowed, and misses none that is refused."""
    characters, _, ctrl = KEY_FORM.partition("; ")
    assert _excluded(characters) - set("to") == {
        key for key in map(chr, range(33, 127)) if not is_key(key)
    } - set("2345678")
    assert _excluded(ctrl) == {key for key in ascii_lowercase if not is_key(f"ctrl+{key}")}


def _excluded(text):
    """Return the single characters after "other than"."""
    return {word for word in re.findall(r"\w+", text.partition("other than")[2]) if len(word) == 1}


def test_every_default_key_is_allowed():
    """Every default key can be assigned, so the keys of two actions can be swapped."""
    assert all(map(is_key, KEYS.values()))
    assert Keymap().duplicate_keys() is None


def test_a_chosen_key_replaces_its_default():
    """Texts that are not the default key are shown unchanged."""
    keymap = Keymap({"approve": "A"})
    assert (keymap.key("approve"), keymap.key("deny")) == ("A", "d")
    assert [keymap.display_key(SafeText(key)) for key in ("a", "d", "Enter")] == ["A", "d", "Enter"]


def test_two_actions_with_one_key_are_found():
    """The result names both actions that have the same key."""
    assert Keymap({"approve": "d"}).duplicate_keys() == ("approve", "deny")
