"""Tables of members: one row per field of a record, from which every interface is created.

Owns: the form of a row, submitted values, and the checks that are the same for all records.
Never: the rule of a single member; its row contains that.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, ClassVar, Final, TypeAlias

from server.model.store import Unit
from server.protocol.text import check_prose
from server.services.refusals import Invalid, error_member, valid

Check: TypeAlias = Callable[[Unit, Any], object]
"""Converts a submitted value to the stored one. Raises `ChangeRefused`."""
Widens: TypeAlias = Callable[[Any, Any], bool]
"""Given the values before and after a change, returns whether the change grants more access."""


class Kind(StrEnum):
    """The kind of a value. Each interface has a table that says how to read and show each kind."""

    TEXT = "text"
    URI = "uri"
    """A string of up to 2,000 characters."""
    CHOICE = "choice"
    CHOICES = "choices"
    """Several options. A JSON body may contain null instead."""
    NAMES = "names"
    PEOPLE = "people"
    """IDs of users and groups, which are entered and shown by name."""
    PERSON = "person"
    """The ID of a user, who is entered by name."""
    RISKS = "risks"
    """Scopes, each with its risk. An update adds to them or changes them."""
    NEEDS = "needs"
    """Scopes, each with the action type that it requires. An update adds or changes some."""
    LISTS = "lists"
    """Names, each with a list of names."""
    SWITCH = "switch"
    NUMBER = "number"
    MOMENT = "moment"
    """Milliseconds since the epoch."""
    KEYS = "keys"
    """Public keys, submitted as the text of a JWK set."""
    ICON = "icon"
    """The hash of an icon, submitted as the bytes of its file."""


@dataclass(frozen=True, slots=True)
class Clear:
    """A flag that clears a member, and the value that it stores."""

    flag: str
    value: object
    help: str


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag of the command line."""

    name: str
    help: str
    metavar: str | None = None
    clear: str = ""
    """The help of the flag that resets the member to its default; "" if there is none."""
    clears: tuple[Clear, ...] = ()
    """Flags that clear the member instead of `clear`, with other names or values."""
    aliases: tuple[tuple[str, str], ...] = ()
    """Shorter names of options on the command line, and their values."""
    shows_default: bool = False
    positional: bool = False
    """Whether it is a positional argument of the command that adds a record."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line for the member in the command line's output, or on a page."""

    name: str
    text: str = "{}"
    """The text, where `{}` is the value."""
    empty: str | None = None
    """The text if there is no value; None omits the line."""


