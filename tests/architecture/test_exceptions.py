"""Every suppressed check names its rule and its reason on the same line."""

import re

import pytest

from tests.support.checks.source import modules

_DIRECTIVE = re.compile(r"# (?:ruff: )?(?:noqa|type: ?ignore)\b.*")
_REASON = re.compile(
    r"# (?:(?:ruff: )?noqa: [A-Z]+\d+(?:, [A-Z]+\d+)*|type: ignore\[[a-z-]+(?:,[a-z-]+)*\])"
    r"  # \S.*"
)


def _bare(text: str) -> list[str]:
    """Returns the suppressions that lack a rule or a reason."""
    return [directive for directive in _DIRECTIVE.findall(text) if not _REASON.fullmatch(directive)]


def test_each_suppression_names_its_rule_and_its_reason() -> None:
    """The product, the tests and the scripts are searched for suppressions."""
    bare_by_path = {
        module.path: bare
        for module in modules("server", "approver_tui", "sayso", "tests", "scripts")
        if not module.path.endswith("test_exceptions.py") and (bare := _bare(module.text))
    }
    assert bare_by_path == {}


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
def test_a_suppression_without_a_rule_or_reason_is_detected(line: str) -> None:
    """A check that finds nothing anywhere proves nothing, so it must find each of these."""
    assert len(_bare(line)) == 1


@pytest.mark.parametrize(
    "line", ["x = 1  # noqa: E501, E502  # because", "x = 1  # type: ignore[misc,arg]  # because"]
)
def test_a_suppression_with_a_reason_is_accepted(line: str) -> None:
    """A suppression that names its rules and its reason on the same line is allowed."""
    assert _bare(line) == []
