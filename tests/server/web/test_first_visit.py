"""The browser guides quote the pages verbatim."""

import re

import pytest

from tests.support.checks.source import ROOT

_GUIDES = [ROOT / "docs" / name for name in ("first-visit-browser.md", "browser.md")]
_GUIDE = "\n".join(path.read_text("utf-8") for path in _GUIDES)
_QUOTED_LABEL = re.compile(r"(?<![*\w])\*([^*]+)\*(?!\*)")
_QUOTED = re.compile(r'"([A-Z][^"]+)"')


def _plain(text):
    """Return the text without markup or line breaks."""
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


_WEB = [path for path in (ROOT / "server").rglob("*") if path.suffix in {".html", ".js", ".py"}]
_PAGES = " ".join(_plain(path.read_text("utf-8")) for path in _WEB)
_TEXT = re.sub(r"<img[^>]+>", "", _GUIDE)
_WORDS = sorted(
    {_plain(found) for rule in (_QUOTED_LABEL, _QUOTED) for found in rule.findall(_TEXT)}
)


def test_the_guides_quote_the_pages():
    """If the guides quoted nothing, the next test would check nothing."""
    assert {"Create a passkey", "Add to Home Screen", "Expiring isn't a denial."} <= set(_WORDS)


@pytest.mark.parametrize("words", _WORDS)
def test_every_quote_of_the_guides_is_on_a_page(words):
    """Buttons, fields and sentences that a guide quotes are on a page verbatim."""
    assert words in _PAGES
