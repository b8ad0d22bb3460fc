"""How pages show times, and that every page uses the same filter for them."""

import re

import pytest

from server.web.installable import TEMPLATES
from server.web.template_filters import FILTERS

_AT = 1_764_000_000_000


def test_a_time_is_in_utc_and_exact_on_hover() -> None:
    """A script replaces both texts with the reader's local time."""
    start_tag = '<time datetime="2025-11-24T16:00:00.000Z" title="24 November 2025, 16:00:00 UTC" '
    text = str(FILTERS["time"](_AT))
    assert text == f'{start_tag}data-clock="{_AT}">24 November 2025, 16:00 UTC</time>'
    assert FILTERS["time"]("2025-11-24T16:00:00Z") == text


def test_a_sentence_has_times_and_escaped_text() -> None:
    """A sentence may contain names, so its text is escaped."""
    sentence = str(FILTERS["sentence"](("By <b> at ", _AT, ".")))
    assert sentence.startswith("By &lt;b&gt; at <time ")


@pytest.mark.parametrize(
    ("begins", "ends", "words"),
    [
        (
            "2025-11-24T00:00:00Z",
            "2025-11-29T00:00:00Z",
            "24 November 2025 to 28 November 2025 (UTC), inclusive",
        ),
        ("2025-11-24T08:00:00Z", "2025-11-24T17:00:00Z", ">24 November 2025, 17:00 UTC</time>"),
    ],
)
def test_a_deputy_period_shows_the_chosen_days(begins: str, ends: str, words: str) -> None:
    """The last day of whole days is included; other periods are shown with times."""
    assert words in str(FILTERS["period"](begins, ends))


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: path.name)
def test_no_page_formats_a_time_itself(path) -> None:
    """Only the time left until a request expires is shown without the filter."""
    assert not re.search(r"<time(?! data-until)", path.read_text("utf-8"))
