"""The syntax of an agent's labels."""

import re

_LABEL = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}(=[A-Za-z0-9][A-Za-z0-9._/@:-]{0,62})?")


def is_label(text: str) -> bool:
    """Return whether this is a valid label."""
    return _LABEL.fullmatch(text) is not None
