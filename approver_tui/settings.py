"""The settings: environment variables, the settings file, and the wall clock.

Owns: all access to the environment and the clock in this package; the list of settings. Never:
secrets as defaults.
"""

import os
import re
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import platformdirs

from approver_tui.attention.preferences import (
    DEFAULT_LEVELS,
    DEFAULT_REPEAT,
    AlertLevel,
    AlertPreferences,
    TerminalSequence,
)
from approver_tui.attention.terminal_environment import TerminalEnvironment
from approver_tui.client.errors import BadSetting, BrokenSettings
from approver_tui.client.operations import config_file
from approver_tui.client.sign_in.profile import DEFAULT, NAME_FORM, Home, is_name
from approver_tui.state.color_overrides import COLOR_NAMES, color_overrides
from approver_tui.state.keymap import KEY_FORM, KEYS, Keymap, is_key
from approver_tui.state.risks import Risk
from approver_tui.state.saved_filters import saved_filters

PREFIX = "SAYSO_APPROVER_"
"""The prefix of a setting's environment variable."""

PROFILE = "profile"
"""The setting that names the default login."""
_ZONE = re.compile(r"[A-Za-z0-9_+/-]+")
"""A time zone name. POSIX time zone rules, which TZ can hold too, contain other characters."""

_SERVER = "sayso"
_MAX_REPEAT_SECONDS = 3_600
_YES_OR_NO = ("yes", "no")
THEMES = (
    "sayso",
    "high-contrast",
    "textual-light",
    "ansi-dark",
    "ansi-light",
    "nord",
    "gruvbox",
    "solarized-light",
)
"""The themes: two of our own, some of Textual's. `ansi` themes use the terminal's colors."""


@dataclass(frozen=True, slots=True)
class Option:
    """One setting: its default, its valid values, its purpose."""

    default: str
    allowed: Callable[[str], bool]
    form: str
    """The valid values in words that can end a sentence."""
    description: str
    choices: tuple[str, ...] = ()
    """All valid values, if they can be listed."""


def _choice_option(choices: tuple[str, ...], default: str, description: str) -> Option:
    form = ", ".join(choices[:-1]) + f" or {choices[-1]}"
    return Option(default, choices.__contains__, form, description, choices)


def _key_option(name: str) -> Option:
    return Option(KEYS[name], is_key, KEY_FORM, f"the key for {name.replace('_', ' ')}")


def _is_repeat_interval(text: str) -> bool:
    if not text.isascii() or not text.isdigit() or len(text) > len(str(_MAX_REPEAT_SECONDS)):
        return False
    return int(text) <= _MAX_REPEAT_SECONDS


