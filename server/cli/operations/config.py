"""`sayso config`: each setting and where its value came from."""

import click

from server.cli.flags import settings_of
from server.cli.output import answer, json_option, table
from server.settings import described


@click.group("config")
def command() -> None:
    """Settings: flags win over the environment, the environment over the file."""


@command.command("show")
@json_option
@click.pass_context
def show(context: click.Context, *, as_json: bool) -> None:
    """Each value and where it came from. Passwords are not shown."""
    settings = settings_of(context)
    items = [{"name": n, "value": v, "source": source} for n, v, source in described(settings)]
    rows = [(item["name"], item["value"] or "(empty)", item["source"]) for item in items]
    lines = [
        *table(("setting", "value", "from"), rows),
        "",
        f"The issuer is {settings.issuer_url}",
    ]
    answer({"items": items, "issuer": settings.issuer_url}, lines, as_json=as_json)
