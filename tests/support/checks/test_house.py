"""The numbers of `scripts/house` are those of the code, and a worse one is told."""

import json

import pytest

from tests.support.checks import house
from tests.support.checks.house import LIMITS, NUMBERS, worse


def test_the_kept_numbers_are_those_that_are_measured() -> None:
    """One that was renamed, or that nobody wrote down, would not be compared."""
    assert json.loads(LIMITS.read_text("utf-8")).keys() == NUMBERS.keys()


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_that_got_worse_is_told_by_its_name(name: str) -> None:
    """Numbers that stayed or fell are not named."""
    kept = json.loads(LIMITS.read_text("utf-8"))
    assert worse(kept) == []
    assert worse({one: number - 1 for one, number in kept.items()}) == []
    (sentence,) = worse(kept | {name: kept[name] + 1})
    assert sentence.startswith(f"{name} is {kept[name] + 1}")


def test_a_chain_is_as_long_as_its_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three that import one another in a row are three; a fourth beside them adds none."""
    graph = {"a": {"b", "d"}, "b": {"c"}, "c": set(), "d": set()}
    monkeypatch.setattr(house, "_imports", lambda _: graph)
    assert house.longest_import_chain() == 3
