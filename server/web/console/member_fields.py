"""The form fields of members, made from a table of members.

Owns: which kind of field each kind of value has. Never: which members there are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from server.services.members import Kind, Line, Member, Members
from server.web.fields import Field

_KINDS: Final[Mapping[Kind, str]] = {
    Kind.TEXT: "text",
    Kind.URI: "text",
    Kind.PERSON: "text",
    Kind.RISKS: "pairs",
    Kind.CHOICE: "choice",
    Kind.CHOICES: "picks",
    Kind.NAMES: "lines",
    Kind.PEOPLE: "lines",
    Kind.SWITCH: "box",
    Kind.NUMBER: "number",
    Kind.MOMENT: "day",
    Kind.KEYS: "json",
    Kind.ICON: "icon",
}
_SHAPES: Final = {Kind.NAMES: "", Kind.PEOPLE: "", Kind.LISTS: "lists", Kind.NEEDS: "pairs"}
"""The kinds whose values a form can suggest, with the shape of the values."""


def fields(members: Members, form: str) -> tuple[Field, ...]:
    """The fields of this form: the visible ones, then the advanced ones under section headings."""
    selected = [member for member in members if form in member.field.forms]
    first = [member for member in selected if member.field.first]
    later_members = [member for member in selected if not member.field.first]
    before = [""] + [member.field.section for member in later_members]
    return tuple(field_of(member) for member in first) + tuple(
        replace(
            field_of(member, section=member.field.section if member.field.section != last else ""),
            advanced=bool(first),
        )
        for member, last in zip(later_members, before, strict=False)
    )


def field_of(member: Member, *, section: str = "") -> Field:
    """The field of one member, with the member's name in the API."""
    form_field = member.field
    has_suggestions = bool(form_field.suggestions) and member.kind in _SHAPES
    return Field(
        name=member.wire_name,
        label=form_field.label,
        kind="known" if has_suggestions else _KINDS[member.kind],
        shape=_SHAPES[member.kind] if has_suggestions else "",
        hint=form_field.hint,
        section=section,
        required=member.required,
        max_length=member.max_length,
        rows=form_field.rows,
        choices=form_field.choices,
        empty="" if member.kind is Kind.TEXT and not member.nullable else None,
        all_label=form_field.all_label,
        default=member.default,
        defaults_to_user=form_field.defaults_to_user,
        suggestions=form_field.suggestions,
    )


def field_named(members: Members, name: str) -> Field:
    """The field of the member with this name, for other forms."""
    return field_of(next(member for member in members if member.name == name))


@dataclass(frozen=True, slots=True)
class PageLine:
    """A member on the page of a record: a list of names, or one string."""

    label: str
    names: Sequence[str] | None
    text: str


def page_lines(members: Members, document: Mapping[str, Any], section: str) -> list[PageLine]:
    """The members of a section that the page of the record shows as lines."""
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
