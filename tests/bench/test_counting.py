"""Rules of the benchmarks about which answers count, without a server."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.bench import pages, policy, push_backlog, terminal_app
from tests.bench.answers import Expected, WrongAnswers, check
from tests.support.browsers.first_view import FirstView

_ACTIVE = Expected(200, '"active":true')
_PAGE = "http://localhost:1/history"


def test_one_unexpected_answer_among_many_fails() -> None:
    """It is named with its count, after the more frequent ones."""
    with pytest.raises(WrongAnswers) as failed:
        check("x", _ACTIVE.label, {_ACTIVE.label: 1_428, "403 access_denied": 200})
    assert str(failed.value) == (
        'x: expected only 200 "active":true; got 1428 x 200 "active":true, 200 x 403 access_denied'
    )


def test_no_answer_at_all_fails() -> None:
    """A run without answers has no figures."""
    with pytest.raises(WrongAnswers, match="got no answer"):
        check("x", _ACTIVE.label, {})


@pytest.mark.parametrize(
    ("status", "body"), [(200, '{"active":false}'), (503, '{"active":true}'), (200, "")]
)
def test_status_and_body_must_both_match(status: int, body: str) -> None:
    """A 200 with another body is another answer."""
    assert not _ACTIVE.matches(status, body)
    assert _ACTIVE.matches(200, '{"active":true,"sub":"x"}')


@pytest.mark.parametrize(("status", "url"), [(500, _PAGE), (200, "http://localhost:1/login")])
def test_an_error_or_another_page_is_not_a_first_load(status: int, url: str) -> None:
    """One of many is enough to fail."""
    seen = FirstView({}, frozenset(), 200, _PAGE, 1.0)
    pages.check_views("the history", _PAGE, [seen])
    wrong = FirstView({}, frozenset(), status, url, 1.0)
    with pytest.raises(WrongAnswers, match=f"1 x {status} {url}"):
        pages.check_views("the history", _PAGE, [seen, seen, wrong])


def test_a_decision_by_another_rule_is_not_timed() -> None:
    """Only the last rule may decide."""
    evaluator = cast("Any", SimpleNamespace(decide=lambda *_: SimpleNamespace(rules=("r1",))))
    with pytest.raises(WrongAnswers, match="policy: expected only"):
        policy._round(evaluator, cast("Any", None), cast("Any", None), forget=False)


def test_pushes_that_were_given_up_are_no_load(monkeypatch: pytest.MonkeyPatch) -> None:
    """They cost the server nothing more."""
    monkeypatch.setattr(push_backlog, "_count", lambda *_: 3)
    with pytest.raises(WrongAnswers, match="3 were given up"):
        push_backlog.check_accepted(cast("Any", None))


def test_an_empty_inbox_is_not_timed() -> None:
    """Printing nothing is fast."""
    assert terminal_app.listed(b'{"items": [{}, {}]}') == 2
    with pytest.raises(WrongAnswers, match="empty list"):
        terminal_app.listed(b'{"items": []}')
