"""The fields of forms: how each is rendered, and what it becomes in the body of an API request.

Owns: the kinds of fields. Never: business rules; the API has them, and names the invalid member.
"""

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from server.http.route import MAX_BODY_BYTES
from server.protocol import errors, json_text
from server.protocol.forms import Form
from server.web import days
from server.web.choices import NONE, URI_SUGGESTIONS, Choices
from server.web.differences import Line
from server.web.differences import lines as lines_of

_CHECKBOX_KINDS: Final = frozenset({"picks", "known"})
MAX_DIGITS: Final = 12
_URI_SEPARATOR: Final = r",(?=\s|$|https?://)"
"""A comma between URIs; other commas belong to a URI."""
_MEMBER: Final = re.compile(r"`\w+`")


class InvalidField(ValueError):
    """A value cannot be parsed as the field's kind. `member` is the field's name."""

    def __init__(self, member: str, text: str) -> None:
        super().__init__(text)
        self.member = member


@dataclass(frozen=True, slots=True)
class Field:
    """One field, with the name of its member in the API."""

    name: str
    label: str
    kind: str = "text"
    """One of `KINDS`."""
    hint: str = ""
    section: str = ""
    """The heading above it."""
    required: bool = False
    max_length: int = 400
    rows: int = 2
    choices: tuple[tuple[str, str], ...] = ()
    """The value and label of each option."""
    empty: object = None
    """The value to send if the field is empty."""
    all_label: str = ""
    """The label of the checkbox that selects everything; "" for a field without it."""
    default: object = None
    """The initial value for a new record."""
    defaults_to_user: bool = False
    """The initial value is the name of the signed-in person."""
    suggestions: str = ""
    """The list of values that it offers; a key of `_LISTS` in `choices.py`."""
    shape: str = ""
    """How a `known` field is sent: as a list, or by first word as `pairs` or `lists`."""
    advanced: bool = False
    """It is in the section "Advanced"."""
    stored_name: str = ""
    """The member with the stored value, if its name differs."""

    @property
    def box(self) -> str:
        """The name of the checkbox that selects everything; no value has such a name."""
        return f"every-{self.name}"


@dataclass(frozen=True, slots=True)
class RenderedField:
    """A field with its value, as the page renders it."""

    field: Field
    value: str
    ticked: frozenset[str]
    """The selected options, or its checkbox."""
    choices: tuple[tuple[str, str], ...] = ()
    problem: str = ""
    now: str = ""
    """The stored value, if it differs from the submitted one."""
    offered: Choices = NONE


@dataclass(frozen=True, slots=True)
class SubmittedForm:
    """A submitted form, and its error."""

    form: Form
    member: str
    """The invalid field; "" if the error is not about a single field."""
    text: str
    path: str = ""
    """The form's path, for a page with several forms."""


def body(
    fields: Sequence[Field], form: Form, document: Mapping[str, Any] | None = None
) -> dict[str, object]:
    """The submitted values as a request body; given a stored `document`, only the changed ones.

    Raises `InvalidField`.
    """
    selected = (
        fields
        if document is None
        else [new.field for _, new in _changed_pairs(fields, document, form)]
    )
    return {field.name: _value(field, form) for field in selected}


def render_fields(
    fields: Sequence[Field],
    document: Mapping[str, Any] | None,
    submission: SubmittedForm | None,
    me: str = "",
    offered: Callable[[str], Choices] = lambda _: NONE,
) -> list[RenderedField]:
    """Each field with its stored, initial or submitted value. `me` is the signed-in person."""
    return [
        _render_field(field, document, submission, me, offered(field.suggestions))
        for field in fields
    ]


def _value(field: Field, form: Form) -> object:
    if field.all_label and form.get(field.box):
        return None
    try:
        value = KINDS[field.kind].read(field, form)
    except InvalidField:
        raise
    except ValueError as error:
        raise InvalidField(field.name, f"{error}.") from error
    if field.required and not value:
        raise InvalidField(field.name, "This field is required.")
    return field.empty if value is None else value


