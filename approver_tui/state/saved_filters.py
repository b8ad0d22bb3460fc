"""Named filters, as in `urgent = risk:high since:1d; mine = by:me`.

Owns: their text, and replacing `@urgent` with its filter. Never: what a filter means; `queries.py`
does that.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

NO_FILTERS: Mapping[str, str] = MappingProxyType({})
_SAVED_FILTER = re.compile(r"\s*([a-z0-9-]{1,20})\s*=\s*([^;=@\s][^;=@]*)")
_NAMED_FILTER = re.compile(r"\s*@([a-z0-9-]{1,20})\s*=(.*)")


def saved_filters(text: str) -> Mapping[str, str]:
    """Return each filter by its name. Raises ValueError."""
    matches = [_SAVED_FILTER.fullmatch(part) for part in text.split(";") if part.strip()]
    saved = {match[1]: match[2].strip() for match in matches if match}
    if len(saved) != len(matches):
        raise ValueError("use the form NAME = FILTER; NAME = FILTER")
    return saved


def named_filter(text: str) -> tuple[str, str] | None:
    """Return the name and the filter of `@urgent = risk:high`, which saves it; else None."""
    match = _NAMED_FILTER.fullmatch(text)
    return match and (match[1], match[2].strip())


def with_filter(saved: Mapping[str, str], name: str, text: str) -> str:
    """Return the setting with this filter, or without it if `text` is empty. Raises ValueError."""
    changed = {**saved, name: text}
    joined = "; ".join(
        f"{filter_name} = {filter_text}"
        for filter_name, filter_text in changed.items()
        if filter_text
    )
    saved_filters(joined)
    return joined


def expand(text: str, saved: Mapping[str, str]) -> str:
    """Replace each `@name` with its filter. Raises ValueError for an unknown name."""
    return " ".join(_filter(word, saved) for word in text.split())


def _filter(word: str, saved: Mapping[str, str]) -> str:
    if not word.startswith("@") or not saved:
        return word
    if word[1:] not in saved:
        raise ValueError(f"the saved filters are @{', @'.join(saved)}")
    return saved[word[1:]]
