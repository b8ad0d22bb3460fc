"""The key bindings, which the user can change.

Owns: the names of the actions, their default keys, which keys are allowed. Never: how a terminal
names a key; movement, Tab, Enter, Esc and digits, which cannot be changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from approver_tui.state.text import SafeText

KEYS: Mapping[str, str] = {
    "approve": "a",
    "deny": "d",
    "narrow": "e",
    "standing_grant": "s",
    "report": "!",
    "withdraw": "W",
    "undo": "u",
    "open_on_phone": "o",
    "select": "x",
    "select_all": "X",
    "details": "v",
    "expand": "+",
    "extend": "E",
    "retry": "R",
    "snooze": "S",
    "mute": "M",
    "agent_history": "t",
    "next": "w",
    "copy_fact": "c",
    "copy": "y",
    "copy_link": "Y",
    "refresh": "r",
    "lock": "L",
    "revoke": "z",
    "vouch": "V",
    "unlock": "U",
    "rename": "n",
    "test": "T",
    "suspend": "K",
    "filter": "/",
    "palette": ":",
    "help": "?",
    "quit": "q",
}
"""The actions with a configurable key, and their default keys as shown to a user."""

KEY_FORM = (
    "an ASCII letter, digit or symbol other than j, k, g, G and 1 to 9; f2 to f12; "
    "or ctrl+ and a lowercase letter other than c, d, i, j, m, u and z"
)
"""The allowed keys, as the end of an error message."""

_RESERVED = frozenset("jkgG123456789 ")
_RESERVED_WITH_CTRL = frozenset("cdijmuz")
_MAX_FUNCTION_KEYS = 12


@dataclass(frozen=True, slots=True)
class Keymap:
    """The keys that the user chose; other actions have their default key."""

    custom_keys: Mapping[str, str] = field(default_factory=dict)

    def key(self, name: str) -> SafeText:
        """Return the key of `name`, one of KEYS."""
        return SafeText(self.custom_keys.get(name, KEYS[name]))

    def display_key(self, key: SafeText) -> SafeText:
        """Return the chosen key for a default key; any other text is unchanged."""
        for name, default in KEYS.items():
            if default == key:
                return self.key(name)
        return key

    def fill(self, words: SafeText) -> SafeText:
        """Replace each `{name}` of KEYS in a text with its key."""
        return SafeText(words.format_map({name: self.key(name) for name in KEYS}))

    def duplicate_keys(self) -> tuple[str, str] | None:
        """Return two actions with the same key, if any."""
        seen: dict[str, str] = {}
        for name in KEYS:
            if (other := seen.setdefault(self.key(name), name)) != name:
                return other, name
        return None


DEFAULT_KEYMAP = Keymap()
"""The default keys."""


def is_key(text: str) -> bool:
    """Whether a key is allowed: a character, `f2` to `f12`, or `ctrl+` and a letter."""
    if len(text) == 1:
        return text.isascii() and text.isprintable() and text not in _RESERVED
    if text.startswith("ctrl+"):
        letter = text.removeprefix("ctrl+")
        return len(letter) == 1 and "a" <= letter <= "z" and letter not in _RESERVED_WITH_CTRL
    number = text.removeprefix("f")
    return text.startswith("f") and number.isdecimal() and 1 < int(number) <= _MAX_FUNCTION_KEYS
