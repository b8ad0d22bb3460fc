"""The style sheets use one type scale and no other sizes."""

import re
from pathlib import Path

import pytest

TEMPLATES = Path(__file__).parents[2] / "server" / "web" / "templates"
SHEETS = sorted(TEMPLATES.glob("*.css"))
SCALE = re.findall(
    r"--(fine|small|text|lead|title|drawn-\w+): [\d.]+(?:rem|px);",
    (TEMPLATES / "style.css").read_text(),
)
_SIZED = re.compile(r"(?<![\w-])(font(?:-size)?):\s*([^;}]+)")
_STEP = re.compile(rf"(?:[\w-]+ )?var\(--(?:{'|'.join(SCALE)})\)(?:/[\d.]+)?(?: var\(--\w+\))?")
_ALLOWED = {"inherit", "min(var(--small), 3.35vw)"}
"""A one-time code fits in its field at every width."""


def _off_scale(text: str) -> list[str]:
    """Returns the sizes that are not on the scale."""
    sizes = [match[2].strip() for match in _SIZED.finditer(text)]
    return [size for size in sizes if size not in _ALLOWED and not _STEP.fullmatch(size)]


def test_the_type_scale_has_few_steps():
    """There are five steps for text, and one for each kind of drawing in its own units."""
    assert SCALE == ["fine", "small", "text", "lead", "title", "drawn-chart", "drawn-face"]


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda path: path.name)
def test_every_font_size_is_on_the_scale(sheet):
    """All pages look alike, and the scale can be changed in one file."""
    assert _off_scale(sheet.read_text()) == []


def test_no_page_sets_its_own_font_size():
    """Drawings, attributes and scripts set no font size either."""
    pages = [path for path in TEMPLATES.rglob("*") if path.suffix in {".html", ".js"}]
    assert pages != []
    assert [
        path.name for path in pages if re.search(r"font-?size", path.read_text(), re.IGNORECASE)
    ] == []


@pytest.mark.parametrize(
    "rule",
    [
        "p { font-size: 1rem; }",
        "p { font-size: 14px }",
        "p { font-size:0.9em; }",
        "p { font: 1rem/1.5 serif; }",
        "p { font-size: var(--other); }",
        "p { font-size: calc(var(--text) + 1px); }",
        "p { font: bold 12px system-ui; }",
    ],
)
def test_a_font_size_off_the_scale_is_detected(rule):
    """A check that finds nothing anywhere proves nothing, so it must find each of these."""
    assert len(_off_scale(rule)) == 1
