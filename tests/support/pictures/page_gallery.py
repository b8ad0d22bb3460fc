"""`python -m tests.support.pictures.page_gallery` writes the page of docs with every picture.

Owns: the page. Never: draws; `drawn_pages.py` drew the pictures and recorded the route of each.
"""

from collections.abc import Mapping
from typing import Final

from tests.support.checks.source import ROOT
from tests.support.pictures.drawn_pages import Taken, files, index
from tests.support.pictures.page_table import GROUPS

GALLERY: Final = ROOT / "docs" / "gallery-pages.md"
_WIDTHS: Final = {"1440": 520, "360": 180}
"""The width of a picture on the page; a click opens it in full size."""
_THEMES_BY_SUFFIX: Final = {"-dark": "dark", "-contrast": "high contrast"}
_INTRODUCTION: Final = """\
# Every page

Screenshots of every web page, 1440 and 360 pixels wide. Click a picture to enlarge it. The links
below its name show it in the dark and high-contrast themes. The terminal app has
[its own gallery](gallery.md).

"""


def gallery() -> str:
    """Return a page in Markdown with all pictures."""
    pictures = index()
    contents = "".join(f"- [{title}](#{_anchor(title)})\n" for title in GROUPS)
    return _INTRODUCTION + contents + "".join(_group(title, pictures) for title in GROUPS)


def _anchor(title: str) -> str:
    """Return the anchor of a heading."""
    return "".join(c for c in title.lower() if c.isalnum() or c in " -").replace(" ", "-")


def _group(title: str, pictures: Mapping[str, Taken]) -> str:
    rows = [_row(name, words, pictures[name]) for name, words in GROUPS[title].items()]
    head = [f"## {title}", "", "| page | 1440 | 360 |", "|---|---|---|"]
    return "\n" + "\n".join([*head, *rows]) + "\n"


def _row(name: str, words: str, taken: Taken) -> str:
    where = f"<br>`{taken.rule}`" if taken.rule else ""
    looks = "".join(f"<br>{_other(name, look)}" for look in _other_looks(name))
    images = " | ".join(_image(name, words, width) for width in _WIDTHS)
    return f"| {words}{where}{looks} | {images} |"


def _other_looks(name: str) -> list[str]:
    """Return the themes of a picture other than the light one."""
    return sorted({look for _, look in files(name)} - {""}, key=list(_THEMES_BY_SUFFIX).index)


def _other(name: str, look: str) -> str:
    links = (f"[{width}](pictures/page-{name}-{width}{look}.webp)" for width in _WIDTHS)
    return f"{_THEMES_BY_SUFFIX[look]}: {', '.join(links)}"


def _image(name: str, words: str, width: str) -> str:
    path = f"pictures/page-{name}-{width}.webp"
    drawn = f'<img src="{path}" width="{_WIDTHS[width]}" alt="{words}, {width} wide">'
    return f'<a href="{path}">{drawn}</a>'


if __name__ == "__main__":
    GALLERY.write_text(gallery(), encoding="utf-8")
