"""Makes untrusted text safe to show and to pass to a language model.

Owns: one line without control, bidirectional or invisible characters, and quoting. Never:
interpreting the text.
"""

import json
from typing import Final

_MAX: Final = 500
"""The maximum number of characters; longer text is cut."""


def one_line(text: str) -> str:
    """Return the text on one line, cut if long; unprintable characters become spaces."""
    plain = "".join(c if c.isprintable() else " " for c in text[:_MAX])
    return " ".join(plain.split())


def quote(text: str) -> str:
    """Return the text on one line, in quotation marks that the text itself cannot end."""
    return json.dumps(one_line(text), ensure_ascii=False)


def safe_json(value: object) -> str:
    """Return JSON on one line, with escapes for unprintable characters. Nothing is cut."""
    text = json.dumps(value, ensure_ascii=False)
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)
