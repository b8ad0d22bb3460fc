"""The settings of one command: its flags, the environment, the file.

Owns: nothing but that; `sayso serve` begins here, before gevent has patched what others load.
Never: opens the installation; `opening.py` does.
"""

from pathlib import Path

import click

from server.settings import Settings, load


def settings_of(context: click.Context) -> Settings:
    """The settings of this command: flags, environment, file."""
    flags: dict[str, object] = context.find_root().obj
    return load(flags)


def sqlite_file(settings: Settings) -> Path:
    """The file that is the database, where one is."""
    return Path(settings.sqlalchemy_url.partition(":///")[2])
