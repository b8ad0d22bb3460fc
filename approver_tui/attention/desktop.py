"""A notification on the desktop of this machine.

Owns: which program shows it. Never: waits for it; a desktop that hangs holds nothing up.
"""

import shutil
import subprocess
from collections.abc import Callable, Mapping
from types import MappingProxyType

_SECONDS = 5
_TITLE = "Sayso"
_BUS = "org.freedesktop.Notifications"

_PROGRAMS: Mapping[str, Callable[[str], tuple[str, ...]]] = MappingProxyType(
    {
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
)
"""What each is called with, the best first. The words are fixed and carry no quotes."""


def program() -> str | None:
    """Return the program of this machine that shows notifications, if there is one."""
    return next((name for name in _PROGRAMS if shutil.which(name)), None)


def show(text: str) -> str:
    """Show a notification; return what went wrong, or nothing."""
    name = program()
    if name is None:
        return "there is no notify-send, gdbus or osascript"
    command = [shutil.which(name) or name, *_PROGRAMS[name](text)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)  # noqa: S603  # fixed words, no shell
    except (OSError, subprocess.TimeoutExpired):
        return f"{name} did not answer"
    return "" if done.returncode == 0 else f"{name} failed with {done.returncode}"
