"""A decorator for commands, which are functions that return what to print.

Owns: opening the installation, `--json`, and printing. Never: what is printed.
"""

import functools
from collections.abc import Callable, Iterable
from typing import Concatenate, ParamSpec, TypeAlias

from server.cli.opening import OpenInstallation, administers
from server.cli.output import Document, answer, json_option

P = ParamSpec("P")
Printed: TypeAlias = tuple[Document, Iterable[str]]
"""The JSON document, and the lines that are printed without `--json`."""


def prints(function: Callable[Concatenate[OpenInstallation, P], Printed]) -> Callable[..., None]:
    """Run a command with the open installation, and print what it returns."""

    @json_option
    @administers
    @functools.wraps(function)
    def run(admin: OpenInstallation, /, *args: P.args, **kwargs: P.kwargs) -> None:
        as_json = bool(kwargs.pop("as_json"))
        document, lines = function(admin, *args, **kwargs)
        answer(document, lines, as_json=as_json)

    return run
