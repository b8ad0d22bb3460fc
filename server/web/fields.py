"""The fields of a form: how each stands on its page, and what it becomes in the body of a request.

Owns: the kinds of fields. Never: a rule; the API has those, and names the member that breaks one.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any, Final

from server.protocol.forms import Form


class Wrong(ValueError):
    """What was typed is not even of the field's kind; `member` is the field."""

    def __init__(self, member: str, text: str) -> None:
        super().__init__(text)
        self.member = member


@dataclass(frozen=True, slots=True)
class Field:
    """One field; its name is that of the member which it becomes."""

    name: str
    label: str
    kind: str = "text"
    """One of `KINDS`."""
    hint: str = ""
    section: str = ""
    """The heading that begins with it."""
    needed: bool = False
    longest: int = 400
    rows: int = 2
    choices: tuple[tuple[str, str], ...] = ()
    """What is sent, and what a person reads."""
    empty: object = None
    """What is sent where nothing was typed."""
    every: str = ""
    """What the box says that stands for everything, so that nothing need be listed."""
    start: object = None
    """What stands there for something new."""
    mine: bool = False
    """It begins with whoever fills it in."""
    known: str = ""
    """What there is of this kind is named beside it: `resources` or `scopes`."""
    of: str = ""
    """The member in which what is stored stands, where it has another name."""
    flag: str = ""
    """What the command line calls it, and so a refusal that both read."""

    @property
    def box(self) -> str:
        """The name of the box that stands for everything."""
        return f"{self.name}-every"


@dataclass(frozen=True, slots=True)
class Drawn:
    """A field as it stands on the page."""

    field: Field
    value: str
    ticked: frozenset[str]
    """Which of its choices, or its box."""
    choices: tuple[tuple[str, str], ...] = ()
    problem: str = ""
    now: str = ""
    """What is stored, where that is something else than what was typed."""


@dataclass(frozen=True, slots=True)
class Typed:
    """A form that was refused, and why."""

    form: Form
    member: str
    """The field that is why; "" where it is none alone."""
    text: str


def body(
    fields: Sequence[Field], form: Form, document: Mapping[str, Any] | None = None
) -> dict[str, object]:
    """What was typed, as a body; beside what is stored, that alone which differs. Raises Wrong."""
    wanted = (
        fields if document is None else [new.field for _, new in _different(fields, document, form)]
    )
    return {one.name: _sent(one, form) for one in wanted}


def drawn(
    fields: Sequence[Field], document: Mapping[str, Any] | None, typed: Typed | None, me: str = ""
) -> list[Drawn]:
    """Each field with what is stored, with what it begins with, or with what was typed."""
    return [_drawn(one, document, typed, me) for one in fields]


def _sent(one: Field, form: Form) -> object:
    if one.every and form.get(one.box):
        return None
    try:
        value = KINDS[one.kind].read(one, form)
    except Wrong:
        raise
    except ValueError as error:
        raise Wrong(one.name, f"{error}.") from error
    if one.needed and not value:
        raise Wrong(one.name, "This field is required.")
    return one.empty if value is None else value


def _drawn(one: Field, document: Mapping[str, Any] | None, typed: Typed | None, me: str) -> Drawn:
    begun = me if one.mine else one.start
    stored = begun if document is None else document.get(one.of or one.name)
    everything = bool(one.every) and stored is None
    value = KINDS[one.kind].write(stored)
    ticked = frozenset([one.box] if everything else value.splitlines())
    choices = one.choices or tuple((line, line) for line in value.splitlines())
    if one.kind == "picks":
        value = ""
    if typed is None:
        return Drawn(one, value, ticked, choices)
    filled, boxes = _typed(one, typed.form)
    return Drawn(
        one,
        filled,
        boxes,
        choices,
        typed.text if typed.member == one.name else "",
        _stored(one, value, ticked) if document and (filled, boxes) != (value, ticked) else "",
    )


def _typed(one: Field, form: Form) -> tuple[str, frozenset[str]]:
    """What stood in the field, and what was ticked, as the page had it."""
    if one.kind == "picks":
        picked = _picked(one, form)
        return "", frozenset(picked)
    text = (form.get(one.name) or "").replace("\r\n", "\n")
    if one.every and form.get(one.box):
        return text, frozenset([one.box])
    return text, frozenset(text.splitlines())


def _stored(one: Field, value: str, ticked: frozenset[str]) -> str:
    if one.box in ticked:
        return one.every
    words = dict(one.choices)
    if one.kind == "box":
        return "yes" if value else "no"
    if one.kind == "icon":
        return "a picture" if value else "nothing"
    listed = sorted(ticked) if one.kind == "picks" else value.splitlines()
    return ", ".join(words.get(line, line) for line in listed) or "nothing"


def changed(
    fields: Sequence[Field], document: Mapping[str, Any] | None, form: Form
) -> list[tuple[str, str, str]]:
    """Label, what is stored and what is to be, for every field in which they differ."""
    return [
        (
            new.field.label,
            _stored(old.field, old.value, old.ticked),
            _stored(new.field, new.value, new.ticked),
        )
        for old, new in _different(fields, document, form)
    ]


