"""What a person has to do to say yes: a set of steps, and how a set is spelled.

Owns: the steps, their one spelling, what may be typed for a fact. Never: which steps a request
takes (policy) and what happens after a wrong entry (services).

A yes always takes a confirmation in an unlocked app. Steps come on top of it, spelled in the order
of the alphabet: `confirm`, `pin`, `pin+type_back`, `match+pin+reason+type_back`.
"""

import hmac
import json
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from itertools import combinations
from typing import Any, Final, TypeAlias

from server.protocol.json_text import JsonValue
from server.protocol.policy import rendering
from server.protocol.policy.rendering import MAX_MATERIAL_VALUE
from server.protocol.policy.stakes import FactToType


class Step(StrEnum):
    """One thing to do beside confirming. The names are part of the API."""

    MATCH = "match"
    """Type the number that the agent shows: this is the session in front of me."""
    PIN = "pin"
    """Enter the PIN for this very request."""
    REASON = "reason"
    """Say why, for the record."""
    TYPE_BACK = "type_back"
    """Type a fact of the request from having read it."""


Ceremony: TypeAlias = frozenset[Step]

CONFIRM: Final[Ceremony] = frozenset()
"""No step beside the confirmation."""

TYPED: Final[Ceremony] = frozenset({Step.MATCH, Step.TYPE_BACK})
"""Those whose entry is compared here, so that tries are counted."""

_CONFIRM = "confirm"
_LAST = 4


def spelled(ceremony: Ceremony) -> str:
    """The one text that stands for these steps."""
    return "+".join(sorted(ceremony)) or _CONFIRM


_SPELLED: Final = {
    spelled(frozenset(steps)): frozenset(steps)
    for count in range(len(Step) + 1)
    for steps in combinations(Step, count)
}
SPELLINGS: Final = frozenset(_SPELLED)
"""Every text that says how somebody said yes."""


def read(text: str) -> Ceremony:
    """The steps that a text stands for. ValueError for any other spelling."""
    if text not in _SPELLED:
        raise ValueError("ceremony is not one of the values allowed here")
    return _SPELLED[text]


@dataclass(frozen=True, slots=True)
class Typed:
    """What a person is asked to type: what it is called, of which kind, where it stands."""

    label: str
    kind: str
    """`last_four`, `money`, `number` or `text`."""
    at: str
    """A JSON pointer into the action text."""

    def document(self) -> dict[str, JsonValue]:
        """As the display has it. The value is among the facts, and nowhere else."""
        return {"label": self.label, "kind": self.kind, "at": self.at}


def kind_of(fact: FactToType, value: JsonValue) -> str:
    """Which kind of text is to be typed for a value that the schema has accepted."""
    if fact.part == "last_four":
        return "last_four"
    if isinstance(value, dict):
        return "money"
    return "text" if isinstance(value, str) else "number"


def value_at(action: str, at: str) -> JsonValue:
    """The value at a pointer that was made for this action text."""
    found: Any = json.loads(action)
    for part in at.removeprefix("/").split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        found = found[int(name)] if isinstance(found, list) else found[name]
    return found  # type: ignore[no-any-return]  # a member of JSON


def is_typed(kind: str, value: JsonValue, entry: str) -> bool:
    """Reports whether an entry is this value as a person reads it; every spelling is compared."""
    plain = _plain(kind, entry)
    given = _digest(plain)
    same = [hmac.compare_digest(given, _digest(one)) for one in _spellings(kind, value)]
    return plain != "" and any(same)


def is_same_number(number: str, entry: str) -> bool:
    """Reports whether an entry is the number that the agent shows."""
    return hmac.compare_digest(_digest(number), _digest("".join(entry.split())))


def _spellings(kind: str, value: JsonValue) -> Iterator[str]:
    """What may be typed, as `_plain` writes it."""
    shown = rendering.shown(value, max_chars=MAX_MATERIAL_VALUE)
    plain = _plain(kind, shown)
    if kind == "last_four":
        yield plain[-_LAST:]
    elif isinstance(value, dict):
        yield from _with_and_without(str(value["currency"]).casefold(), plain)
    else:
        yield from {plain, plain.replace(",", "")} if kind == "number" else {plain}


def _with_and_without(currency: str, shown: str) -> Iterator[str]:
    """An amount with and without its currency, its commas, and a fraction that is nothing."""
    amount = shown.removeprefix(currency)
    whole, _, fraction = amount.partition(".")
    amounts = {amount, whole} if not fraction.strip("0") else {amount}
    for one in {*amounts, *(one.replace(",", "") for one in amounts)}:
        yield from (one, currency + one, one + currency)


def _plain(kind: str, text: str) -> str:
    """Without what does not change the meaning: case, and spaces beyond one between words."""
    folded = unicodedata.normalize("NFC", text).casefold()
    if kind == "text":
        return " ".join(folded.split())
    joined = "".join(folded.split())
    return "".join(filter(str.isalnum, joined)) if kind == "last_four" else joined


def _digest(text: str) -> bytes:
    return sha256(text.encode(errors="surrogatepass")).digest()
