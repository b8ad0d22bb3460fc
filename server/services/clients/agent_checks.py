"""Validates each field of an agent by itself.

Owns: the check of one field, with the remedy in its error. Never: rules across fields; those are
in `agent_forms.py`.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from server.lazy_imports import lazily
from server.model.store import Unit
from server.protocol import errors
from server.protocol.text import check_prose
from server.services.members import unique
from server.services.refusals import Invalid, error_member, valid

with lazily():
    from server.protocol import json_text
    from server.protocol.clients import jwks
    from server.protocol.clients.jwks import PublicKey
    from server.protocol.names import is_label
    from server.services.clients import icons
    from server.services.policy import action_types as actions
    from server.services.resources import resource_checks
    from server.services.users import user_checks, user_or_group

MAX_REVIEW_MS: Final = 10 * 366 * 24 * 60 * 60 * 1000
MAX_LABELS: Final = 20
MAX_DESCRIPTION: Final = 280
MAX_LIFE_MS: Final = 100 * 365 * 24 * 60 * 60 * 1000


def name(_tx: Unit, raw: str) -> str:
    """Return a valid name. The caller checks whether it is free. Raises `Invalid`."""
    return user_checks.check_account_name(raw)


def description(_tx: Unit, raw: str) -> str:
    """Return the description, a short text for approvers. Raises `Invalid`."""
    if not raw:
        return ""
    return valid(check_prose, raw, what="The description", max_chars=MAX_DESCRIPTION)


def owners(tx: Unit, names_or_ids: Sequence[str]) -> tuple[str, ...]:
    """Return the IDs of the owners. Raises `NotFound`."""
    return unique(tx, [user_checks.find(tx, name).id for name in names_or_ids])


@error_member("jwks")
def keys(_tx: Unit, text: str) -> tuple[PublicKey, ...]:
    """Return the public keys in the text of a JWK set. Raises `Invalid`."""
    try:
        return jwks.read_keys(json_text.parse(text, what="The key file"))
    except errors.InvalidRequest as error:
        raise Invalid(f"{error.description}.") from None
    except ValueError as error:
        raise Invalid(f"The key file {error}.") from None


@error_member("labels")
def label_list(_tx: object, raw: Sequence[str]) -> tuple[str, ...]:
    """Return the labels, sorted and without duplicates. Raises `Invalid`."""
    labels = tuple(sorted(set(raw)))
    for label in labels:
        if not is_label(label):
            raise Invalid(
                f"{label[:40]} is not a valid label. Use a word or key=value with a-z 0-9 . _ - "
                "that starts with a letter or digit. A value can also contain A-Z / @ :."
            )
    keys = [label.split("=")[0] for label in labels]
    if len(set(keys)) < len(keys):
        raise Invalid("Two labels have the same key. Give each key one value.")
    if len(labels) > MAX_LABELS:
        raise Invalid(f"An agent can have at most {MAX_LABELS} labels.")
    return labels


@error_member("review_at")
def review_at(tx: Unit, at: int) -> int:
    """Return the review date, which must be within ten years. Raises `Invalid`."""
    if not tx.now < at <= tx.now + MAX_REVIEW_MS:
        raise Invalid("The review is in the past, or more than ten years away.")
    return at


def expires_at(tx: Unit, at: int) -> int:
    """Return the expiry, which must be within a hundred years. Raises `Invalid`."""
    if not tx.now < at <= tx.now + MAX_LIFE_MS:
        raise Invalid("The expiry is in the past, or more than a hundred years away.")
    return at


def action_types(tx: Unit, names: Sequence[str]) -> tuple[str, ...]:
    """Return each of these action types once. Raises `NotFound` for an unknown one."""
    for action_type in names:
        actions.find(tx.directory, action_type)
    return unique(tx, names)


def only(tx: Unit, raw: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Return the scope limits by resource, with the URIs as registered."""
    return {
        resource_checks.registered_uri(tx.directory, uri): unique(tx, scopes)
        for uri, scopes in raw.items()
    }


def serves(tx: Unit, uris: Sequence[str]) -> tuple[str, ...]:
    """Return the URIs of the resources that the agent serves. Raises `NotFound`."""
    return unique(tx, [resource_checks.find(tx.directory, uri).uri for uri in uris])


def resource_uris(tx: Unit, uris: Sequence[str]) -> tuple[str, ...]:
    """Return the URIs, as registered, of the resources that the client may request."""
    return unique(tx, [resource_checks.registered_uri(tx.directory, uri) for uri in uris])


def grant_types(tx: Unit, raw: Sequence[str]) -> tuple[str, ...]:
    """Return the grant types; at least one is required. Raises `Invalid`."""
    if not raw:
        raise Invalid("Specify at least one grant type.")
    return unique(tx, raw)


def token_seconds(tx: Unit, seconds: int) -> int | None:
    """Return the maximum lifetime of tokens, in seconds. Raises `Invalid`."""
    return resource_checks.lifetime(tx, seconds)


def asks(tx: Unit, names_or_ids: Sequence[str]) -> tuple[str, ...]:
    """Return the IDs of the users and groups that the agent may ask. Raises `NotFound`."""
    return tuple(sorted({user_or_group.id_of(tx, name) for name in names_or_ids}))


def or_none(_tx: Unit, raw: str) -> str | None:
    """Return the text; None if it is empty. A callback URL has already been checked."""
    return raw or None


def icon(_tx: Unit, raw: bytes) -> str | None:
    """Return the hash of the icon; None for an empty file. Raises `Invalid`."""
    return icons.digest(raw)