def _different(
    fields: Sequence[Field], document: Mapping[str, Any] | None, form: Form
) -> list[tuple[Drawn, Drawn]]:
    """What is stored and what was typed, where they differ."""
    stored, typed = drawn(fields, document, None), drawn(fields, document, Typed(form, "", ""))
    pairs = zip(stored, typed, strict=True)
    return [(a, b) for a, b in pairs if (a.value, a.ticked) != (b.value, b.ticked)]


def in_words(text: str, fields: Sequence[Field]) -> str:
    """A refusal with the names that the page has for what the command line calls by its flags."""
    for one in sorted(fields, key=lambda field: -len(field.flag)):
        if one.flag:
            text = text.replace(one.flag, f"“{one.label}”")
    return text


@dataclass(frozen=True, slots=True)
class Kind:
    """How a kind of field is read, and how a member stands in it."""

    read: Callable[[Field, Form], object]
    """None where nothing was typed. ValueError says what is wrong."""
    write: Callable[[Any], str]


def _text(one: Field, form: Form) -> str | None:
    return form.get(one.name)


def _file(one: Field, form: Form) -> str | None:
    """What was typed, with the line ends of files."""
    text = form.get(one.name)
    return None if text is None else text.replace("\r\n", "\n")


def lines(text: str) -> list[str]:
    """One to a line, or with commas."""
    return [line.strip() for line in text.replace(",", "\n").splitlines() if line.strip()]


def _lines(one: Field, form: Form) -> list[str]:
    return lines(form.get(one.name) or "")


def _number(one: Field, form: Form) -> int | None:
    text = form.get(one.name)
    if text is None:
        return None
    if not text.isascii() or not text.isdecimal() or len(text) > 12:  # noqa: PLR2004  # digits
        raise ValueError("Enter a whole number")
    return int(text)


def _day(one: Field, form: Form) -> str | None:
    """The beginning of a day of UTC."""
    text = form.get(one.name)
    if text is None:
        return None
    try:
        return f"{date.fromisoformat(text).isoformat()}T00:00:00Z"
    except ValueError:
        raise ValueError("Enter a day such as 2027-01-31") from None


def _box(one: Field, form: Form) -> bool:
    return form.get(one.name) is not None


def _picked(one: Field, form: Form) -> list[str]:
    begins = f"{one.name}-"
    return [name.removeprefix(begins) for name in form.values if name.startswith(begins)]


def _words_after(one: Field, form: Form) -> dict[str, list[str]]:
    """Lines of a name and what goes with it."""
    split = [line.split() for line in (form.get(one.name) or "").splitlines() if line.strip()]
    names = [line[0] for line in split]
    if twice := [name for name in names if names.count(name) > 1]:
        raise ValueError(f"{twice[0]} is listed twice")
    return {name: rest for name, *rest in split}


def _pairs(one: Field, form: Form) -> dict[str, str]:
    found = _words_after(one, form)
    for name, rest in found.items():
        if len(rest) != 1:
            raise ValueError(f"Write {name} and one word after it")
    return {name: rest[0] for name, rest in found.items()}


def _json(one: Field, form: Form) -> object:
    text = form.get(one.name)
    return None if text is None else as_json(one.name, text)


def as_json(member: str, text: str) -> object:
    """What stands in a field as JSON. Raises Wrong."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Wrong(member, f"Invalid JSON: {error}.") from None


def _as_it_is(value: object) -> str:
    return "" if value is None else str(value)


def _as_file(value: object) -> str:
    """JSON on one line is laid out for people."""
    text = _as_it_is(value)
    if text.startswith("{") and "\n" not in text:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    return text


def _as_lines(value: object) -> str:
    """Names one to a line; people by what they are called."""
    listed = value if isinstance(value, list | tuple) else [value] if value else []
    return "\n".join(_called(one) for one in listed)


def _called(one: object) -> str:
    return str(one.get("name") or one["kid"]) if isinstance(one, dict) else str(one)


KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "text": Kind(_text, _as_it_is),
        "file": Kind(_file, _as_file),
        "icon": Kind(_text, _as_it_is),
        "choice": Kind(_text, _as_it_is),
        "number": Kind(_number, _as_it_is),
        "day": Kind(_day, lambda value: _as_it_is(value)[:10]),
        "box": Kind(_box, lambda value: "1" if value else ""),
        "picks": Kind(_picked, _as_lines),
        "lines": Kind(_lines, _as_lines),
        "pairs": Kind(
            _pairs, lambda value: "\n".join(f"{a} {b}" for a, b in (value or {}).items())
        ),
        "lists": Kind(
            _words_after,
            lambda value: "\n".join(" ".join((a, *b)) for a, b in (value or {}).items()),
        ),
        "json": Kind(_json, lambda value: json.dumps(value, indent=2) if value else ""),
    }
)
