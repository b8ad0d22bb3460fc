"""The responses that a benchmark accepts, tested without a server."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.bench import pages, policy, push_backlog, terminal_app
from tests.bench.responses import Expected, UnexpectedResponses, check
from tests.support.browsers.first_view import FirstView

_ACTIVE = Expected(200, '"active":true')
_PAGE = "http://localhost:1/history"


def test_one_kind_of_unexpected_response_among_many_expected_ones_fails() -> None:
    """The error names the unexpected response with its count, after more frequent responses."""
    with pytest.raises(UnexpectedResponses) as failed:
        check("x", _ACTIVE.label, {_ACTIVE.label: 1_428, "403 access_denied": 200})
    assert str(failed.value) == (
        'x: expected only 200 "active":true; got 1428 x 200 "active":true, 200 x 403 access_denied'
    )


def test_a_run_without_responses_fails() -> None:
    """Such a run would have no figures."""
    with pytest.raises(UnexpectedResponses, match="got no response"):
        check("x", _ACTIVE.label, {})


@pytest.mark.parametrize(
    ("status", "body"), [(200, '{"active":false}'), (503, '{"active":true}'), (200, "")]
)
def test_status_and_body_must_both_match(status: int, body: str) -> None:
    """A token can be inactive although the status is 200."""
    assert not _ACTIVE.matches(status, body)
    assert _ACTIVE.matches(200, '{"active":true,"sub":"x"}')


@pytest.mark.parametrize(("status", "url"), [(500, _PAGE), (200, "http://localhost:1/login")])
def test_an_error_or_another_page_is_not_a_first_load(status: int, url: str) -> None:
    """One error or different page among many loads is enough to fail."""
    visit = FirstView({}, frozenset(), 200, _PAGE, 1.0)
    pages.check_views("the history", _PAGE, [visit])
    wrong = FirstView({}, frozenset(), status, url, 1.0)
    with pytest.raises(UnexpectedResponses, match=f"1 x {status} {url}"):
        pages.check_views("the history", _PAGE, [visit, visit, wrong])


def test_a_decision_by_another_rule_is_not_timed() -> None:
    """The policy benchmark fails if any rule but the last one decides."""
    evaluator = cast("Any", SimpleNamespace(decide=lambda *_: SimpleNamespace(rules=("r1",))))
    with pytest.raises(UnexpectedResponses, match="policy: expected only"):
        policy._round(evaluator, cast("Any", None), cast("Any", None), forget=False)


def test_a_benchmark_with_dead_pushes_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dead pushes cost the server nothing, so they would reduce the load."""
    monkeypatch.setattr(push_backlog, "_count", lambda *_: 3)
    with pytest.raises(UnexpectedResponses, match="3 were abandoned"):
        push_backlog.check_accepted(cast("Any", None))


def test_an_empty_inbox_is_not_timed() -> None:
    """Printing an empty list is fast, so an empty inbox fails the benchmark."""
    assert terminal_app.listed(b'{"items": [{}, {}]}') == 2
    with pytest.raises(UnexpectedResponses, match="empty list"):
        terminal_app.listed(b'{"items": []}')
