"""The step that approves: what its button says, and whether it can repeat the headline.

Owns: the text of the button. Never: deciding which steps a request needs.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from server.protocol.text import display_safe

_USUAL: Final = "Approve with passkey"
_LONGEST: Final = 32
_CURRENCY: Final = "(?:[A-Z]{3}|[€$£¥])"
_AMOUNT: Final = re.compile(
    rf"(?:{_CURRENCY} ?)?-?\d[\d.,'\u2019\u00a0\u202f]*(?: {_CURRENCY})?(?!\S)"
)
_MONEY: Final = re.compile(_CURRENCY)
_UNIT: Final = re.compile(rf"{_AMOUNT.pattern}|\S+")
_LINKS: Final = frozenset({"at", "by", "for", "from", "in", "into", "of", "on", "to", "with"})
_KINDS: Final = frozenset({"action", "app_action"})


def button_text(kind: str, headline: str) -> str:
    """The text of the button that approves: what it does, such as "Pay EUR 4,820.00".

    It ends before the first preposition after the last number. A number is never cut or left out:
    if the text would be too long with it, the button only says that it approves.
    """
    units = _UNIT.findall(display_safe(headline))
    numbers = [place for place, unit in enumerate(units) if _AMOUNT.fullmatch(unit)]
    last = numbers[-1] if numbers else 0
    links = (place for place in range(last + 1, len(units)) if units[place].lower() in _LINKS)
    end = next(links, len(units))
    whole = " ".join(units[:end])
    if len(whole) > _LONGEST and numbers and _MONEY.search(units[last]):
        whole = " ".join(units[: last + 1])
    if kind not in _KINDS or not whole or (len(whole) > _LONGEST and numbers):
        return _USUAL
    return whole if len(whole) <= _LONGEST else _shortened(units[:end])


def _shortened(units: list[str]) -> str:
    """As many words as fit."""
    text = ""
    for unit in units:
        longer = f"{text} {unit}".strip()
        if len(longer) >= _LONGEST:
            break
        text = longer
    return f"{text}…" if text else _USUAL


def shows_typed_fact(display: Mapping[str, Any]) -> bool:
    """Reports whether the headline contains the fact that the person has to type."""
    wanted = display["type_back"]
    if wanted is None:
        return False
    values = [_plain(one["value"]) for one in display["facts"] if one["label"] == wanted["label"]]
    if wanted["kind"] == "last_four":
        values = [one[-4:] for one in values]
    headline = _plain(display["headline"])
    return not values or any(one in headline for one in values)


def _plain(text: str) -> str:
    """The letters and digits."""
    return "".join(filter(str.isalnum, text.casefold()))
