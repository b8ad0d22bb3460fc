"""The fields of a form that writes members, made from the rows of a table.

Owns: which kind of field each kind of value has. Never: which members there are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from server.services.members import Kind, Line, Member, Members
from server.web.fields import Field

_KINDS: Final[Mapping[Kind, str]] = MappingProxyType(
    {
        Kind.TEXT: "text",
        Kind.CHOICE: "choice",
        Kind.CHOICES: "picks",
        Kind.NAMES: "lines",
        Kind.PEOPLE: "lines",
        Kind.LISTS: "lists",
        Kind.SWITCH: "box",
        Kind.NUMBER: "number",
        Kind.MOMENT: "day",
        Kind.KEYS: "json",
        Kind.ICON: "icon",
    }
)
_OF_FILES: Final = (Kind.KEYS, Kind.ICON)


def fields(members: Members, form: str) -> tuple[Field, ...]:
    """The fields of the members that stand on this form, under the headings of their sections."""
    standing = [member for member in members if form in member.field.on]
    before = [""] + [member.field.section for member in standing]
    return tuple(
        field_of(member, section=member.field.section if member.field.section != last else "")
        for member, last in zip(standing, before, strict=False)
    )


def field_of(member: Member, *, section: str = "") -> Field:
    """One of them; its name is that of the JSON API."""
    told = member.field
    return Field(
        name=member.wire_name,
        label=told.label,
        kind=_KINDS[member.kind],
        hint=told.hint,
        section=section,
        needed=member.needed,
        longest=member.longest,
        rows=told.rows,
        choices=told.choices,
        empty="" if member.kind is Kind.TEXT and not member.nullable else None,
        every=told.every,
        start=member.start,
        mine=told.mine,
        known=told.known,
        flag=f"{member.flag.name} FILE" if member.kind in _OF_FILES else member.flag.name,
    )


def field_called(members: Members, name: str) -> Field:
    """The field of one member, for a form that is about something else."""
    return field_of(next(member for member in members if member.name == name))


@dataclass(frozen=True, slots=True)
class PageLine:
    """What the page of a record says of one member: names, or one text."""

    label: str
    names: Sequence[str] | None
    text: str


def page_lines(members: Members, document: Mapping[str, Any], section: str) -> list[PageLine]:
    """The members of a section for which the page of the record has no place of its own."""
    return [
        _page_line(member.field.page, document[member.wire_name])
        for member in members
        if member.field.page is not None and member.field.section == section
    ]


def _page_line(line: Line, value: object) -> PageLine:
    if isinstance(value, list):
        return PageLine(line.name, value, "")
    absent = value is None or value is False or value == ""
    return PageLine(line.name, None, line.empty or "" if absent else line.text.format(value))
