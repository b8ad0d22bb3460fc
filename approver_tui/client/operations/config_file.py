"""The settings file: TOML, one `name = value` per line.

Owns: reading it, and changing one line without touching the others. Never: what a setting means,
its default.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from approver_tui.client import files
from approver_tui.client.errors import BrokenSettings

_ENCODING = "utf-8-sig"
"""UTF-8; some editors begin a file with a byte order mark."""


def read(path: Path) -> Mapping[str, str]:
    """Return each setting in the file as text. Raises BrokenSettings with the fix."""
    return _parse(path, files.read_private(path) or b"")


def _parse(path: Path, content: bytes) -> Mapping[str, str]:
    try:
        values = tomllib.loads(content.decode(_ENCODING))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BrokenSettings(
            f"{path} is not valid TOML: {error}. Fix the file or remove it."
        ) from error
    return {name: _as_text(path, name, value) for name, value in values.items()}


def write(path: Path, changes: Mapping[str, str | None]) -> None:
    """Set each value, or remove it if it is None; all other lines are unchanged.

    If the file is a symbolic link, its target is changed.
    Raises BrokenSettings if a value to replace spans several lines or its name is in quotes.
    """
    other_values = {name: value for name, value in read(path).items() if name not in changes}
    old_lines = (files.read_private(path) or b"").decode(_ENCODING).splitlines()
    values = {name: value for name, value in changes.items() if value is not None}
    names = "|".join(map(re.escape, changes))
    other_lines = [line for line in old_lines if not re.match(rf"\s*(?:{names})\s*=", line)]
    new_lines = [f"{name} = {_as_toml(value)}" for name, value in values.items()]
    content = "".join(f"{line}\n" for line in [*new_lines, *other_lines]).encode()
    if not _has_values(path, content, {**other_values, **values}):
        raise BrokenSettings(
            f"{path} has a value on several lines, or a name in quotes. Edit the file yourself."
        )
    files.make_private_folder(path.parent)
    files.replace_private(path.resolve(), content)


def _has_values(path: Path, content: bytes, values: Mapping[str, str]) -> bool:
    try:
        return _parse(path, content) == values
    except BrokenSettings:
        return False


def _as_text(path: Path, name: str, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (str, int)):
        return str(value)
    raise BrokenSettings(f"{path}: {name} is not a string, a number, true or false.")


def _as_toml(value: str) -> str:
    if value.isdigit() and value == str(int(value)):
        return value
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
