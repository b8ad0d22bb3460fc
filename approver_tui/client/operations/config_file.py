"""The settings file: TOML, one `name = value` per line.

Owns: reading it, and changing one line without touching the others. Never: what a setting means,
its default.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from approver_tui.client import files
from approver_tui.client.errors import BrokenSettings


def read(path: Path) -> Mapping[str, str]:
    """Return each setting in the file as text. Raises BrokenSettings with the fix."""
    content = files.read_private(path)
    if content is None:
        return {}
    try:
        values = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BrokenSettings(
            f"{path} is not valid TOML: {error}. Fix the file or remove it."
        ) from error
    return {name: _as_text(path, name, value) for name, value in values.items()}


def write(path: Path, changes: Mapping[str, str | None]) -> None:
    """Set each value, or remove it if it is None; all other lines are unchanged."""
    names = "|".join(map(re.escape, changes))
    old = (files.read_private(path) or b"").decode().splitlines()
    other_lines = [line for line in old if not re.match(rf"\s*(?:{names})\s*=", line)]
    assignments = [(name, value) for name, value in changes.items() if value is not None]
    new = [f"{name} = {_as_toml(value)}" for name, value in assignments]
    files.write_private(path, "".join(f"{line}\n" for line in [*new, *other_lines]).encode())


def _as_text(path: Path, name: str, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (str, int)):
        return str(value)
    raise BrokenSettings(f"{path}: {name} is not a string, a number, true or false.")


def _as_toml(value: str) -> str:
    if value.isdigit():
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
