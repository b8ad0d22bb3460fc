"""Text is escaped as by every other client of Sayso."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approver_tui.state.text import SafeText, display_safe

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "display_safe.json").read_text())


@pytest.mark.parametrize("vector", VECTORS, ids=range(len(VECTORS)))
def test_the_shared_vectors_hold(vector):
    """Server, terminal and page agree."""
    caps = {"max_len": vector["max_chars"], "max_lines": vector["max_lines"]}
    assert display_safe(vector["raw"], **caps) == vector["safe"]


@given(st.text(), st.integers(1, 60), st.integers(1, 4))
def test_safe_text_is_unchanged(raw, max_len, max_lines):
    """It is not escaped twice."""
    once = display_safe(raw, max_len=max_len, max_lines=max_lines)
    assert display_safe(once, max_len=max_len, max_lines=max_lines) == once


@given(st.text())
def test_no_control_character_passes(raw):
    """A single line contains no line feed either."""
    assert all(c >= " " and not "\x7f" <= c <= "\x9f" for c in display_safe(raw))


def test_the_result_is_safe_text():
    """Unchanged text gets this type too."""
    assert isinstance(display_safe("plain"), SafeText)
