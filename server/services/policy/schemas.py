"""Validates `authorization_details` against the registered action types."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from server.lazy_imports import lazily
from server.model.policy import ActionRow
from server.model.store import Directory
from server.protocol import errors
from server.protocol.json_text import JsonValue
from server.protocol.policy import action_types, uses
from server.protocol.policy.action_types import ActionType

with lazily():
    from jsonschema import Draft202012Validator, ValidationError

_CORRECTIONS: Final[Mapping[str, str]] = {
    "type": "must have the JSON type {}",
    "minimum": "must be at least {}",
    "maximum": "must be at most {}",
    "minLength": "must have at least {} characters",
    "maxLength": "must have at most {} characters",
    "minItems": "must have at least {} items",
    "maxItems": "must have at most {} items",
    "pattern": "must match the pattern {}",
    "const": "must be {}",
    "uniqueItems": "must not contain duplicate items",
}
"""Schema keyword → the correction; `{}` is the keyword's value."""


@dataclass(frozen=True)
class _CompiledType:
    row: ActionRow
    action: ActionType

    @cached_property
    def validator(self) -> Draft202012Validator:
        """The validator; created for the first detail, because `jsonschema` is slow to load."""
        return _validator(self.action)


@dataclass(frozen=True, slots=True)
class Schemas:
    """Validates details; caches compiled action types until they change."""

    cache: dict[str, _CompiledType] = field(default_factory=dict)

    def check(
        self,
        directory: Directory,
        details: Sequence[Mapping[str, JsonValue]],
        allowed: Collection[str] | None,
    ) -> tuple[ActionType, ...]:
        """Validate details and return their action types.

        `allowed` contains the types that the client may request (RFC 9396 10); None means all.
        Raises errors.InvalidAuthorizationDetails.
        """
        for index, detail in enumerate(details):
            if allowed is not None and detail["type"] not in allowed:
                raise errors.InvalidAuthorizationDetails(
                    f"/{index}/type is an action type that this client cannot request."
                )
        return tuple(
            self._check_one(directory, detail, index) for index, detail in enumerate(details)
        )

    def registered_types(
        self, directory: Directory, types: Sequence[str]
    ) -> tuple[ActionType, ...]:
        """Return the registered action types among these, for entries without details."""
        rows = (directory.action(name) for name in types)
        return tuple(self._compile(row).action for row in rows if row is not None)

    def _check_one(
        self, directory: Directory, detail: Mapping[str, JsonValue], index: int
    ) -> ActionType:
        row = directory.action(str(detail["type"]))
        if row is None:
            raise errors.InvalidAuthorizationDetails(
                f"/{index}/type is not a registered type. Correct it, or ask an administrator to "
                "register it."
            )
        compiled = self._compile(row)
        _validate(compiled.validator, detail, [str(index)], row.type)
        return compiled.action

    def _compile(self, row: ActionRow) -> _CompiledType:
        compiled_type = self.cache.get(row.type)
        if compiled_type is None or compiled_type.row != row:
            action = action_types.read_action_type(json.loads(row.document))
            compiled_type = _CompiledType(row, action)
            self.cache[row.type] = compiled_type
        return compiled_type


def check_unregistered(action: ActionType, detail: Mapping[str, JsonValue]) -> None:
    """Validate details against an action type, which may be unregistered.

    Raises errors.InvalidAuthorizationDetails.
    """
    _validate(_validator(action), detail, [], action.type)


def _validator(action: ActionType) -> Draft202012Validator:
    return Draft202012Validator(dict(action.schema))


def _validate(
    validator: Draft202012Validator,
    detail: Mapping[str, JsonValue],
    path: list[str],
    type_name: str,
) -> None:
    error = next(iter(validator.iter_errors(detail)), None)
    if error is not None:
        where = "/" + "/".join([*path, *map(str, error.absolute_path)])
        raise errors.InvalidAuthorizationDetails(
            _correction(error, where, type_name, f" in /{path[0]}" if path else ""),
            detail=f"{where}: {error.validator}",  # its message quotes the details
        )
    if uses.has_invalid_currency(detail):
        raise errors.InvalidAuthorizationDetails(
            f"/{'/'.join(path)} has an invalid currency. Use three capital letters such as EUR."
        )


def _correction(error: ValidationError, where: str, type_name: str, location: str) -> str:
    """Return the correction in the words of the schema, without repeating the input."""
    kind, keyword_value = str(error.validator), error.validator_value
    if kind == "required" and isinstance(keyword_value, list) and isinstance(error.instance, dict):
        missing = next(name for name in keyword_value if name not in error.instance)
        inside = [*map(str, error.absolute_path), missing]
        return f"{'.'.join(inside)} is required by {type_name}{location}."
    if kind == "additionalProperties" and isinstance(error.schema, Mapping):
        known = ", ".join(error.schema.get("properties", {}))
        return f"{where} has an unknown member. {type_name} allows: {known}."
    if kind == "enum" and isinstance(keyword_value, list):
        return f"{where} must be one of: {', '.join(map(str, keyword_value))}."
    if kind in _CORRECTIONS:
        return f"{where} of {type_name} {_CORRECTIONS[kind].format(keyword_value)}."
    return f"{where} does not match the schema of {type_name}: {kind}."
