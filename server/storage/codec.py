"""Conversion of lists and maps to JSON text in a column, and back."""

import json


def dump(value: object) -> str:
    """Compact JSON text with sorted members."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def load_map(text: str) -> dict[str, dict[str, str]]:
    """A map of maps of strings."""
    return dict(json.loads(text))


def names(text: str) -> tuple[str, ...]:
    """A list of strings."""
    return tuple(json.loads(text))


def string_map(text: str) -> dict[str, str]:
    """A map of strings."""
    return dict(json.loads(text))


def key(name: str) -> str:
    """The case-insensitive form of a name, for comparison."""
    return name.casefold()
