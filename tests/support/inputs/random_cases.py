"""How many random cases a test tries.

Owns: that `scripts/test --deep` tries ten times as many. Never: which cases.
"""

import os

_FACTOR = 10 if os.environ.get("SAYSO_TEST_DEEP") else 1


def cases(usual: int) -> int:
    """Return how many random cases to try, for the number that a usual run tries."""
    return usual * _FACTOR
