"""The sum of the money in several requests.

Owns: finding the amounts, adding them. An amount counts only if it is money in the signed action;
the display document has its label and the digits of its currency. Never: adding different
currencies or facts with different names.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from approver_tui.state.approvals.approvals import Approval, Fact
from approver_tui.state.approvals.type_back import hide_typed_fact
from approver_tui.state.currencies import amounts
from approver_tui.state.text import SafeText

_MONEY = re.compile(
    r"(?P<currency>[A-Z]{3}) (?P<whole>-?[0-9][0-9,]{0,30})(?:\.(?P<rest>[0-9]{1,9}))?"
)
"""An amount as the server shows it. Text from an agent may look similar: `EUR ,`."""


@dataclass(frozen=True, slots=True)
class Sum:
    """The total of one fact over several requests, in one currency."""

    label: SafeText
    currency: str
    digits: int
    """The number of decimal places."""
    minor: int

    @property
    def text(self) -> SafeText:
        """The sum, written like a fact: `EUR 4,820.00`."""
        whole, minor_digits = divmod(abs(self.minor), 10**self.digits)
        sign = "-" if self.minor < 0 else ""
        fraction = f".{minor_digits:0{self.digits}}" if self.digits else ""
        return SafeText(f"{self.currency} {sign}{whole:,}{fraction}")


def sums(approvals: Iterable[Approval]) -> tuple[Sum, ...]:
    """Return the sums, in the order in which their facts first appear."""
    totals: dict[tuple[str, str, int], Sum] = {}
    for total in (amount for approval in approvals for amount in _amounts(approval)):
        key = (total.label, total.currency, total.digits)
        previous = totals.get(key)
        totals[key] = replace(total, minor=total.minor + (previous.minor if previous else 0))
    return tuple(totals.values())


def amount(approval: Approval) -> SafeText:
    """Return the money that approving this request spends, if it is a single sum.

    For a narrowed request it is the smaller amount. An amount that must be typed back is not shown.
    """
    differences = () if approval.granted is None else approval.granted.differences
    granted = [difference.granted for difference in differences]
    texts = [text for text in granted if _MONEY.fullmatch(text)]
    texts = texts or [total.text for total in sums((hide_typed_fact(approval),))]
    return texts[0] if len(texts) == 1 else SafeText("")


def money_fact(approval: Approval, value: Mapping[str, object]) -> Fact | None:
    """Return the fact that shows an amount of the action, if one does."""
    for fact in approval.display.facts:
        parsed = _parse_fact(fact)
        if parsed is not None and value == {"minor": parsed.minor, "currency": parsed.currency}:
            return fact
    return None


def _amounts(approval: Approval) -> Iterator[Sum]:
    """Yield the facts that are also money in the signed action, each once."""
    action = json.loads(approval.action_text)
    remaining = list(amounts(action["authorization_details"]))
    for fact in approval.display.facts:
        parsed = _parse_fact(fact)
        if parsed is not None and (parsed.currency, parsed.minor) in remaining:
            remaining.remove((parsed.currency, parsed.minor))
            yield parsed


def _parse_fact(fact: Fact) -> Sum | None:
    match = _MONEY.fullmatch(fact.value)
    if match is None:
        return None
    decimals = match["rest"] or ""
    minor = int(match["whole"].replace(",", "") + decimals)
    return Sum(fact.label, match["currency"], len(decimals), minor)
