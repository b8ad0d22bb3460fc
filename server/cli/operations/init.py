"""`sayso init`: the first administrator of an installation."""

import click

from server.cli.opening import BY, OpenInstallation, administers
from server.cli.output import answer, if_missing_option, json_option
from server.cli.users.enrolling import code_document, code_lines
from server.services.refusals import Exists


@click.command("init")
@click.option("--admin", default="admin", show_default=True, help="Name of the administrator.")
@if_missing_option
@json_option
@administers
def command(desk: OpenInstallation, admin: str, *, if_missing: bool, as_json: bool) -> None:
    """Make the signing keys and the first administrator, with a code for their first device."""
    try:
        user, issued = desk.installation.init(admin, by=BY)
    except Exists:
        present = desk.installation.admin()
        if not if_missing or present is None:
            raise
        line = f"{present.name} administers this installation already."
        answer({"user": present.name}, [line], as_json=as_json)
        return
    lines = [
        f"{user.name} administers this installation.",
        *code_lines(desk, user, issued),
        "",
        "Start the server first, if it does not run:",
        "  sayso serve",
    ]
    answer({"user": user.name, **code_document(desk, issued)}, lines, as_json=as_json)
