"""An app that crashes."""

import time

import pytest

from approver_tui.screens.guard import InputGuard
from approver_tui.screens.guarded_app import GuardedApp


class CrashingApp(GuardedApp[None]):
    """An app that crashes while a PIN is in a local variable."""

    def on_mount(self) -> None:
        """Crash."""
        pin = "".join(reversed("828172"))
        raise RuntimeError(f"broken at {len(pin)}")


def test_a_crash_exits_with_1_and_prints_no_local_variables(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The error stays on the terminal, and a PIN is not printed with it."""
    app = CrashingApp(InputGuard(time.monotonic), "sayso")
    with pytest.raises(SystemExit) as exited:
        app.run(headless=True)
    printed = capsys.readouterr().err
    assert exited.value.code == 1
    assert "broken at 6" in printed
    assert "271828" not in printed
