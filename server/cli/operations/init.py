"""`sayso init`: creates the first administrator."""

import functools
from collections.abc import Callable
from typing import ParamSpec

import click

from server.app import SystemClock
from server.cli.flags import settings_of
from server.cli.opening import OpenInstallation, Printed, prints
from server.cli.output import if_missing_option
from server.cli.users.users import code_document, code_lines
from server.services.refusals import Exists
from server.storage.open import create_tables

P = ParamSpec("P")


def _creates_tables(function: Callable[P, None]) -> Callable[P, None]:
    """Create the tables of an empty database before it is opened."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        settings = settings_of(click.get_current_context())
        create_tables(settings.sqlalchemy_url, SystemClock().now())
        function(*args, **kwargs)

    return run


@click.command("init")
@click.option("--admin", default="admin", show_default=True, help="Name of the administrator.")
@if_missing_option
@_creates_tables
@prints
def command(services: OpenInstallation, admin: str, *, if_missing: bool) -> Printed:
    """Create the signing keys, the first administrator, and a code for their first device."""
    try:
        user, issued = services.installation.init(admin, by=services.by)
    except Exists:
        existing = services.installation.admin()
        if not if_missing or existing is None:
            raise
        line = f"{existing.name} is already the administrator of this installation."
        return {"user": existing.name}, [line]
    lines = [
        f"{user.name} is the administrator of this installation.",
        "If the server is not running yet, start it in another terminal:",
        "  sayso serve",
        "",
        *code_lines(services, user, issued),
        "",
        "Then register an agent:",
        f"  sayso agents add NAME --owner {user.name}",
    ]
    return {"user": user.name, **code_document(services, issued)}, lines
