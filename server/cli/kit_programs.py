"""Starts a program of the kit in place of this process.

Owns: handing on what was given. Never: what it means; the kit and the server meet only on the wire.
"""

import importlib.util
import os
import sys
from collections.abc import Mapping, Sequence
from typing import NoReturn

import click


def run(
    module: str,
    words: Sequence[str] = (),
    given: Mapping[str, str | bool | None] | None = None,
    *,
    extra: tuple[str, str] | None = None,
) -> NoReturn:
    """Run a module of the kit with these words and flags.

    `extra` is the package that the module needs besides, and the extra of Sayso that installs it.
    """
    if extra is not None and importlib.util.find_spec(extra[0]) is None:
        raise click.ClickException(
            f"This command needs the package {extra[0]}. In the checkout of Sayso, run: "
            f"pip install '.[{extra[1]}]'"
        )
    program = [sys.executable, "-m", module, *words]
    for name, value in (given or {}).items():
        flag = f"--{name.replace('_', '-')}"
        if value is True:
            program.append(flag)
        elif value not in (None, False):
            program.append(f"{flag}={value}")
    sys.stdout.flush()
    os.execv(program[0], program)  # noqa: S606  # our own program, which takes the signals
