"""Replaces this process with a command of the SDK, with the same arguments.

The SDK talks to the server over HTTP only.
"""

import importlib.util
import os
import sys
from collections.abc import Mapping, Sequence
from typing import NoReturn

import click


def run(
    module: str,
    args: Sequence[str] = (),
    options: Mapping[str, str | bool | None] | None = None,
    *,
    extra: tuple[str, str] | None = None,
) -> NoReturn:
    """Run a module of the SDK with these arguments and options.

    `extra` is an additional package that the module needs, and the extra of Sayso that installs it.
    """
    if extra is not None and importlib.util.find_spec(extra[0]) is None:
        raise click.ClickException(
            f"This command needs the package {extra[0]}. In the checkout of Sayso, run: "
            f"pip install '.[{extra[1]}]'"
        )
    program = [sys.executable, "-m", module, *args]
    for name, value in (options or {}).items():
        flag = f"--{name.replace('_', '-')}"
        if value is True:
            program.append(flag)
        elif value not in (None, False):
            program.append(f"{flag}={value}")
    sys.stdout.flush()
    os.execv(program[0], program)  # noqa: S606  # our own program; it receives the signals
