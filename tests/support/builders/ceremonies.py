"""What a person would type for a request, read out of its two texts.

Owns: reading them by hand. Never: the product's own comparing, which is held against this.
"""

import json
from typing import Any


def typed_fact(action: str, display: str) -> str | None:
    """The fact that a yes takes, as somebody types it; None when it takes none."""
    asked = json.loads(display)["type_back"]
    if asked is None:
        return None
    value: Any = json.loads(action)
    for part in asked["at"].split("/")[1:]:
        value = value[int(part)] if isinstance(value, list) else value[part]
    if asked["kind"] == "money":
        return f"{value['minor'] / 100:.2f}"
    return str(value)[-4:] if asked["kind"] == "last_four" else str(value)
