"""Pasting into a single-line field."""

import pytest
from textual import events
from textual.app import App

from approver_tui.widgets.line_input import LineInput


@pytest.mark.parametrize(
    ("pasted", "value"),
    [
        ("\n \r\nhttps://sayso.example\nmore", "https://sayso.example"),
        ("https://sayso.example\n", "https://sayso.example"),
        ("\n\n", ""),
    ],
)
async def test_a_paste_takes_the_first_line_that_is_not_blank(pasted, value):
    """Copied text often begins with an empty line, which is not what the user wants to paste."""
    app, field = App(), LineInput()
    async with app.run_test() as pilot:
        await app.mount(field)
        field.focus()
        app.post_message(events.Paste(pasted))
        await pilot.pause()
        assert field.value == value