def _render_field(
    field: Field,
    document: Mapping[str, Any] | None,
    submission: SubmittedForm | None,
    me: str,
    offered: Choices,
) -> RenderedField:
    initial = me if field.defaults_to_user else field.default
    stored = initial if document is None else document.get(field.stored_name or field.name)
    selects_all = bool(field.all_label) and stored is None
    value = KINDS[field.kind].write(stored)
    ticked = frozenset([field.box] if selects_all else value.splitlines())
    choices = field.choices or tuple((line, line) for line in value.splitlines())
    if field.kind == "known" and offered.whole:
        choices = _with_others(offered.values, ticked - {field.box})
    if field.kind in _CHECKBOX_KINDS:
        value = ""
    if submission is None:
        return RenderedField(field, value, ticked, choices, offered=offered)
    filled, boxes = _submitted(field, submission.form)
    if field.kind == "known":
        choices = _with_others(choices, boxes - {field.box})
    return RenderedField(
        field,
        filled,
        boxes,
        choices,
        submission.text if submission.member == field.name else "",
        _stored_text(field, value, ticked)
        if document and (filled, boxes) != (value, ticked)
        else "",
        offered,
    )


def _with_others(
    choices: tuple[tuple[str, str], ...], values: Collection[str]
) -> tuple[tuple[str, str], ...]:
    """The options, and the values that are not among them."""
    listed = dict(choices)
    return (*choices, *((value, value) for value in sorted(values) if value not in listed))


def _submitted(field: Field, form: Form) -> tuple[str, frozenset[str]]:
    """The submitted text and selected options of a field."""
    text = (form.get(field.name) or "").replace("\r\n", "\n")
    if field.all_label and form.get(field.box):
        return text, frozenset([field.box])
    if field.kind == "picks":
        return "", frozenset(_selected(field, form))
    if field.kind == "known":
        return "", frozenset(_entered_values(field, form))
    return text, frozenset(text.splitlines())


def _stored_text(field: Field, value: str, ticked: frozenset[str]) -> str:
    if field.box in ticked:
        return field.all_label
    labels = dict(field.choices)
    if field.kind == "box":
        return "yes" if value else "no"
    if field.kind == "icon":
        return "an image" if value else "none"
    listed = sorted(ticked) if field.kind in _CHECKBOX_KINDS else value.splitlines()
    return ", ".join(labels.get(line, line) for line in listed) or "none"


@dataclass(frozen=True, slots=True)
class Change:
    """A field that changed."""

    label: str
    old_value: str
    new_value: str
    lines: Sequence[Line] = ()
    """The changed lines of a file."""


def changed_values(
    fields: Sequence[Field], document: Mapping[str, Any] | None, form: Form
) -> list[Change]:
    """The stored and the submitted value of every field that changed."""
    return [
        Change(
            new.field.label,
            _stored_text(old.field, old.value, old.ticked),
            _stored_text(new.field, new.value, new.ticked),
            lines_of(old.value, new.value) if new.field.kind == "file" else (),
        )
        for old, new in _changed_pairs(fields, document, form)
    ]


def _changed_pairs(
    fields: Sequence[Field], document: Mapping[str, Any] | None, form: Form
) -> list[tuple[RenderedField, RenderedField]]:
    """The stored and the submitted rendering of every field that changed."""
    stored = render_fields(fields, document, None)
    submitted = render_fields(fields, document, SubmittedForm(form, "", ""))
    pairs = zip(stored, submitted, strict=True)
    return [(a, b) for a, b in pairs if (a.value, a.ticked) != (b.value, b.ticked)]


def with_labels(text: str, fields: Sequence[Field]) -> str:
    """An error message with field labels instead of member names."""
    labels = {f"`{field.name}`": f"“{field.label}”" for field in fields}
    return _MEMBER.sub(lambda match: labels.get(match[0], match[0]), text)


@dataclass(frozen=True, slots=True)
class Kind:
    """How a kind of field parses a form and renders a value."""

    read: Callable[[Field, Form], object]
    """Returns None for an empty field. Raises ValueError."""
    write: Callable[[Any], str]


def _text(field: Field, form: Form) -> str | None:
    return form.get(field.name)


def _file(field: Field, form: Form) -> str | None:
    """The submitted text with Unix line breaks."""
    text = form.get(field.name)
    return None if text is None else text.replace("\r\n", "\n")


def _lines(field: Field, form: Form) -> list[str]:
    """One value per line."""
    return [line.strip() for line in (form.get(field.name) or "").splitlines() if line.strip()]


