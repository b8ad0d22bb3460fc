"""Parsing of flag values, and the output helpers."""

import click
import pytest

from server.cli.output import answer, moment, safe, sheet, table
from server.cli.params import moment_ms, scope_need, scope_risk, span, span_ms
from server.protocol.policy.risks import Risk
from tests.support.builders.clock import DAY, HOUR, MINUTE, NOON, SECOND


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [("0", 0), ("90s", 90 * SECOND), ("15m", 15 * MINUTE), ("24h", DAY), ("30d", 30 * DAY)],
)
def test_a_span_is_a_number_and_a_unit(text, milliseconds):
    """The span is converted to milliseconds."""
    assert span_ms(text) == milliseconds
    assert span(text) == milliseconds


@pytest.mark.parametrize(
    "text", ["", "1", "-1d", "1.5h", "1w", "01d", "1 d", "9999999d", "\u0661d"]
)
def test_an_invalid_span_is_refused(text):
    """Guessing a unit could turn thirty seconds into thirty days."""
    with pytest.raises(click.BadParameter, match="30d"):
        span(text)


def test_a_moment_is_a_date_a_time_or_a_span_from_now():
    """A time without an offset is in UTC."""
    assert moment_ms("2h", NOON) == NOON + 2 * HOUR
    assert moment_ms("1970-01-02", NOON) == DAY
    assert moment_ms("1970-01-01T02:00:00+01:00", NOON) == HOUR
    assert moment_ms("1970-01-01t01:00:00z", NOON) == HOUR


@pytest.mark.parametrize("text", ["", "tomorrow", "2030-13-01", "1e9"])
def test_an_invalid_time_is_refused(text):
    """The message shows the accepted forms."""
    with pytest.raises(click.BadParameter, match="2030-01-31"):
        moment_ms(text, NOON)


def test_the_risk_of_a_scope_is_medium_by_default():
    """The name of a scope may contain an equals sign if the risk is given."""
    assert scope_risk("pay") == ("pay", Risk.MEDIUM)
    assert scope_risk("pay=high") == ("pay", Risk.HIGH)
    assert scope_risk("a=b=low") == ("a=b", Risk.LOW)
    with pytest.raises(click.BadParameter, match="critical"):
        scope_risk("pay=hihg")


def test_a_scope_requirement_names_an_action_type_or_clears_it():
    """An empty value after the equals sign clears the requirement."""
    assert scope_need("pay=payment.transfer") == ("pay", "payment.transfer")
    assert scope_need("pay=") == ("pay", "")
    with pytest.raises(click.BadParameter, match="SCOPE=TYPE"):
        scope_need("pay")


def test_a_missing_time_is_written_as_never():
    """A caller may choose a different word."""
    assert moment(NOON) == "2025-10-09 08:53 UTC"
    assert (moment(None), moment(None, never="-")) == ("never", "-")


def test_a_table_aligns_columns_escapes_text_and_states_when_it_is_empty():
    """A name with a line break is escaped, so that it stays on its line."""
    lines = table(("name", "id"), [("a\nb", "1"), ("c", "2")])
    assert lines == ["NAME     ID", "a\\u{a}b  1", "c        2"]
    assert table(("name",), []) == ["No results."]
    assert sheet({"a": "1", "long": None, "bc": "2"}) == ["a     1", "bc    2"]


def test_lines_and_documents_contain_no_raw_control_characters(capsys):
    """Lines show control characters visibly, and JSON escapes them."""
    answer({"name": "\x1b[31m\u202e"}, ["\x1b[31m\u202e"], as_json=True)
    answer({}, ["\x1b[31m\u202e"], as_json=False)
    out = capsys.readouterr().out
    assert out.isascii()
    assert "\x1b" not in out
    assert str(safe("x" * 10_000)).endswith("chars")
