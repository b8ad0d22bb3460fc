"""`sayso-approver config`: each setting, its value, and its source."""

from collections.abc import Mapping

import click

from approver_tui import settings
from approver_tui.cli import completing
from approver_tui.cli.printing import align, as_json, group, print_lines, print_result, wants_json
from approver_tui.client.errors import BadSetting
from approver_tui.client.operations import config_file
from approver_tui.settings import OPTIONS
from approver_tui.state.keymap import KEYS, Keymap


@group("config")
def config() -> None:
    """Show and change settings.

    The environment (SAYSO_APPROVER_ and the name in capitals) overrides the file, and the file
    overrides the default.
    """
    _show()


@config.command("path")
def path() -> None:
    """Print the path of the settings file."""
    click.echo(settings.settings_file())


@config.command("set")
@click.argument(
    "pairs",
    metavar="NAME VALUE ...",
    nargs=-1,
    required=True,
    shell_complete=completing.settings_and_values,
)
@as_json
def set_values(*, pairs: tuple[str, ...]) -> None:
    """Save all values at once, so that two keys can be swapped."""
    if len(pairs) % 2:
        raise click.UsageError(f"{pairs[-1]} has no value.")
    pairs_given = zip(pairs[::2], pairs[1::2], strict=True)
    values = {name: settings.check_value(name, value, "config set") for name, value in pairs_given}
    _save_changes(values)


@config.command("unset")
@click.argument("name", shell_complete=completing.setting_names)
@as_json
def unset(*, name: str) -> None:
    """Remove a value from the file; the default applies again.

    This also removes a setting that does not exist.
    """
    if name not in config_file.read(settings.settings_file()):
        settings.check_value(name, OPTIONS[name].default if name in OPTIONS else "", "config unset")
    _save_changes({name: None})


def _save_changes(changes: Mapping[str, str | None]) -> None:
    path = settings.settings_file()
    values = settings.values_after(changes)
    _check_keys({**config_file.read(path), **changes})
    config_file.write(path, changes)
    if wants_json():
        _show()
        return
    print_lines(
        f"{name} is {values[name].text} ({values[name].source})."
        if name in values
        else f"{name} is removed from {path}."
        for name in changes
    )


def _check_keys(values: Mapping[str, str | None]) -> None:
    """Raise BadSetting if two actions would have the same key."""
    chosen = {name: values.get(f"key_{name}") or default for name, default in KEYS.items()}
    if duplicate_keys := Keymap(chosen).duplicate_keys():
        key, (first, second) = chosen[duplicate_keys[0]], duplicate_keys
        raise BadSetting(
            f"key_{first} and key_{second} would both be {key}. Set both in one command: "
            f"sayso-approver config set key_{first} {key} key_{second} OTHER"
        )


def _show() -> None:
    loaded = settings.load()
    items = [
        {
            "name": name,
            "value": value.text,
            "source": value.source,
            "means": OPTIONS[name].description,
        }
        for name, value in loaded.values.items()
    ]
    rows = [(name, value.text, value.source) for name, value in loaded.values.items()]
    table = align([("setting", "value", "from"), *rows])
    print_result(
        {"schema": "sayso.config/1", "path": str(loaded.file), "items": items},
        [*table, "", "Change one: sayso-approver config set NAME VALUE"],
    )
