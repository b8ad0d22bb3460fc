"""What flags may say."""

import click
import pytest

from server.cli.output import answer, moment, rfc3339, safe, sheet, table
from server.cli.params import ScopeNeed, ScopeRisk, Span, moment_ms, span_ms
from server.protocol.policy.risks import Risk
from tests.support.builders.clock import DAY, HOUR, MINUTE, NOON, SECOND


@pytest.mark.parametrize(
    ("text", "span"),
    [("0", 0), ("90s", 90 * SECOND), ("15m", 15 * MINUTE), ("24h", DAY), ("30d", 30 * DAY)],
)
def test_a_span_is_a_number_and_a_unit(text, span):
    """Milliseconds come out."""
    assert span_ms(text) == span
    assert Span().convert(text, None, None) == span


@pytest.mark.parametrize(
    "text", ["", "1", "-1d", "1.5h", "1w", "01d", "1 d", "9999999d", "\u0661d"]
)
def test_what_is_no_span_is_refused(text):
    """Nobody's thirty seconds become thirty days."""
    with pytest.raises(click.BadParameter, match="30d"):
        Span().convert(text, None, None)


def test_a_moment_is_a_date_a_time_or_a_span_from_now():
    """Without an offset it is UTC."""
    assert moment_ms("2h", NOON) == NOON + 2 * HOUR
    assert moment_ms("1970-01-02", NOON) == DAY
    assert moment_ms("1970-01-01T02:00:00+01:00", NOON) == HOUR
    assert moment_ms("1970-01-01t01:00:00z", NOON) == HOUR


@pytest.mark.parametrize("text", ["", "tomorrow", "2030-13-01", "1e9"])
def test_what_is_no_moment_is_refused(text):
    """The message shows the three ways to write one."""
    with pytest.raises(click.BadParameter, match="2030-01-31"):
        moment_ms(text, NOON)


def test_a_scope_has_the_risk_that_stands_after_it_or_medium():
    """A scope's own name may hold an equals sign, if its risk is said."""
    read = ScopeRisk()
    assert read.convert("pay", None, None) == ("pay", Risk.MEDIUM)
    assert read.convert("pay=high", None, None) == ("pay", Risk.HIGH)
    assert read.convert("a=b=low", None, None) == ("a=b", Risk.LOW)
    with pytest.raises(click.BadParameter, match="critical"):
        read.convert("pay=hihg", None, None)


def test_a_need_names_a_scope_and_a_type_or_takes_it_away():
    """Nothing after the equals sign is nothing."""
    assert ScopeNeed().convert("pay=payment.transfer", None, None) == ("pay", "payment.transfer")
    assert ScopeNeed().convert("pay=", None, None) == ("pay", "")
    with pytest.raises(click.BadParameter, match="SCOPE=TYPE"):
        ScopeNeed().convert("pay", None, None)


def test_times_are_utc_in_both_ways_of_printing():
    """Whatever the machine's zone."""
    assert rfc3339(NOON + 7) == "2025-10-09T08:53:20.007Z"
    assert moment(NOON) == "2025-10-09 08:53 UTC"
    assert (rfc3339(None), moment(None)) == (None, "never")


def test_a_table_aligns_escapes_and_says_when_it_is_empty():
    """A name with a line break stays on its line."""
    lines = table(("name", "id"), [("a\nb", "1"), ("c", "2")])
    assert lines == ["NAME     ID", "a\\u{a}b  1", "c        2"]
    assert table(("name",), []) == ["There are none."]
    assert sheet({"a": "1", "long": None, "bc": "2"}) == ["a     1", "bc    2"]


def test_plain_lines_and_documents_are_both_harmless(capsys):
    """An escape sequence is shown in the one and escaped in the other."""
    answer({"name": "\x1b[31m\u202e"}, ["\x1b[31m\u202e"], as_json=True)
    answer({}, ["\x1b[31m\u202e"], as_json=False)
    out = capsys.readouterr().out
    assert out.isascii()
    assert "\x1b" not in out
    assert str(safe("x" * 10_000)).endswith("chars")
