"""Members on the command line: flags and text, made from a table of members.

Owns: how each kind of value is entered and printed. Never: which members there are.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import methodcaller
from typing import Any, BinaryIO, Final, TypeAlias, TypeVar

import click

from server.cli.output import join_names, moment
from server.cli.params import moment_ms, scope_need, scope_risk
from server.lazy_imports import lazily
from server.protocol.clients.icons import MAX_BYTES
from server.services.members import (
    Clear,
    Having,
    Kind,
    Line,
    Member,
    Members,
    filterable_members,
    members_for_new,
    members_for_update,
)

with lazily():
    from server.services.clients import icons

_F = TypeVar("_F", bound=Callable[..., object])
_Names: TypeAlias = Mapping[str, str]
"""Id → name of users and groups."""
_NO_NAMES: Final[_Names] = {}


def _read_lists(pairs: Sequence[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    names = dict.fromkeys(name for name, _ in pairs)
    return {name: tuple(value for key, value in pairs if key == name) for name in names}


def _read_icon(file: BinaryIO) -> bytes:
    """Read one byte more than the limit, so that the service can refuse a larger file."""
    raw = file.read(MAX_BYTES + 1)
    if not raw:
        raise click.UsageError("The icon file is empty. To remove the icon, use --no-icon.")
    return raw


def _icon_path(digest: str) -> str:
    return icons.path_of(digest)


def _lists_text(value: Mapping[str, Sequence[str]]) -> str:
    return "; ".join(f"at {name}: {join_names(names)}" for name, names in value.items())


@dataclass(frozen=True, slots=True)
class _FlagKind:
    """How a kind of value is read from flags and printed."""

    options: Mapping[str, Any] = field(default_factory=dict)
    """The arguments for `click.option`."""
    read: Callable[[Any], object] = lambda value: value
    text: Callable[[Any], str] = str


_MULTIPLE: Final = _FlagKind({"multiple": True}, text=join_names)
_KINDS: Final[Mapping[Kind, _FlagKind]] = {
    **dict.fromkeys((Kind.TEXT, Kind.URI, Kind.PERSON, Kind.CHOICE), _FlagKind()),
    **dict.fromkeys((Kind.CHOICES, Kind.NAMES, Kind.PEOPLE), _MULTIPLE),
    Kind.RISKS: _FlagKind(
        {"multiple": True, "type": scope_risk, "metavar": "NAME[=RISK]"},
        dict,
        lambda risks: join_names(f"{name}={risk}" for name, risk in risks.items()),
    ),
    Kind.NEEDS: _FlagKind(
        {"multiple": True, "type": scope_need, "metavar": "SCOPE=TYPE"},
        dict,
        lambda needs: join_names(f"{name} needs {kind}" for name, kind in needs.items()),
    ),
    Kind.LISTS: _FlagKind({"multiple": True, "nargs": 2}, _read_lists, _lists_text),
    Kind.SWITCH: _FlagKind({"default": None}),
    Kind.NUMBER: _FlagKind({"type": int}),
    Kind.MOMENT: _FlagKind(text=moment),
    Kind.KEYS: _FlagKind({"type": click.File("r", encoding="utf-8-sig")}, methodcaller("read")),
    Kind.ICON: _FlagKind({"type": click.File("rb")}, _read_icon, _icon_path),
}


def new_flags(members: Members) -> Callable[[_F], _F]:
    """The flags of a command that adds a record."""
    return _add_options(
        [
            _option(member, adds=True)
            for member in members_for_new(members)
            if not member.flag.positional
        ]
    )


def change_flags(members: Members) -> Callable[[_F], _F]:
    """The flags of a command that updates a record, with those that clear values."""
    changing = members_for_update(members)
    clears = [clear for member in changing for clear in clear_flags(member)]
    return _add_options(
        [
            *(_option(member, adds=False) for member in changing),
            *(click.option(clear.flag, is_flag=True, help=clear.help) for clear in clears),
        ]
    )


def search_flags(members: Members) -> Callable[[_F], _F]:
    """The flags of a command that lists records."""
    return _add_options(
        [
            click.option(member.flag.name, member.name, help=f"Filter by {member.field.label}.")
            for member in filterable_members(members)
        ]
    )


def read_filters(flags: Mapping[str, str | None]) -> Having:
    """The filters of a list."""
    return {name: value for name, value in flags.items() if value is not None}


def _add_options(options: Sequence[Callable[[_F], _F]]) -> Callable[[_F], _F]:
    def decorate(function: _F) -> _F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


def _option(member: Member, *, adds: bool) -> Callable[[_F], _F]:
    flag = member.flag
    names = f"{flag.name}/--no-{flag.name[2:]}" if member.kind is Kind.SWITCH else flag.name
    options: dict[str, Any] = {**_KINDS[member.kind].options, "help": flag.help}
    if words := _choices(member):
        options["type"] = click.Choice(words)
    if flag.metavar is not None:
        options["metavar"] = flag.metavar
    if adds and flag.shows_default:
        options |= {"default": member.default, "show_default": True}
    if adds and member.required:
        options["required"] = True
    return click.option(names, member.wire_name, **options)


def _choices(member: Member) -> list[str]:
    """The values that the flag accepts, if it is a choice."""
    aliases = [word for word, _ in member.flag.aliases]
    return aliases or [value for value, _ in member.field.choices if value]


def read_flags(members: Members, flags: Mapping[str, Any], now: int) -> dict[str, Any]:
    """The members that the flags set. Raises click.UsageError if two flags set the same one."""
    values: dict[str, Any] = {}
    for member in members:
        value = flags.get(member.wire_name)
        cleared = [clear.value for clear in clear_flags(member) if flags.get(_dest(clear))]
        is_set = value is not None and value != ()
        if is_set + len(cleared) > 1:
            raise click.UsageError(f"{member.flag.name}: set it or remove it, not both.")
        if cleared:
            values[member.name] = cleared[0]
        elif is_set:
            values[member.name] = _read(member, value, now)
    return values


def clear_flags(member: Member) -> tuple[Clear, ...]:
    """The flags that clear a member."""
    if not member.flag.clear:
        return member.flag.clears
    return (Clear(f"--no-{member.flag.name[2:]}", member.default, member.flag.clear),)


def _dest(clear: Clear) -> str:
    return clear.flag.removeprefix("--").replace("-", "_")


def _read(member: Member, value: Any, now: int) -> object:  # noqa: ANN401  # as click read it
    if member.kind is Kind.MOMENT:
        return moment_ms(value, now)
    if member.flag.aliases:
        aliases = dict(member.flag.aliases)
        return tuple(aliases[word] for word in value)
    return _KINDS[member.kind].read(value)


def _with_names(kind: Kind, value: Any, names: _Names) -> object:  # noqa: ANN401  # of any kind
    """Replace the IDs of users and groups with their names."""
    if kind is Kind.PERSON:
        return names.get(value, value)
    if kind is Kind.PEOPLE:
        return [names.get(person_id, person_id) for person_id in value]
    return value


def lines(members: Members, record: object, names: _Names = _NO_NAMES) -> dict[str, str | None]:
    """The members of a record as text."""
    return {
        member.line.name: _line(member, member.line, getattr(record, member.name), names)
        for member in members
        if member.line is not None
    }


def _line(member: Member, line: Line, value: object, names: _Names) -> str | None:
    if value is None or value is False:
        return line.empty
    if line.empty is None and value in ("", (), {}):
        return None
    return line.text.format(_KINDS[member.kind].text(_with_names(member.kind, value, names)))
