"""Desktop notifications on this machine.

Owns: which program shows them. Never: blocking for longer than a few seconds if the desktop hangs.
"""

import shutil
import subprocess
from collections.abc import Callable, Mapping

_SECONDS = 5
_TITLE = "Sayso"
_BUS = "org.freedesktop.Notifications"

_PROGRAMS: Mapping[str, Callable[[str], tuple[str, ...]]] = {
    "notify-send": lambda text: ("--app-name=sayso", "--category=im", _TITLE, text),
    "gdbus": lambda text: (
        *(
            "call",
            "--session",
            "--dest",
            _BUS,
            "--object-path",
            "/org/freedesktop/Notifications",
        ),
        *("--method", f"{_BUS}.Notify", "sayso", "0", "", _TITLE, text, "[]", "{}", "-1"),
    ),
    "osascript": lambda text: ("-e", f'display notification "{text}" with title "{_TITLE}"'),
}
"""The arguments of each program, best first. The text is fixed and has no quotes."""


def find_program() -> str | None:
    """Return the first notification program that is installed, if any."""
    return next((name for name in _PROGRAMS if shutil.which(name)), None)


def show(text: str) -> str:
    """Show a notification; return an error message, or an empty string."""
    name = find_program()
    if name is None:
        return "notify-send, gdbus and osascript are not installed"
    command = [shutil.which(name) or name, *_PROGRAMS[name](text)]
    try:
        result = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)  # noqa: S603  # fixed arguments, no shell
    except (OSError, subprocess.TimeoutExpired):
        return f"{name} did not respond"
    return "" if result.returncode == 0 else f"{name} exited with code {result.returncode}"
