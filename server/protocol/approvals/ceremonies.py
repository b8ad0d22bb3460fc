"""Ceremonies: the steps that a person takes to approve a request, and their text form.

Owns: the steps, their text form, and which entries match a type-back value. Never: which steps a
request needs (policy), or the effect of a wrong entry (services).

Approving always takes a confirmation in an unlocked app. Further steps are added in alphabetical
order: `confirm`, `pin`, `pin+type_back`, `match+pin+reason+type_back`.
"""

import hmac
import json
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from itertools import combinations
from typing import Final, TypeAlias

from server.protocol import json_text
from server.protocol.json_text import JsonValue
from server.protocol.policy import rendering, uses
from server.protocol.policy.fact_rules import FactToType


class Step(StrEnum):
    """A step in addition to confirming. The names are part of the API."""

    MATCH = "match"
    """Type the match number, to prove that the request comes from the agent on the screen."""
    PIN = "pin"
    """Enter the PIN for this request."""
    REASON = "reason"
    """Give a reason for the audit log."""
    TYPE_BACK = "type_back"
    """Type back a value of the request."""


Ceremony: TypeAlias = frozenset[Step]

CONFIRM: Final[Ceremony] = frozenset()
"""Only the confirmation."""

COMPARED_STEPS: Final[Ceremony] = frozenset({Step.MATCH, Step.TYPE_BACK})
"""Steps with an entry that the server checks. It counts the attempts."""

_CONFIRM = "confirm"
_LAST_CHARACTERS = 4
_MATCH_NUMBERS = 1_000


def ceremony_text(ceremony: Ceremony) -> str:
    """Return the text form of these steps."""
    return "+".join(sorted(ceremony)) or _CONFIRM


_BY_TEXT: Final = {
    ceremony_text(frozenset(steps)): frozenset(steps)
    for count in range(len(Step) + 1)
    for steps in combinations(Step, count)
}
CEREMONY_TEXTS: Final = frozenset(_BY_TEXT)
"""All valid text forms of a ceremony."""


def parse_ceremony(text: str) -> Ceremony:
    """Parse the text form of a ceremony. Raises ValueError if it is not a valid form."""
    if text not in _BY_TEXT:
        raise ValueError("ceremony is not one of the values allowed here")
    return _BY_TEXT[text]


@dataclass(frozen=True, slots=True)
class TypeBack:
    """The value to type back: its label, its kind and its location."""

    label: str
    kind: str
    """`last_four`, `money`, `number` or `text`."""
    at: str
    """A JSON pointer into the action text."""

    def document(self) -> dict[str, JsonValue]:
        """Return the `type_back` member of the display. It does not include the value."""
        return {"label": self.label, "kind": self.kind, "at": self.at}


def type_back_kind(fact: FactToType, value: JsonValue) -> str:
    """Return the kind of entry that matches a valid value."""
    if fact.part == "last_four":
        return "last_four"
    if isinstance(value, dict):
        return "money"
    return "text" if isinstance(value, str) else "number"


def value_at(action: str, at: str) -> JsonValue:
    """Return the value at a pointer that was created for this action text."""
    return json_text.value_at(json.loads(action), uses.as_path(at))


def matches_value(kind: str, value: JsonValue, entry: str) -> bool:
    """Return whether an entry matches the value, in constant time over all accepted forms."""
    normalized = _normalize(kind, entry)
    digest = _digest(normalized)
    matches = [
        hmac.compare_digest(digest, _digest(accepted))
        for accepted in _accepted_entries(kind, value)
    ]
    return normalized != "" and any(matches)


def match_number(nonce: str) -> str:
    """Return the match number that the agent shows. It is derived from a nonce of the request."""
    return f"{int.from_bytes(_digest(nonce)) % _MATCH_NUMBERS:03}"


def matches_number(number: str, entry: str) -> bool:
    """Return whether an entry equals the match number."""
    return hmac.compare_digest(_digest(number), _digest("".join(entry.split())))


_SYMBOLS: Final = {"eur": "€", "gbp": "£", "jpy": "¥", "usd": "$"}


def _accepted_entries(kind: str, value: JsonValue) -> Iterator[str]:
    """Return the accepted entries, normalized by `_normalize`."""
    safe_text = rendering.render(value, max_chars=rendering.MAX_MATERIAL_VALUE)
    plain = _normalize(kind, safe_text)
    if kind == "last_four":
        yield plain[-_LAST_CHARACTERS:]
    elif isinstance(value, dict):
        yield from _amount_forms(str(value["currency"]).casefold(), plain)
    else:
        yield from {plain, plain.replace(",", "")} if kind == "number" else {plain}


def _amount_forms(currency: str, formatted: str) -> Iterator[str]:
    """Return an amount with and without its currency, separators and zero fraction.

    A dot as a thousands separator and a decimal comma are accepted only if the fraction is typed.
    """
    amount = formatted.removeprefix(currency)
    integer_part, _, fraction = amount.partition(".")
    amounts = {amount, integer_part} if not fraction.strip("0") else {amount}
    amounts |= {written.replace(",", mark) for written in amounts for mark in ("", "'", "\u2019")}
    if fraction:
        amounts |= {
            f"{integer_part.replace(',', mark)},{fraction}" for mark in ("", ".", "'", "\u2019")
        }
    for written in amounts:
        yield written
        for name in {currency, _SYMBOLS.get(currency, currency)}:
            yield from (name + written, written + name)


def _normalize(kind: str, text: str) -> str:
    """Normalize an entry: Unicode form, case and whitespace."""
    folded = unicodedata.normalize("NFC", text).casefold()
    if kind == "text":
        return " ".join(folded.split())
    joined = "".join(folded.split())
    return "".join(filter(str.isalnum, joined)) if kind == "last_four" else joined


def _digest(text: str) -> bytes:
    return sha256(text.encode(errors="surrogatepass")).digest()
