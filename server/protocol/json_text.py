"""The only parser for external JSON, and the writer of canonical JSON.

Owns: what a document may contain. Never: its meaning; that is up to the caller.

It refuses what parsers interpret differently or fail on: repeated members, NaN and infinities,
integers beyond 2^53-1, floats (unless allowed), lone surrogates, null characters, excessive depth
or size, bytes that are not UTF-8, and data after the value (RFC 8259, RFC 7493).
"""

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import rfc8785

from server.protocol import errors

JsonValue: TypeAlias = dict[str, "JsonValue"] | list["JsonValue"] | str | int | float | bool | None

MAX_INTEGER = 2**53 - 1

_COMPACT = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)
_MAX_DIGITS = len(str(MAX_INTEGER))
_SHOWN_POINTER = 200
_INDEX = re.compile(r"/[0-9]{1,4}(?![^/])")


def parse(
    text: bytes | str,
    *,
    max_bytes: int = 65_536,
    max_depth: int = 16,
    allow_floats: bool = False,
    what: str = "JSON",
    shows_names: bool = True,
) -> JsonValue:
    """Parse one JSON value. Raises errors.InvalidRequest.

    The description of the error starts with `what` and the JSON pointer (RFC 6901) to the invalid
    value: `authorization_details/0/amount: …`. Names in a pointer come from the sender; without
    `shows_names` the pointer ends before the first of them.
    """
    reader = _Reader(what, max_depth, allow_floats, shows_names)
    return reader.check(_decode(text, max_bytes, what), "", 0)


def canonical(value: JsonValue) -> str:
    """The RFC 8785 text of a value that `parse` accepts."""
    return rfc8785.dumps(value).decode()


def compact(value: object) -> str:
    """The JSON of a value without spaces, with members in their given order."""
    return _COMPACT.encode(value)


def pointer_to(parent: str, name: str | int) -> str:
    """Append a member name or index to a JSON pointer (RFC 6901 3)."""
    return f"{parent}/{str(name).replace('~', '~0').replace('/', '~1')}"


@dataclass(frozen=True, slots=True)
class _Refused:
    """A marker in the parsed tree for an invalid value, whose pointer is not known yet."""

    reason: str
    member: str | None = None


@dataclass(frozen=True, slots=True)
class _Reader:
    what: str
    max_depth: int
    allow_floats: bool
    shows_names: bool

    def check(self, value: Any, pointer: str, depth: int) -> JsonValue:  # noqa: ANN401  # from json
        """Return the value if it and everything inside is valid."""
        if isinstance(value, dict | list):
            self._check_members(value, pointer, depth + 1)
        elif isinstance(value, str):
            self._check_string(value, pointer)
        elif isinstance(value, float):
            self._check_float(value, pointer)
        elif isinstance(value, _Refused):
            place = pointer if value.member is None else pointer_to(pointer, value.member)
            raise self._refusal(place, value.reason)
        return value  # type: ignore[no-any-return]  # checked above

    def _check_members(self, value: dict[str, Any] | list[Any], pointer: str, depth: int) -> None:
        if depth > self.max_depth:
            raise self._refusal(pointer, f"nested more than {self.max_depth} levels deep")
        if isinstance(value, dict):
            for name, member in value.items():
                place = pointer_to(pointer, name)
                self._check_string(name, place)
                self.check(member, place, depth)
            return
        for index, item in enumerate(value):
            self.check(item, pointer_to(pointer, index), depth)

    def _check_string(self, value: str, pointer: str) -> None:
        if "\0" in value:  # databases reject it
            raise self._refusal(pointer, "null characters are not allowed")
        if value.isascii():
            return
        try:
            value.encode()
        except UnicodeEncodeError:
            raise self._refusal(pointer, "lone surrogates are not allowed") from None

    def _check_float(self, value: float, pointer: str) -> None:
        if not self.allow_floats:
            raise self._refusal(pointer, "only integers, without fraction or exponent")
        if not math.isfinite(value):
            raise self._refusal(pointer, "the number is too large")

    def _refusal(self, pointer: str, reason: str) -> errors.InvalidRequest:
        shown = pointer if self.shows_names else _leading_index(pointer)
        shown = shown if len(shown) <= _SHOWN_POINTER else f"{shown[:_SHOWN_POINTER]}..."
        return errors.InvalidRequest(f"{self.what}{shown}: {reason}")


def _leading_index(pointer: str) -> str:
    """The index in the outermost list, which is the only part that is not the sender's text."""
    found = _INDEX.match(pointer)
    return found[0] if found else ""


def _decode(text: bytes | str, max_bytes: int, what: str) -> Any:  # noqa: ANN401  # not yet checked
    raw = text.encode(errors="surrogatepass") if isinstance(text, str) else text
    if len(raw) > max_bytes:
        raise errors.InvalidRequest(f"{what}: more than {max_bytes} bytes")
    try:
        return _DECODER.decode(text if isinstance(text, str) else raw.decode())
    except UnicodeDecodeError as error:
        raise errors.InvalidRequest(f"{what}: byte {error.start} is not UTF-8") from None
    except json.JSONDecodeError as error:
        reason = f"not JSON at character {error.pos}: {error.msg}"
        raise errors.InvalidRequest(f"{what}: {reason}") from None
    except RecursionError:
        raise errors.InvalidRequest(f"{what}: nested far too deep") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any] | _Refused:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    counted = Counter(name for name, _ in pairs)
    repeated = next(name for name, count in counted.items() if count > 1)
    return _Refused("this member is repeated", repeated)


def _integer(digits: str) -> int | _Refused:
    # Check the length first, because Python needs quadratic time for very long numbers.
    if len(digits.removeprefix("-")) > _MAX_DIGITS or abs(int(digits)) > MAX_INTEGER:
        return _Refused(f"the integer is beyond {MAX_INTEGER}")
    return int(digits)


def _constant(name: str) -> _Refused:
    return _Refused(f"{name} is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_constant=_constant)


def value_at(document: Mapping[str, JsonValue], path: Iterable[str]) -> JsonValue:
    """The value at a path of members and places; None if there is none."""
    found: JsonValue = {**document}
    for part in path:
        if isinstance(found, dict):
            found = found.get(part)
        elif isinstance(found, list) and part.isdecimal() and int(part) < len(found):
            found = found[int(part)]
        else:
            return None
    return found
