"""Random keys while requests arrive: no decision, no crash."""

import random
from pathlib import Path

from tests.support.soak import bound_keys, soak


def test_every_key_that_is_bound_is_among_them() -> None:
    """As one sequence that a terminal sends, those of the pages and the panels too."""
    keys = bound_keys()
    assert {*"adesvxEMRSTUVLXnotyYz!/:?+ ", "\r", "\x1b", "\x1bOP", "\x10"} <= {*keys}
    assert not {"q", "\x11", "\x1a"} & {*keys}
    assert all(len(key) == 1 or key.startswith("\x1b") for key in keys)


def test_random_keys_decide_nothing_and_break_nothing(tmp_path: Path) -> None:
    """Twenty seconds, in an unlocked app; `scripts/soak --seed N` has the same run again."""
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # noqa: T201  # pytest shows it when the test fails
    assert soak(tmp_path, seed, 20) > 20
