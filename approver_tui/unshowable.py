"""Characters that the encoding of the terminal does not have, as in a Latin-1 locale.

Owns: what is written in their place: as many cells, so that nothing moves. Never: failing; leaving
something out.
"""

import codecs
import io
import sys
import unicodedata

ERRORS = "sayso.unshowable"
"""The name of the error handler."""

_LIKE = str.maketrans(
    {
        **dict.fromkeys("\u2500\u2501\u2013\u2014", "-"),
        **dict.fromkeys("│▏▎▌▐┃", "|"),
        **dict.fromkeys("╭╮╰╯", "+"),
        **dict.fromkeys("▁▂▃▄▅▆▇█", "#"),  # the ends of a scroll bar
        **dict.fromkeys("\u2018\u2019", "'"),
        **dict.fromkeys("“”", '"'),
        "…": "~",
    }
)


def replace_unshowable() -> None:
    """From now on, write a replacement for what the terminal cannot show."""
    codecs.register_error(ERRORS, _replaced)
    for stream in {sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__}:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=ERRORS)


def _replaced(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)  # noqa: S101  # the streams only write
    text = error.object[error.start : error.end]
    return "".join(map(_shown, text)), error.end


def _shown(character: str) -> str:
    if ord(character) in _LIKE:
        return character.translate(_LIKE)
    if unicodedata.combining(character):
        return ""
    return "??" if unicodedata.east_asian_width(character) in {"W", "F"} else "?"
