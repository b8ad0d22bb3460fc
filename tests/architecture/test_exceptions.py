"""What a checker is told to overlook is overlooked for a reason that stands beside it."""

import re

import pytest

from tests.support.checks.source import modules

_TOLD = re.compile(r"# (?:ruff: )?(?:noqa|type: ?ignore)\b.*")
_WHY = re.compile(
    r"# (?:(?:ruff: )?noqa: [A-Z]+\d+(?:, [A-Z]+\d+)*|type: ignore\[[a-z-]+(?:,[a-z-]+)*\])"
    r"  # \S.*"
)


def _bare(text: str) -> list[str]:
    """Words to a checker that say not what for, or not why."""
    return [told for told in _TOLD.findall(text) if not _WHY.fullmatch(told)]


def test_each_exception_names_its_rule_and_its_reason() -> None:
    """In the product, in the tests and in the scripts."""
    found = {
        module.path: bare
        for module in modules("server", "approver_tui", "sayso", "tests", "scripts")
        if not module.path.endswith("test_exceptions.py") and (bare := _bare(module.text))
    }
    assert found == {}


@pytest.mark.parametrize(
    "line",
    [
        "x = 1  # noqa",
        "x = 1  # noqa: E501",
        "x = 1  # noqa: E501, E502",
        "x = 1  # type: ignore",
        "x = 1  # type: ignore[misc]",
        "x = 1  # type:ignore[misc]  # because",
        "x = 1  # noqa: E501  (because)",
        "x = 1  # noqa  # because",
        "# ruff: noqa: E501",
    ],
)
def test_the_search_finds_each_way_to_say_nothing(line: str) -> None:
    """A search that finds nothing anywhere proves nothing."""
    assert len(_bare(line)) == 1


@pytest.mark.parametrize(
    "line", ["x = 1  # noqa: E501, E502  # because", "x = 1  # type: ignore[misc,arg]  # because"]
)
def test_a_reason_is_enough(line: str) -> None:
    """One on the same line."""
    assert _bare(line) == []
