"""The login that a command uses.

Owns: which profile is used; `--profile` takes precedence over the setting. Never: checking that the
profile exists.
"""

import click

from approver_tui import settings
from approver_tui.client.sign_in.profile import Home


def this_home() -> Home:
    """Return the folders of this command's login."""
    return home_of(click.get_current_context())


def home_of(context: click.Context) -> Home:
    """Return the folders of the login: --profile, or the setting."""
    loaded = settings.load()
    profile_name = context.find_root().params.get(settings.PROFILE)
    return Home.in_folder(loaded.home).with_profile(profile_name or loaded.profile)
