"""Which login of this machine a command is about.

Owns: that `--profile` wins over the setting. Never: whether there is such a login.
"""

import click

from approver_tui import settings
from approver_tui.client.sign_in.profile import Home


def this_home() -> Home:
    """Return where the login is that this command is about: --profile, or the setting."""
    known = settings.load()
    named = click.get_current_context().find_root().params.get(settings.PROFILE)
    return Home.at(known.home).named(named or known.profile)
