"""Asks for confirmation before a change that cannot be undone."""

import sys
from typing import Final

import click

from server.services.refusals import Conflict

force_option: Final = click.option("--force", is_flag=True, help="Do not ask for confirmation.")


def confirm(question: str, refusal: str, *, asks: bool | None = None) -> None:
    """Ask at a terminal; elsewhere raise `Conflict` with the refusal, which names `--force`."""
    if not (sys.stdin.isatty() if asks is None else asks):
        raise Conflict(refusal)
    click.confirm(question, abort=True, err=True)
