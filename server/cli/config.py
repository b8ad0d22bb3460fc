"""`sayso config`: each setting and where its value came from."""

import re
from typing import Final

import click

from server.cli.flags import settings_of
from server.cli.output import answer, json_option, table
from server.settings import NAMES, PREFIX, Settings

_PASSWORD: Final = re.compile(r"(?<=://)([^/@]*?):[^/]*@")
_PASSWORD_PARAMETER: Final = re.compile(r"(?i)((?:password|passwd|secret|token)=)[^&]*")


@click.group("config")
def command() -> None:
    """Settings: flags win over the environment, the environment over the file."""


@command.command("show")
@json_option
@click.pass_context
def show(context: click.Context, *, as_json: bool) -> None:
    """Each value and where it came from. Passwords are not shown."""
    settings = settings_of(context)
    items = [_item(settings, name) for name in NAMES]
    rows = [(item["name"], item["value"] or "(empty)", item["source"]) for item in items]
    lines = [
        *table(("setting", "value", "from"), rows),
        "",
        f"The issuer is {settings.issuer_url}",
    ]
    answer({"items": items, "issuer": settings.issuer_url}, lines, as_json=as_json)


def masked(text: str) -> str:
    """The text without a password that a URL carries."""
    return _PASSWORD_PARAMETER.sub(r"\1***", _PASSWORD.sub(r"\1:***@", text))


def _item(settings: Settings, name: str) -> dict[str, str]:
    value = settings.sqlalchemy_url if name == "database_url" else str(getattr(settings, name))
    source = settings.sources.get(name, "default")
    return {"name": f"{PREFIX}{name.upper()}", "value": masked(value), "source": source}
