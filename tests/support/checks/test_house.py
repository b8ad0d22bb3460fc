"""`scripts/house` measures the code and reports numbers above their limits."""

import json

import pytest

from tests.support.checks import house
from tests.support.checks.house import LIMITS, NUMBERS, worse


def test_every_measured_number_has_a_limit() -> None:
    """A number without a limit would not be compared."""
    assert json.loads(LIMITS.read_text("utf-8")).keys() == NUMBERS.keys()


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_above_its_limit_is_reported_by_name(name: str) -> None:
    """Numbers that are equal to their limit or below it are not reported."""
    limits = json.loads(LIMITS.read_text("utf-8"))
    assert worse(limits) == []
    assert worse({key: number - 1 for key, number in limits.items()}) == []
    (sentence,) = worse(limits | {name: limits[name] + 1})
    assert sentence.startswith(f"{name} is {limits[name] + 1}")


def test_the_length_of_a_chain_is_the_number_of_its_modules(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A chain of three modules has the length three; a module outside the folder is ignored."""
    graph = {"a": {"b", "d"}, "b": {"c"}, "c": set(), "d": set()}
    monkeypatch.setattr(house, "_imports", lambda _: graph)
    assert house.longest_import_chain() == 3
