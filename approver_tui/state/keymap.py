"""Which key does what, where a person may choose.

Owns: the names of what has a key, the keys from the start, what another key may be.
Never: how a terminal names a key; movement, Tab, Enter, Esc and digits, which stay as they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from approver_tui.state.text import SafeText

KEYS: Mapping[str, str] = MappingProxyType(
    {
        "approve": "a",
        "deny": "d",
        "less": "e",
        "similar": "s",
        "report": "!",
        "take_back": "u",
        "elsewhere": "o",
        "mark": "x",
        "unmark": "X",
        "details": "v",
        "unfold": "+",
        "extend": "E",
        "retry": "R",
        "snooze": "S",
        "mute": "M",
        "trail": "t",
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
)
"""What has a key that may be another, and the key from the start, as a person reads it."""

_TAKEN = frozenset("jkgG123456789 ")
_MOST_FUNCTION_KEYS = 12


@dataclass(frozen=True, slots=True)
class Keymap:
    """The keys that a person chose; what is not there has its key from the start."""

    chosen: Mapping[str, str] = field(default_factory=dict)

    def key(self, name: str) -> SafeText:
        """Return the key of `name`, one of KEYS."""
        return SafeText(self.chosen.get(name, KEYS[name]))

    def shown(self, key: SafeText) -> SafeText:
        """Return what stands for a key from the start; any other text as it is."""
        for name, default in KEYS.items():
            if default == key:
                return self.key(name)
        return key

    def fill(self, words: SafeText) -> SafeText:
        """Return words of our own with the key of `{name}` in its place, for each name in KEYS."""
        return SafeText(words.format_map({name: self.key(name) for name in KEYS}))

    def twins(self) -> tuple[str, str] | None:
        """Return two names that have the same key, if there are any."""
        seen: dict[str, str] = {}
        for name in KEYS:
            if (other := seen.setdefault(self.key(name), name)) != name:
                return other, name
        return None


AS_THEY_ARE = Keymap()
"""Everything has its key from the start."""


def is_key(text: str) -> bool:
    """Tell whether a person may choose this key: a character, `f2` to `f12`, `ctrl+` a letter."""
    if len(text) == 1:
        return text.isascii() and text.isprintable() and text not in _TAKEN
    if text.startswith("ctrl+"):
        letter = text.removeprefix("ctrl+")
        return len(letter) == 1 and "a" <= letter <= "z" and letter not in "cdijmuz"
    number = text.removeprefix("f")
    return text.startswith("f") and number.isdecimal() and 1 < int(number) <= _MOST_FUNCTION_KEYS
