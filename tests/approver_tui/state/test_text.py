"""Text is escaped in the same way as in every other client of Sayso."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approver_tui.state.text import SafeText, display_safe, pluralize

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "display_safe.json").read_text())


@pytest.mark.parametrize("vector", VECTORS, ids=range(len(VECTORS)))
def test_the_shared_vectors_hold(vector):
    """The server, the terminal and the page escape a text alike."""
    limits = {"max_len": vector["max_chars"], "max_lines": vector["max_lines"]}
    assert display_safe(vector["raw"], **limits) == vector["safe"]


@given(st.text(), st.integers(1, 60), st.integers(1, 4))
def test_safe_text_is_unchanged(raw, max_len, max_lines):
    """Text that is safe already is not escaped a second time."""
    safe = display_safe(raw, max_len=max_len, max_lines=max_lines)
    assert display_safe(safe, max_len=max_len, max_lines=max_lines) == safe


@given(st.text())
def test_no_control_character_passes(raw):
    """A single line does not contain a line feed either."""
    assert all(c >= " " and not "\x7f" <= c <= "\x9f" for c in display_safe(raw))


def test_the_result_is_safe_text():
    """The result has the type SafeText even if nothing had to be escaped."""
    assert isinstance(display_safe("plain"), SafeText)


def test_a_number_has_the_singular_only_at_one():
    """The plural is the noun with an s, unless a plural is given."""
    assert [pluralize(number, "token") for number in (0, 1, 2, 1_204)] == [
        "0 tokens",
        "1 token",
        "2 tokens",
        "1,204 tokens",
    ]
    assert pluralize(2, "entry", "entries") == "2 entries"
