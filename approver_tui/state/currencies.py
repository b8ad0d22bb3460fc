"""Finds amounts of money in JSON, and parses typed ones.

Owns: the members of an amount, the decimal places of each currency. Never: how an amount is shown.
"""

from collections.abc import Iterator, Mapping

_MEMBERS = {"minor", "currency"}

# ISO 4217: the currencies that do not have two decimal places.
_CURRENCIES_BY_DIGITS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
_DIGITS = {
    currency: digits
    for digits, currencies in _CURRENCIES_BY_DIGITS.items()
    for currency in currencies.split()
}


def amounts(value: object) -> Iterator[tuple[str, int]]:
    """Yield the currency and minor units of every amount in a JSON value."""
    if isinstance(value, list):
        for item in value:
            yield from amounts(item)
    elif isinstance(value, Mapping):
        minor, currency = value.get("minor"), value.get("currency")
        if value.keys() == _MEMBERS and isinstance(minor, int) and isinstance(currency, str):
            yield currency, minor
        else:
            yield from amounts(list(value.values()))


def example(currency: str) -> str:
    """Return an amount as the user would type it, with the decimal places of the currency."""
    digits = _DIGITS.get(currency, 2)
    return f"30.{'0' * digits}" if digits else "3000"


def typed_amount(text: str, currency: str) -> dict[str, object]:
    """Return the amount that the user typed, as JSON. Raises ValueError."""
    integer, _, decimals = text.partition(".")
    digits = _DIGITS.get(currency, 2)
    if len(decimals) > digits:
        raise ValueError("too many decimal places")
    return {"minor": int(integer + decimals.ljust(digits, "0")), "currency": currency}
