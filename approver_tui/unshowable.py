"""Replaces characters that the encoding of the terminal does not have, as in a Latin-1 locale.

Owns: the replacements, which have the same width so that nothing moves. Never: failing; leaving
a character out.
"""

import codecs
import io
import sys
import unicodedata

ERRORS = "sayso.unshowable"
"""The name of the error handler."""

_REPLACEMENTS = str.maketrans(
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
    """From now on, write a replacement for each character that the terminal cannot show."""
    codecs.register_error(ERRORS, _replace)
    for stream in {sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__}:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=ERRORS)


def _replace(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)  # noqa: S101  # the streams only write
    text = error.object[error.start : error.end]
    return "".join(map(_replacement, text)), error.end


def _replacement(character: str) -> str:
    if ord(character) in _REPLACEMENTS:
        return character.translate(_REPLACEMENTS)
    if unicodedata.combining(character):
        return ""
    return "??" if unicodedata.east_asian_width(character) in {"W", "F"} else "?"