def _parses(parse: Callable[[str], object], text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True


def _alert_option(risk: Risk) -> Option:
    description = f"notify for {risk.value} risk"
    return _choice_option(tuple(AlertLevel), DEFAULT_LEVELS[risk].value, description)


OPTIONS: Mapping[str, Option] = {
    **{f"notify_{risk.value}": _alert_option(risk) for risk in Risk},
    "notify_repeat": Option(
        str(DEFAULT_REPEAT),
        _is_repeat_interval,
        f"a number of seconds from 0 (never) to {_MAX_REPEAT_SECONDS}",
        "repeat a high-risk notification after this many seconds",
    ),
    "notify_terminal": _choice_option(
        tuple(TerminalSequence),
        TerminalSequence.AUTO.value,
        "the control sequence for terminal notifications",
    ),
    "theme": _choice_option(THEMES, THEMES[0], "the colors of the app"),
    "colors": Option(
        "",
        partial(_parses, color_overrides),
        f"NAME = #RRGGBB, with ; between several; NAME is {', '.join(COLOR_NAMES)}",
        "colors that replace those of the theme, such as `accent = #ff8800`",
    ),
    "filters": Option(
        "",
        partial(_parses, saved_filters),
        "NAME = FILTER, with ; between several",
        "saved filters, such as `urgent = risk:high`; type @urgent in the filter line",
    ),
    PROFILE: Option(
        DEFAULT,
        is_name,
        NAME_FORM,
        "the login to use without --profile",
    ),
    "plain": _choice_option(
        _YES_OR_NO, "no", "plain lines instead of the app, for screen readers and logs"
    ),
    **{f"key_{name}": _key_option(name) for name in KEYS},
}
"""Every setting that can be stored in the file, in display order."""

NAMES = tuple(OPTIONS)
"""The names of these settings; the configuration reference is checked against them."""


@dataclass(frozen=True, slots=True)
class Value:
    """The value of a setting and its source."""

    text: str
    source: str
    """`default`, an environment variable, or the path of the file."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The location of files, the data folder of a local server, and the user's settings."""

    home: Path | None
    """SAYSO_APPROVER_HOME: all files are stored here, and no keyring is used."""
    server_folder: Path
    """SAYSO_DATA_DIR, or the server's default folder."""
    values: Mapping[str, Value] = field(default_factory=dict)
    terminal_environment: TerminalEnvironment = field(default_factory=TerminalEnvironment)

    @property
    def file(self) -> Path:
        """The path of the settings file."""
        return file_of(self.home)

    @property
    def preferences(self) -> AlertPreferences:
        """The user's alert preferences."""
        return AlertPreferences(
            levels={risk: AlertLevel(self._text(f"notify_{risk.value}")) for risk in Risk},
            repeat=int(self._text("notify_repeat")),
            sequence=TerminalSequence(self._text("notify_terminal")),
        )

    @property
    def theme(self) -> str:
        """The name of the user's theme."""
        return self._text("theme")

    @property
    def colors(self) -> Mapping[str, str]:
        """The user's own colors by name."""
        return color_overrides(self._text("colors"))

    @property
    def filters(self) -> Mapping[str, str]:
        """The saved filters by name."""
        return saved_filters(self._text("filters"))

    @property
    def profile(self) -> str:
        """The name of the default login."""
        return self._text(PROFILE)

    @property
    def keymap(self) -> Keymap:
        """The user's key bindings. Raises BrokenSettings if two actions have the same key."""
        keymap = Keymap({name: self._text(f"key_{name}") for name in KEYS})
        if duplicate_keys := keymap.duplicate_keys():
            key, (first, second) = keymap.key(duplicate_keys[0]), duplicate_keys
            raise BrokenSettings(f"{self.file}: key_{first} and key_{second} are both {key}.")
        return keymap

    @property
    def is_plain(self) -> bool:
        """Whether to print lines instead of screens, because of a setting or the terminal."""
        return self._text("plain") == "yes" or self.terminal_environment.is_dumb

    @property
    def is_motion_reduced(self) -> bool:
        """Whether to turn animations off: over SSH each frame costs bandwidth."""
        return self.terminal_environment.is_remote

    def _text(self, name: str) -> str:
        value = self.values.get(name)
        return OPTIONS[name].default if value is None else value.text


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of this process. Raises BadSetting with the fix."""
    values = os.environ if environment is None else environment
    home, server_folder = _home(values), values.get("SAYSO_DATA_DIR")
    return Settings(
        home=home,
        server_folder=(
            _folder("SAYSO_DATA_DIR", server_folder) if server_folder else _default_server_folder()
        ),
        values=_values(values, file_of(home), config_file.read(file_of(home))),
        terminal_environment=TerminalEnvironment.detect(values, sys.platform),
    )


def settings_file() -> Path:
    """Return the path of this process's settings file."""
    return file_of(_home(os.environ))


def file_of(home: Path | None) -> Path:
    """Return the path of an installation's settings file."""
    return Home.in_folder(home).config / "config.toml"


def values_after(changes: Mapping[str, str | None]) -> Mapping[str, Value]:
    """Return the values after these changes to the file. Raises BadSetting with the fix."""
    path = settings_file()
    changed = {**config_file.read(path), **changes}
    return _values(os.environ, path, {n: text for n, text in changed.items() if text is not None})


def check_value(name: str, text: str, source: str) -> str:
    """Return the text if it is valid for the setting. Raises BadSetting."""
    option = OPTIONS.get(name)
    if option is None:
        raise BadSetting(f"{source}: there is no setting {name}.")
    if not option.allowed(text):
        raise BadSetting(f"{source}: {name} must be {option.form}.")
    return text


def local_zone(
    environment: Mapping[str, str] | None = None, link: Path = Path("/etc/localtime")
) -> str | None:
    """Return the name of this machine's time zone, or None if unknown."""
    values = os.environ if environment is None else environment
    chosen = values.get("TZ", "").lstrip(":")
    if chosen and not chosen.startswith("/"):
        return chosen if _ZONE.fullmatch(chosen) else None
    _, is_found, zone = str(Path(chosen or link).resolve()).partition("/zoneinfo/")
    return zone if is_found else None


def editor() -> str:
    """Return the command of the user's editor, or an empty string."""
    return os.environ.get("VISUAL") or os.environ.get("EDITOR") or ""


def wall_clock() -> int:
    """Return the time in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def _values(
    environment: Mapping[str, str], path: Path, file_values: Mapping[str, str]
) -> Mapping[str, Value]:
    """Return each value: the environment overrides the file, which overrides the default."""
    try:
        for name, text in file_values.items():
            check_value(name, text, str(path))
    except BadSetting as error:
        raise BrokenSettings(str(error)) from error
    return {name: _value(name, environment, file_values, path) for name in OPTIONS}


def _value(
    name: str, environment: Mapping[str, str], file_values: Mapping[str, str], path: Path
) -> Value:
    variable = PREFIX + name.upper()
    if text := environment.get(variable):
        return Value(check_value(name, text, variable), variable)
    if name in file_values:
        return Value(file_values[name], str(path))
    return Value(OPTIONS[name].default, "default")


def _home(environment: Mapping[str, str]) -> Path | None:
    folder = environment.get("SAYSO_APPROVER_HOME")
    return _folder("SAYSO_APPROVER_HOME", folder).absolute() if folder else None


def _folder(variable: str, text: str) -> Path:
    """Return the path of a folder. `~` is the home folder, as in a shell."""
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise BadSetting(f"{variable}: {text} has no home folder.") from error


def _default_server_folder() -> Path:
    return platformdirs.user_data_path(_SERVER)
