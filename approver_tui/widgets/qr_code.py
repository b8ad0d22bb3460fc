"""A link as a QR code.

Owns: drawing the code in half blocks, dark on light in every theme. Never: building the link.
"""

import segno
from textual.content import Content
from textual.widgets import Static

_BORDER = 2
"""The width of the light border in modules, which readers require."""
_DARK_ON_LIGHT = "white on black reverse"
"""Reversed, because with NO_COLOR the terminal's colors apply, and most are light on dark."""
_HALVES = {(1, 1): "█", (1, 0): "▀", (0, 1): "▄", (0, 0): " "}


class QrCode(Static):
    """The QR code. A module is one cell wide and half a cell high."""

    def __init__(self, link: str) -> None:
        super().__init__(markup=False, id="qr")
        self._rows = qr_rows(link)

    def render(self) -> Content:
        """Draw the QR code."""
        return Content.styled("\n".join(self._rows), _DARK_ON_LIGHT)


def qr_rows(link: str) -> list[str]:
    """Return the lines of the QR code, with two rows of modules in each."""
    rows = list(segno.make(link, error="l").matrix_iter(border=_BORDER))
    if len(rows) % 2:
        rows.append(rows[0])
    return [
        "".join(_HALVES[pair] for pair in zip(upper, lower, strict=True))
        for upper, lower in zip(rows[::2], rows[1::2], strict=True)
    ]
