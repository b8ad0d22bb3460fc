"""Random keys while requests arrive: nothing is decided, and nothing crashes."""

import random
from pathlib import Path
from types import SimpleNamespace

from tests.support.clients.soak import Soak, bound_keys, soak
from tests.support.inputs.random_cases import cases


def test_every_bound_key_is_included() -> None:
    """The list has page and panel keys, as a terminal encodes them, and no keys that quit."""
    keys = bound_keys()
    assert {*"adesvxEMRSTUVLXnotyYz!/:?+ ", "\r", "\x1b", "\x1bOP", "\x10"} <= {*keys}
    assert not {"q", "\x11", "\x1a"} & {*keys}
    assert all(len(key) == 1 or key.startswith("\x1b") for key in keys)


def test_random_keys_decide_nothing_and_cause_no_crash(tmp_path: Path) -> None:
    """The test runs for ten seconds in an unlocked app; `scripts/soak --seed N` repeats a run."""
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # noqa: T201  # pytest shows it when the test fails
    assert soak(tmp_path, seed, cases(10)) > 10


def test_an_open_panel_gets_only_keys_that_do_not_press_a_button() -> None:
    """The keys come after a pause, because a new panel ignores every key except Escape."""
    sent_items: list[str | float] = []
    child = SimpleNamespace(send=sent_items.append, setwinsize=lambda *_size: None)
    app = SimpleNamespace(child=child, wait_idle=sent_items.append)
    run = Soak(None, None, random.Random(1))  # type: ignore[arg-type]  # noqa: S311  # random keys, not a security use
    for _ in range(300):
        run._step(app)  # type: ignore[arg-type]  # it only records what is sent
    panel_keys: list[str] = []
    for index, opened in enumerate(sent_items):
        if isinstance(opened, str) and opened[0] == "g" and len(opened) == 2:
            rest, *later = sent_items[index + 1 :]
            keys = [key for key in later if isinstance(key, str)]
            assert isinstance(rest, float)
            assert rest >= 2
            panel_keys += keys[: keys.index("\x1b")]
    assert len(panel_keys) > 20
    assert not {"\r", " ", "\n", "\x1b"} & {*panel_keys}
