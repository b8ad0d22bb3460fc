"""Strict parsing of form bodies at the protocol endpoints (RFC 6749 3.1, 3.2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from server.protocol import errors

CONTENT_TYPE: Final = "application/x-www-form-urlencoded"
MAX_BYTES: Final = 65_536
MAX_FIELDS: Final = 100
_REPEATABLE: Final = frozenset({"resource", "audience"})


@dataclass(frozen=True, slots=True)
class Form:
    """The parameters of one request. Empty parameters count as absent (RFC 6749 3.1)."""

    values: Mapping[str, tuple[str, ...]]

    def get(self, name: str) -> str | None:
        """Return the value of a parameter, or None if it is absent."""
        values = self.values.get(name)
        return values[0] if values else None

    def require(self, name: str) -> str:
        """Return the value of a parameter. Raises errors.InvalidRequest if it is absent."""
        value = self.get(name)
        if value is None:
            raise errors.InvalidRequest(f"{name} is missing.")
        return value

    def every(self, name: str) -> tuple[str, ...]:
        """Return all values of a repeatable parameter."""
        return self.values.get(name, ())


def parse(
    body: bytes, content_type: str, *, max_bytes: int = MAX_BYTES, max_fields: int = MAX_FIELDS
) -> Form:
    """Parse a form body. Raises errors.InvalidRequest."""
    if content_type.partition(";")[0].strip().lower() != CONTENT_TYPE:
        raise errors.InvalidRequest(f"The body must be {CONTENT_TYPE}.")
    if len(body) > max_bytes:
        raise errors.InvalidRequest(too_long(max_bytes))
    return _parse_pairs(body, max_fields)


def too_long(max_bytes: int) -> str:
    """Return the message about a body that is longer than a limit."""
    return f"The body is longer than {max_bytes} bytes."


def parse_query(query: bytes) -> Form:
    """Parse a query string like a form. Raises errors.InvalidRequest."""
    if len(query) > MAX_BYTES:
        raise errors.InvalidRequest(f"The query is longer than {MAX_BYTES} bytes.")
    return _parse_pairs(query, MAX_FIELDS)


def _parse_pairs(body: bytes, max_fields: int) -> Form:
    values: dict[str, tuple[str, ...]] = {}
    for name, value in _split_pairs(body, max_fields):
        if "\0" in name or "\0" in value:  # not allowed (RFC 6749 A), and databases reject it
            raise errors.InvalidRequest("A parameter contains a null character.")
        if value:
            values[name] = (*values.get(name, ()), value)
    for name, sent_values in values.items():
        if len(sent_values) > 1 and name not in _REPEATABLE:
            raise errors.InvalidRequest("A parameter was sent more than once.", detail=name)
    return Form(values)


def _split_pairs(body: bytes, max_fields: int) -> list[tuple[str, str]]:
    try:
        text = body.decode("ascii")
        if text.count("&") >= max_fields:
            raise errors.InvalidRequest(f"There are more than {max_fields} parameters.")
        return parse_qsl(text, keep_blank_values=True, errors="strict")
    except ValueError as error:
        raise errors.InvalidRequest("The parameters are not a well-formed UTF-8 form.") from error
