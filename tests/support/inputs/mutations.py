"""Valid bodies with one member changed, for tests that look for input a server does not expect.

Owns: the values that replace a member; each member gets a sixth of them (`scripts/test --deep`:
all). Never: how a server answers them.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from tests.support.inputs.random_cases import part

_LONG = 5_000
_VALUES: tuple[Any, ...] = (
    *(
        None,
        True,
        0,
        -1,
        2**53,
        1.5,
        "",
        "x" * _LONG,
        "\u0000",
        "\u202e",
        "\ud800",
        "/",
        "%",
        "2.1.",
    ),
    *([], [[]], [None], [{}], {}, {"a": 1}, {"": []}, ["a", "a"]),
)
_TEXTS = (
    *("", "x" * _LONG, "\u0000", "\u202e", "null", "[]", "{}", "[[]]", "[{}]", '{"a":1}', '"x"'),
    *("0", "-1", "1.5", str(2**53), "1e999", " ", "a  b", "%", "a.b.c", "=", "é", "\U0001f600"),
)


class _Twice:
    """The value of a member that is written twice."""

    def __init__(self, value: Any) -> None:
        self.value = value


def bodies(valid: Any) -> Iterator[tuple[str, bytes]]:
    """Yield JSON bodies with one member changed, left out or repeated, each with its change."""
    for where, changed in values(valid):
        yield where, _text(changed).encode("utf-8", "surrogatepass")


def values(valid: Any, *, whole: bool = True) -> Iterator[tuple[str, Any]]:
    """Yield the same as Python values; a repeated member is a `_Twice`."""
    if whole:
        for value in _VALUES:
            yield f"= {value!r:.40}", value
    members = valid.items() if isinstance(valid, dict) else enumerate(valid)
    for name, value in members:
        for changed in (
            *part(_VALUES, str(name)),
            *([_Twice(value)] if isinstance(valid, dict) else []),
        ):
            description = "twice" if isinstance(changed, _Twice) else repr(changed)
            yield f"/{name} = {description:.40}", _with(valid, name, changed)
        yield f"without /{name}", _without(valid, name)
        if isinstance(value, dict | list):
            for where, inner in values(value, whole=False):
                yield f"/{name}{where}", _with(valid, name, inner)


def forms(valid: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    """Yield form bodies with one parameter, or JSON inside it, changed, left out or repeated."""
    for name, value in valid.items():
        others = [pair for pair in valid.items() if pair[0] != name]
        for text in (*part(_TEXTS, name), *_inside(value)):
            yield f"{name} = {text!r:.60}", form([*others, (name, text)])
        yield f"without {name}", form(others)
        yield f"{name} twice", form([*valid.items(), (name, value)])


def _inside(value: str) -> Iterator[str]:
    if value[:1] in {"[", "{"}:
        for _, changed in values(json.loads(value)):
            yield _text(changed)


def form(pairs: Mapping[str, str] | Sequence[tuple[str, str]]) -> bytes:
    """Return a form body."""
    return urlencode(pairs, errors="surrogatepass").encode()


def _with(valid: Any, name: Any, value: Any) -> Any:
    changed = valid.copy()
    changed[name] = value
    return changed


def _without(valid: Any, name: Any) -> Any:
    changed = valid.copy()
    del changed[name]
    return changed


def _text(value: Any) -> str:
    """Return JSON in which a member may occur twice."""
    if isinstance(value, dict):
        members = (
            f"{json.dumps(name)}: {_text(member.value if isinstance(member, _Twice) else member)}"
            for name, member in value.items()
            for _ in range(2 if isinstance(member, _Twice) else 1)
        )
        return "{" + ", ".join(members) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_text, value)) + "]"
    return json.dumps(value)


def tomls(name: str, valid: Mapping[str, Any]) -> Iterator[str]:
    """Yield TOML documents of one table in a list, with one member changed."""
    for _, changed in values(valid, whole=False):
        with suppress(ValueError):
            yield f"{name} = [{_toml(changed)}]"
    for value in _VALUES:
        with suppress(ValueError):
            yield f"{name} = {_toml(value)}"


def _toml(value: Any) -> str:
    """Return a TOML value on one line. Raises ValueError if TOML has no such value."""
    if value is None or isinstance(value, _Twice):
        raise ValueError(value)
    if isinstance(value, dict):
        members = (f"{json.dumps(name)} = {_toml(member)}" for name, member in value.items())
        return "{" + ", ".join(members) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return value.isoformat() if isinstance(value, datetime) else json.dumps(value)
