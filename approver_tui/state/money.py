"""The money in several requests, added up.

Owns: finding it, the sums. Money is what the signed action says is money; the display document says
what it is called and how its currency is written. A text that only looks like money is not counted.
Never: adds currencies or facts of different names.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from approver_tui.state.approvals.approvals import Approval, Fact
from approver_tui.state.approvals.type_back import without_typed
from approver_tui.state.text import SafeText

_MONEY = re.compile(r"(?P<currency>[A-Z]{3}) (?P<whole>-?[0-9,]+)(?:\.(?P<rest>[0-9]+))?")
_MEMBERS = {"minor", "currency"}


@dataclass(frozen=True, slots=True)
class Sum:
    """What one fact comes to over several requests, in one currency."""

    label: SafeText
    currency: str
    digits: int
    """How many digits of the minor unit stand behind the point."""
    minor: int

    def plus(self, minor: int) -> "Sum":
        """Return the sum with more, in minor units."""
        return replace(self, minor=self.minor + minor)

    @property
    def text(self) -> SafeText:
        """The sum as the facts write it: `EUR 4,820.00`."""
        whole, rest = divmod(abs(self.minor), 10**self.digits)
        sign = "-" if self.minor < 0 else ""
        behind = f".{rest:0{self.digits}}" if self.digits else ""
        return SafeText(f"{self.currency} {sign}{whole:,}{behind}")


def sums(approvals: Iterable[Approval]) -> tuple[Sum, ...]:
    """Return the sums, in the order in which their facts first stand."""
    totals: dict[tuple[str, str, int], Sum] = {}
    for found in (amount for approval in approvals for amount in _amounts(approval)):
        key = (found.label, found.currency, found.digits)
        before = totals.get(key)
        totals[key] = found if before is None else found.plus(before.minor)
    return tuple(totals.values())


def amount(approval: Approval) -> SafeText:
    """Return the money that a yes to this one lets go, where that is one sum; else nothing.

    Where less is granted it is the smaller one. What is to be typed back is not told.
    """
    granted = approval.granted
    less = (
        ()
        if granted is None
        else tuple(each.granted for each in granted.differences if _MONEY.fullmatch(each.granted))
    )
    if less:
        return less[0] if len(less) == 1 else SafeText("")
    found = sums((without_typed(approval),))
    return found[0].text if len(found) == 1 else SafeText("")


def _amounts(approval: Approval) -> Iterator[Sum]:
    """The facts that are written as money and stand for money of the signed action, each once."""
    action = json.loads(approval.action_text)
    left = list(_money(action["authorization_details"]))
    for fact in approval.display.facts:
        read = _read(fact)
        if read is not None and (read.currency, read.minor) in left:
            left.remove((read.currency, read.minor))
            yield read


def _money(value: object) -> Iterator[tuple[str, int]]:
    """Every amount in a JSON value."""
    if isinstance(value, list):
        for item in value:
            yield from _money(item)
    elif isinstance(value, Mapping):
        minor, currency = value.get("minor"), value.get("currency")
        if value.keys() == _MEMBERS and isinstance(minor, int) and isinstance(currency, str):
            yield currency, minor
        else:
            yield from _money(list(value.values()))


def _read(fact: Fact) -> Sum | None:
    match = _MONEY.fullmatch(fact.value)
    if match is None:
        return None
    rest = match["rest"] or ""
    minor = int(match["whole"].replace(",", "") + rest)
    return Sum(fact.label, match["currency"], len(rest), minor)
