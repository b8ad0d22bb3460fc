"""Computes what a person must type to approve a request from its two texts.

Owns: its own reading of them. Never: the product's comparison, which tests check with this.
"""

import json
from typing import Any


def typed_fact(action: str, display: str) -> str | None:
    """Return the type-back entry as a person types it, or None if none is required."""
    type_back = json.loads(display)["type_back"]
    if type_back is None:
        return None
    value: Any = json.loads(action)
    for part in type_back["at"].split("/")[1:]:
        value = value[int(part)] if isinstance(value, list) else value[part]
    if type_back["kind"] == "money":
        return f"{value['minor'] / 100:.2f}"
    return str(value)[-4:] if type_back["kind"] == "last_four" else str(value)
