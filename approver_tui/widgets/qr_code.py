"""A link as a QR code.

Owns: drawing it in half blocks, dark on light in every theme. Never: where it leads.
"""

import segno
from textual.content import Content
from textual.widgets import Static

_QUIET = 2
"""Light modules around it; readers need some."""
_DARK_ON_LIGHT = "white on black reverse"
"""Reversed, because most terminals are dark when NO_COLOR leaves them their own colors."""
_HALVES = {(True, True): "█", (True, False): "▀", (False, True): "▄", (False, False): " "}


class QrCode(Static):
    """The QR code; one cell per module in width, half in height."""

    def __init__(self, link: str) -> None:
        super().__init__(markup=False, id="qr")
        self._rows = qr_rows(link)

    def render(self) -> Content:
        """Draw it."""
        return Content.styled("\n".join(self._rows), _DARK_ON_LIGHT)


def qr_rows(link: str) -> list[str]:
    """Return the QR code, with two rows of modules per line."""
    modules = [[bool(each) for each in row] for row in segno.make(link, error="l").matrix]
    width = len(modules[0])
    light = [[False] * (width + 2 * _QUIET)] * _QUIET
    padded = [[False] * _QUIET + row + [False] * _QUIET for row in modules]
    rows = [*light, *padded, *light]
    if len(rows) % 2:
        rows.append(rows[0])
    return [
        "".join(_HALVES[pair] for pair in zip(upper, lower, strict=True))
        for upper, lower in zip(rows[::2], rows[1::2], strict=True)
    ]
