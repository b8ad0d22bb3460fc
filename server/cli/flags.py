"""The settings of one command, from its flags, the environment and the file.

Contains nothing else, because `sayso serve` must not import modules before gevent has patched them.
Never: opening the installation; `opening.py` does that.
"""

from pathlib import Path
from urllib.parse import unquote

import click

from server.settings import Settings, load


def settings_of(context: click.Context) -> Settings:
    """The settings of this command."""
    flags: dict[str, object] = context.find_root().obj
    return load(flags)


def sqlite_file(settings: Settings) -> Path:
    """The path of the SQLite database."""
    path = settings.sqlalchemy_url.partition(":///")[2].partition("?")[0]
    return Path(unquote(path))
