"""Wrapping loses nothing, whatever the text is made of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from approver_tui.state.text import SafeText, display_safe
from approver_tui.widgets.lines import (
    Piece,
    crop,
    labelled,
    length,
    lines_word,
    spread,
    text_of,
    wrap,
)


@given(st.text(max_size=300), st.integers(min_value=2, max_value=40))
def test_every_character_survives_wrapping(text, width):
    """Joined again without spaces, the rows are the text."""
    safe = display_safe(text, max_len=2000, max_lines=9)
    rows = wrap(safe, width)
    assert "".join(rows).replace(" ", "") == safe.replace(" ", "").replace("\n", "")


@given(st.text(max_size=300), st.integers(min_value=2, max_value=40))
def test_no_row_is_wider_than_asked(text, width):
    """Wide characters and marks count as the terminal draws them."""
    assert all(cell_len(row) <= width for row in wrap(display_safe(text), width))


@pytest.mark.parametrize(
    "text", ["e\u0323\u0301\u0302" * 40, "\u65e5" * 40, "x" * 90, "  two  gaps"]
)
def test_marks_wide_characters_and_gaps_are_kept(text):
    """What a library's folding dropped stays: marks after marks, and leading spaces."""
    rows = wrap(SafeText(text), 10)
    assert "".join(rows) == text or " ".join(rows) == text


def test_a_long_label_stands_above_its_value():
    """Neither is cut."""
    rows = labelled(SafeText("a label of some length"), SafeText("value " * 9), 20, 8)
    drawn = " ".join(text_of(row) for row in rows)
    assert drawn.count("value") == 9
    assert "label of some" in drawn


def test_the_right_side_stays_when_there_is_no_room():
    """The time that is left is never pushed out by a headline."""
    row = spread((Piece(SafeText("x" * 50)),), (Piece(SafeText("4:00")),), 20)
    assert length(row) == 20
    assert text_of(row).endswith("… 4:00")


def test_a_crop_shows_that_it_cut():
    """An ellipsis stands for the rest; line ends do not survive."""
    assert crop(SafeText("one\ntwo three"), 8) == "one two…"
    assert crop(SafeText("one"), 8) == "one"


@pytest.mark.parametrize(
    ("text", "width", "kept"),
    [
        ("Pay EUR 1,204,820.00 to Nordwind", 20, "Pay EUR …"),
        ("Pay EUR 1,204,820.00 to Nordwind", 21, "Pay EUR 1,204,820.00…"),
        ("web-frontend@1.24.0 at production", 17, "web-frontend@…"),
        ("4820", 3, "…"),
        ("in 12:40 or so", 6, "in …"),
        ("5 s and more", 3, "5 …"),
    ],
)
def test_a_crop_never_leaves_a_part_of_a_number(text, width, kept):
    """What is left of an amount, a version or a time would be another one."""
    assert crop(SafeText(text), width) == kept


@pytest.mark.parametrize(("count", "word"), [(1, "line"), (2, "lines"), (0, "lines")])
def test_lines_are_counted_in_singular_and_plural(count, word):
    """One line is no lines."""
    assert lines_word(count) == word