@dataclass(frozen=True, slots=True)
class FormField:
    """A field of a form."""

    label: str
    hint: str = ""
    section: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    """The value and label of each option."""
    all_label: str = ""
    """The label of the checkbox for everything, which is stored as None."""
    rows: int = 2
    defaults_to_user: bool = False
    """Whether its initial value is the name of the signed-in person."""
    suggestions: str = ""
    """The name of the list of existing values that it offers."""
    first: bool = False
    """Whether it is always visible. If a form has such fields, the others are under "Advanced"."""
    forms: tuple[str, ...] = ("new", "change")
    """The forms that contain it."""
    page: Line | None = None
    """Its line on the page of the record; None if the page's template shows it."""


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a record."""

    name: str
    """Its name in the record and the column."""
    kind: Kind
    field: FormField
    flag: Flag
    line: Line | None = None
    wire: str = ""
    """Its name in the JSON API, if that differs."""
    default: object = None
    """The default for a new record. None means that the member is nullable."""
    required: bool = False
    """Whether a new record must have it."""
    immutable: bool = False
    """Whether updates cannot set it."""
    update_only: bool = False
    """Whether only updates can set it."""
    max_length: int = 400
    check: Check | None = None
    widens: Widens | None = None
    """Whether a change grants more access; None if every change may."""
    audit_name: str | None = ""
    """Its name in the audit log, if that differs; None omits it there."""
    in_responses: bool = True
    """Whether responses contain it unchanged."""
    has_column: bool = True
    """Whether it is stored in a column with its name."""
    filterable: bool = False
    """Whether lists can be filtered by it."""

    @property
    def wire_name(self) -> str:
        """Its name in the JSON API."""
        return self.wire or self.name

    @property
    def nullable(self) -> bool:
        """Whether it may be None."""
        return self.default is None and not self.required


Members: TypeAlias = tuple[Member, ...]
Having: TypeAlias = Mapping[str, str]
"""The filters of a list: members and their values."""

ANY: Final[Having] = {}


def filterable_members(members: Members) -> Members:
    """Return the members by which lists can be filtered."""
    return tuple(member for member in members if member.filterable)


def members_for_new(members: Members) -> Members:
    """Return the members that a new record can set."""
    return tuple(member for member in members if not member.update_only)


def members_for_update(members: Members) -> Members:
    """Return the members that updates can set."""
    return tuple(member for member in members if not member.immutable)


def in_section(section: str, *members: Member) -> Members:
    """Return the members, each in this section of forms and pages."""
    return tuple(
        replace(member, field=replace(member.field, section=section)) for member in members
    )


def names_of(members: Members) -> frozenset[str]:
    """Return the names of the members."""
    return frozenset(member.name for member in members)


class Written(dict[str, Any]):
    """Submitted values by the names of their members; absent members were not submitted.

    A subclass defines the names.
    """

    member_names: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, **values: object) -> None:
        if unknown := values.keys() - self.member_names:
            raise TypeError(f"Unknown member: {', '.join(sorted(unknown))}.")
        super().__init__(values)


_AUDIT_CONVERSIONS: Final[Mapping[Kind, Callable[[Any], object]]] = {
    Kind.CHOICES: list,
    Kind.NAMES: list,
    Kind.PEOPLE: list,
    Kind.RISKS: lambda risks: {name: str(risk) for name, risk in risks.items()},
    Kind.NEEDS: dict,
    Kind.LISTS: lambda lists: {name: list(rest) for name, rest in lists.items()},
    Kind.KEYS: lambda keys: [key["kid"] for key in keys],
}
"""Conversions of values for the audit log."""


def initial_values(tx: Unit, members: Members, written: Written) -> dict[str, Any]:
    """Return the values to store for a new record, with defaults. Raises `ChangeRefused`."""
    defaults = {member.name: member.default for member in members if not member.required}
    return defaults | check_changes(tx, members, written)


def check_changes(tx: Unit, members: Members, written: Written) -> dict[str, Any]:
    """Return the values to store for the submitted members. Raises `ChangeRefused`."""
    return {
        member.name: _check_value(tx, member, written[member.name])
        for member in members
        if member.name in written
    }


def _check_value(tx: Unit, member: Member, value: object) -> object:
    if value is None:
        return value
    with error_member(member.wire_name):
        _check_choices(member, value)
        return value if member.check is None else member.check(tx, value)


def _check_choices(member: Member, value: Any) -> None:  # noqa: ANN401  # as it was submitted
    chosen = [value] if member.kind is Kind.CHOICE else value if member.kind is Kind.CHOICES else ()
    known = dict(member.field.choices)
    if not set(chosen) <= known.keys():
        raise Invalid(f"`{member.wire_name}` must be one of {', '.join(filter(None, known))}.")


def facts(members: Members, record: object) -> dict[str, object]:
    """Return a record's members for the audit log."""
    return {
        member.audit_name or member.name: _to_fact(member.kind, getattr(record, member.name))
        for member in members
        if member.audit_name is not None
    }


def _to_fact(kind: Kind, value: object) -> object:
    convert = _AUDIT_CONVERSIONS.get(kind)
    return value if value is None or convert is None else convert(value)


def widens_by_name(members: Members) -> dict[str, Widens]:
    """Return the `widens` checks by member name, for the members that have one."""
    return {member.name: member.widens for member in members if member.widens is not None}


def adds_values(before: Sequence[str], after: Sequence[str]) -> bool:
    """Return whether `after` contains a value that `before` does not contain."""
    return bool(set(after) - set(before))


def adds_values_or_all(before: Sequence[str] | None, after: Sequence[str] | None) -> bool:
    """Like `adds_values`, but None means everything."""
    return before is not None and (after is None or adds_values(before, after))


def later(before: int | None, after: int | None) -> bool:
    """Return whether a change postpones a time; None means never."""
    return before is not None and (after is None or after > before)


def never_widens(_before: object, _after: object) -> bool:
    """Return False, for a member that never grants more access."""
    return False


def is_set(_before: object, after: object) -> bool:
    """Return whether there is a value, for a member that grants more access with any value."""
    return after is not None


def turns_on(_before: object, after: object) -> bool:
    """Return whether a switch is on, for a switch that grants more access."""
    return bool(after)


def turned_off(_before: object, after: object) -> bool:
    """Return whether a switch is off, for a switch that restricts access."""
    return not after


def more_keys(before: Sequence[object], after: Sequence[object]) -> bool:
    """Return whether a key was added."""
    return any(key not in before for key in after)


def prose(what: str, max_chars: int) -> Check:
    """Return a check for a line of text; an empty line is stored as None."""

    def check(_tx: Unit, raw: str) -> str | None:
        return valid(check_prose, raw, what=what, max_chars=max_chars) if raw else None

    return check


def unique(_tx: Unit, values: Sequence[str]) -> tuple[str, ...]:
    """Return the values without duplicates."""
    return tuple(dict.fromkeys(values))
