"""The guide to the first visit in a browser says what the pages say."""

import re

import pytest

from tests.support.source import ROOT

_GUIDE = (ROOT / "docs" / "first-visit-browser.md").read_text("utf-8")
_NAMED = re.compile(r"(?<![*\w])\*([^*]+)\*(?!\*)")
_SAID = re.compile(r'"([A-Z][^"]+)"')


def _plain(text):
    """Without what is markup and without line breaks."""
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


_WEB = [path for path in (ROOT / "server").rglob("*") if path.suffix in {".html", ".js", ".py"}]
_PAGES = " ".join(_plain(path.read_text("utf-8")) for path in _WEB)
_TEXT = re.sub(r"<img[^>]+>", "", _GUIDE)
_WORDS = sorted({_plain(found) for rule in (_NAMED, _SAID) for found in rule.findall(_TEXT)})


def test_the_guide_quotes_the_pages():
    """Or the test below holds nothing."""
    assert {"Make a passkey", "Add to Home Screen", "Lapsing is not a no."} <= set(_WORDS)


@pytest.mark.parametrize("words", _WORDS)
def test_what_the_guide_quotes_stands_on_a_page(words):
    """Buttons, fields and sentences, to the letter."""
    assert words in _PAGES
