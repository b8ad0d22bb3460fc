"""Names that look the same although their letters are not: what is compared when one is taken.

Owns: which Cyrillic and Greek letters look like Latin ones, and the text that stands for all
spellings of one look. Never: which characters a name may have (`text.py`, which refuses a mixture).

A name wholly of such letters looks like a Latin one, so both are one name (UTS 39 4). A name that
has any other letter shows its script by it, and keeps its own.
"""
# ruff: noqa: RUF001  # these letters are what it is about

from typing import Final

_LOOKS: Final = str.maketrans(
    # Cyrillic, small and capital, then Greek.
    "аеіјорсухѕһԁԛԝӏ" + "АВЕНІЈКМОРСТУХЅԚԜӀ" + "αγικνορυχ" + "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "aeijopcyxshdqwl" + "ABEHIJKMOPCTYXSQWI" + "ayiknopux" + "ABEZHIKMNOPTYX",
)


def name_key(name: str) -> str:
    """What two names have in common that are taken for one another; the case does not count."""
    looks = name.translate(_LOOKS)
    return (looks if looks.isascii() else name).casefold()
