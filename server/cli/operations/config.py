"""`sayso config`: each setting and its source."""

import click

from server.cli.flags import settings_of
from server.cli.output import answer, json_option, table
from server.settings import describe


@click.group("config")
def command() -> None:
    """Show settings. Flags override the environment, which overrides the file."""


@command.command("show")
@json_option
@click.pass_context
def show(context: click.Context, *, as_json: bool) -> None:
    """List each setting with its value and source. Passwords are masked."""
    settings = settings_of(context)
    items = [{"name": n, "value": v, "source": source} for n, v, source in describe(settings)]
    rows = [(item["name"], item["value"] or "(empty)", item["source"]) for item in items]
    lines = [*table(("setting", "value", "from"), rows), "", f"The issuer is {settings.issuer_url}"]
    answer({"items": items, "issuer": settings.issuer_url}, lines, as_json=as_json)
