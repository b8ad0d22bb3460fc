"""`sayso init`: creates the first administrator."""

import functools
from collections.abc import Callable
from typing import ParamSpec

import click

from server.app import SystemClock
from server.cli.flags import settings_of
from server.cli.opening import OpenInstallation, Printed, adds
from server.cli.users.users import code_document, code_lines
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


def _existing_admin(services: OpenInstallation, /, **_: object) -> Printed | None:
    if (user := services.installation.admin()) is None:
        return None
    line = f"{user.name} is already the administrator of this installation."
    return {"user": user.name}, [line]


@click.command("init")
@click.option("--admin", default="admin", show_default=True, help="Name of the administrator.")
@_creates_tables
@adds(_existing_admin)
def command(services: OpenInstallation, admin: str) -> Printed:
    """Create the signing keys, the first administrator, and a code for their first device."""
    user, issued = services.installation.init(admin, by=services.by)
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