def _number(field: Field, form: Form) -> int | None:
    text = form.get(field.name)
    if text is None:
        return None
    if not text.isascii() or not text.isdecimal() or len(text) > MAX_DIGITS:
        raise ValueError("Enter a whole number")
    return int(text)


def _day(field: Field, form: Form) -> str | None:
    """Midnight UTC of the day."""
    text = form.get(field.name)
    if text is None:
        return None
    try:
        return days.start_of_day(text)
    except ValueError:
        raise ValueError("Enter a date such as 2027-01-31") from None


def _box(field: Field, form: Form) -> bool:
    return form.get(field.name) is not None


def _selected(field: Field, form: Form) -> list[str]:
    prefix = f"{field.name}-"
    return [name.removeprefix(prefix) for name in form.values if name.startswith(prefix)]


def _entered_values(field: Field, form: Form) -> list[str]:
    """The ticked and the typed values, each once. Typed values are separated by commas."""
    separator = _URI_SEPARATOR if field.suggestions in URI_SUGGESTIONS else ","
    typed = map(str.strip, re.split(separator, form.get(field.name) or ""))
    return list(dict.fromkeys([*_selected(field, form), *filter(None, typed)]))


def _in_shape(field: Field, form: Form) -> object:
    """The ticked and typed values in the shape of the member."""
    values = _entered_values(field, form)
    if not field.shape:
        return values
    words: dict[str, list[str]] = {}
    for name, *rest in (value.split() for value in values if value.strip()):
        words.setdefault(name, []).extend(rest)
    return words if field.shape == "lists" else _single_words(words)


def _pairs(field: Field, form: Form) -> dict[str, str]:
    """Parse lines of a name and its value."""
    split = [line.split() for line in (form.get(field.name) or "").splitlines() if line.strip()]
    names = [line[0] for line in split]
    if duplicates := [name for name in names if names.count(name) > 1]:
        raise ValueError(f"{duplicates[0]} is listed twice")
    return _single_words({name: rest for name, *rest in split})


def _single_words(words: Mapping[str, list[str]]) -> dict[str, str]:
    for name, rest in words.items():
        if len(rest) != 1:
            raise ValueError(f"Enter {name} and exactly one word after it")
    return {name: rest[0] for name, rest in words.items()}


def _json(field: Field, form: Form) -> object:
    text = form.get(field.name)
    return None if text is None else as_json(field.name, text)


def as_json(member: str, text: str) -> object:
    """Parse the JSON of a field. Raises `InvalidField`."""
    try:
        return json_text.parse(text, max_bytes=MAX_BODY_BYTES, what="The text")
    except errors.InvalidRequest as error:
        raise InvalidField(member, f"{error.description}.") from None


def _as_text(value: object) -> str:
    return "" if value is None else str(value)


def _as_file(value: object) -> str:
    """Indent JSON that is on one line."""
    text = _as_text(value)
    if text.startswith("{") and "\n" not in text:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    return text


def _as_lines(value: object) -> str:
    """One name per line; for a mapping, each name with each of its values."""
    if isinstance(value, dict):
        value = [
            f"{name} {word}".strip()
            for name, words in value.items()
            for word in _as_sequence(words)
        ]
    listed = value if isinstance(value, list | tuple) else [value] if value else []
    return "\n".join(_label(entry) for entry in listed)


def _as_sequence(values: object) -> Iterable[object]:
    return (values or [""]) if isinstance(values, list | tuple) else [values]


def _label(item: object) -> str:
    return str(item.get("name") or item["kid"]) if isinstance(item, dict) else str(item)


KINDS: Final[Mapping[str, Kind]] = {
    **dict.fromkeys(("text", "icon", "choice"), Kind(_text, _as_text)),
    "file": Kind(_file, _as_file),
    "number": Kind(_number, _as_text),
    "overlap": Kind(_number, _as_text),
    "day": Kind(_day, lambda value: _as_text(value)[:10]),
    "box": Kind(_box, lambda value: "1" if value else ""),
    "picks": Kind(_selected, _as_lines),
    "lines": Kind(_lines, _as_lines),
    "known": Kind(_in_shape, _as_lines),
    "pairs": Kind(_pairs, lambda value: "\n".join(f"{a} {b}" for a, b in (value or {}).items())),
    "json": Kind(_json, lambda value: json.dumps(value, indent=2) if value else ""),
}
