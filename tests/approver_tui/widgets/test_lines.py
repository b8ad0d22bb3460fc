"""Wrapping lines loses no characters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from approver_tui.state.text import SafeText, display_safe
from approver_tui.widgets.lines import (
    Piece,
    crop,
    justify,
    labeled,
    length,
    text_of,
    wrap,
)


@given(st.text(max_size=300), st.integers(min_value=2, max_value=40))
def test_every_character_survives_wrapping(text, width):
    """Without spaces, the joined rows equal the text."""
    safe = display_safe(text, max_len=2000, max_lines=9)
    rows = wrap(safe, width)
    assert "".join(rows).replace(" ", "") == safe.replace(" ", "").replace("\n", "")


@given(st.text(max_size=300), st.integers(min_value=2, max_value=40))
def test_no_row_is_wider_than_the_width(text, width):
    """The width counts cells, so wide characters and combining marks are counted correctly."""
    assert all(cell_len(row) <= width for row in wrap(display_safe(text), width))


@pytest.mark.parametrize(
    "text", ["e\u0323\u0301\u0302" * 40, "\u65e5" * 40, "x" * 90, "  two  gaps"]
)
def test_marks_wide_characters_and_gaps_are_kept(text):
    """Wrapping loses no combining mark and no leading space."""
    rows = wrap(SafeText(text), 10)
    assert "".join(rows) == text or " ".join(rows) == text


def test_a_long_label_goes_above_its_value():
    """Both the label and the value are shown in full."""
    rows = labeled(SafeText("a label of some length"), SafeText("value " * 9), 20, 8)
    drawn = " ".join(text_of(row) for row in rows)
    assert drawn.count("value") == 9
    assert "label of some" in drawn


def test_the_right_side_stays_if_space_is_short():
    """A long headline is cut so that the remaining time stays visible."""
    row = justify((Piece(SafeText("x" * 50)),), (Piece(SafeText("4:00")),), 20)
    assert length(row) == 20
    assert text_of(row).endswith("… 4:00")


def test_a_cropped_text_has_an_ellipsis():
    """A cropped text ends with an ellipsis, and its line endings become spaces."""
    assert crop(SafeText("one\ntwo three"), 8) == "one two…"
    assert crop(SafeText("one"), 8) == "one"


@pytest.mark.parametrize(
    ("text", "width", "kept"),
    [
        ("Pay EUR 1,204,820.00 to Nordwind", 15, "Pay EUR …"),
        ("Pay EUR 1,204,820.00 to Nordwind", 21, "Pay EUR 1,204,820.00…"),
        ("web-frontend@1.24.0 at production", 17, "web-frontend@…"),
        ("4820", 3, "…"),
        ("in 12:40 or so", 6, "in …"),
        ("5 s and more", 3, "5 …"),
    ],
)
def test_a_crop_never_cuts_a_number(text, width, kept):
    """Part of an amount, a version or a time would look like a different value."""
    assert crop(SafeText(text), width) == kept


@pytest.mark.parametrize(
    ("text", "width", "kept"),
    [
        ("Pay EUR 1,204,820.00 to Nordwind", 20, "Pay EUR 1,204,820.00"),
        ("Pay EUR 1,204,820.00 to Nordwind", 18, "… EUR 1,204,820.00"),
        ("Transfer to Nordwind Logistik GmbH: EUR 4,820.00", 24, "Transfer t… EUR 4,820.00"),
    ],
)
def test_a_crop_keeps_the_amount(text, width, kept):
    """If space is short, the other words are cut and the amount is kept."""
    assert crop(SafeText(text), width) == kept
