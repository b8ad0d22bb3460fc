"""The only parser for external JSON, and the writer of canonical JSON.

Owns: what a document may contain. Never: what it means; the caller decides that.

It refuses input that other parsers interpret differently or cannot read: repeated members, NaN and
infinities, integers beyond 2^53-1, floats (unless allowed), lone surrogates, null characters,
excessive depth or size, bytes that are not UTF-8, and data after the value (RFC 8259, RFC 7493).
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
_MAX_SHOWN_POINTER = 200
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
    value: `authorization_details/0/amount: …`. The names in a pointer come from the
    sender; without `shows_names` the pointer ends before the first name.
    """
    reader = _Checker(what, max_depth, allow_floats, shows_names)
    return reader.check(_decode(text, max_bytes, what), "", 0)


def canonical(value: JsonValue) -> str:
    """Return the canonical JSON (RFC 8785) of a value that `parse` accepts."""
    return rfc8785.dumps(value).decode()


def compact(value: object) -> str:
    """Return the JSON of a value without spaces, with its members in their given order."""
    return _COMPACT.encode(value)


def pointer_to(parent: str, name: str | int) -> str:
    """Append a member name or index to a JSON pointer (RFC 6901 3)."""
    return f"{parent}/{str(name).replace('~', '~0').replace('/', '~1')}"


@dataclass(frozen=True, slots=True)
class _InvalidValue:
    """Marks an invalid value in the parsed tree, because its pointer is not known yet."""

    reason: str
    member: str | None = None


@dataclass(frozen=True, slots=True)
class _Checker:
    what: str
    max_depth: int
    allow_floats: bool
    shows_names: bool

    def check(self, value: Any, pointer: str, depth: int) -> JsonValue:  # noqa: ANN401  # from json
        """Return the value if it is valid, with everything inside it."""
        if isinstance(value, dict | list):
            self._check_members(value, pointer, depth + 1)
        elif isinstance(value, str):
            self._check_string(value, pointer)
        elif isinstance(value, float):
            self._check_float(value, pointer)
        elif isinstance(value, _InvalidValue):
            invalid = pointer if value.member is None else pointer_to(pointer, value.member)
            raise self._refusal(invalid, value.reason)
        return value  # type: ignore[no-any-return]  # checked above

    def _check_members(self, value: dict[str, Any] | list[Any], pointer: str, depth: int) -> None:
        if depth > self.max_depth:
            raise self._refusal(pointer, f"nested more than {self.max_depth} levels deep")
        if isinstance(value, dict):
            for name, member in value.items():
                member_pointer = pointer_to(pointer, name)
                self._check_string(name, member_pointer)
                self.check(member, member_pointer, depth)
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
        shown_pointer = pointer if self.shows_names else _leading_index(pointer)
        shown_pointer = (
            shown_pointer
            if len(shown_pointer) <= _MAX_SHOWN_POINTER
            else f"{shown_pointer[:_MAX_SHOWN_POINTER]}..."
        )
        return errors.InvalidRequest(f"{self.what}{shown_pointer}: {reason}")


def _leading_index(pointer: str) -> str:
    """Return the leading list index, the only part of a pointer that the sender did not write."""
    match = _INDEX.match(pointer)
    return match[0] if match else ""


def _decode(text: bytes | str, max_bytes: int, what: str) -> Any:  # noqa: ANN401  # not yet checked
    raw = text.encode(errors="surrogatepass") if isinstance(text, str) else text
    if len(raw) > max_bytes:
        raise errors.InvalidRequest(f"{what}: more than {max_bytes} bytes")
    try:
        return _DECODER.decode(text if isinstance(text, str) else raw.decode())
    except UnicodeDecodeError as error:
        raise errors.InvalidRequest(f"{what}: byte {error.start} is not UTF-8") from None
    except json.JSONDecodeError as error:
        reason = f"not JSON at line {error.lineno}, column {error.colno}"
        raise errors.InvalidRequest(f"{what}: {reason}") from None
    except RecursionError:
        raise errors.InvalidRequest(f"{what}: nested too deeply") from None


def _build_object(pairs: list[tuple[str, Any]]) -> dict[str, Any] | _InvalidValue:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    counts = Counter(name for name, _ in pairs)
    repeated = next(name for name, count in counts.items() if count > 1)
    return _InvalidValue("this member is repeated", repeated)


def _parse_integer(digits: str) -> int | _InvalidValue:
    # Check the length first, because Python needs quadratic time for very long numbers.
    if len(digits.removeprefix("-")) > _MAX_DIGITS or abs(int(digits)) > MAX_INTEGER:
        return _InvalidValue(f"the integer is beyond {MAX_INTEGER}")
    return int(digits)


def _refuse_constant(name: str) -> _InvalidValue:
    return _InvalidValue(f"{name} is not JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_build_object, parse_int=_parse_integer, parse_constant=_refuse_constant
)


def value_at(document: Mapping[str, JsonValue], path: Iterable[str]) -> JsonValue:
    """Return the value at a path of member names and list indexes, or None if it is missing."""
    current: JsonValue = {**document}
    for part in path:
        if isinstance(current, dict):
            current = current.get(part)
        elif isinstance(current, list) and part.isdecimal() and int(part) < len(current):
            current = current[int(part)]
        else:
            return None
    return current
