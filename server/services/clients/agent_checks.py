"""Validates each member of an agent by itself.

Owns: the check of one member, with the remedy in its error. Never: rules across members; those are
in `agent_forms.py`.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from server.model.store import Unit
from server.protocol import errors, json_text
from server.protocol.clients import jwks
from server.protocol.clients.jwks import PublicKey
from server.protocol.clients.labels import is_label
from server.protocol.text import check_prose
from server.services.clients import icons
from server.services.members import unique
from server.services.policy import action_types as actions
from server.services.refusals import Invalid, about, valid
from server.services.resources import resource_checks
from server.services.users import user_checks, user_or_group

LONGEST_MS: Final = 10 * 366 * 24 * 60 * 60 * 1000
MAX_LABELS: Final = 20
MAX_DESCRIPTION: Final = 280
LONGEST_LIFE_MS: Final = 100 * 365 * 24 * 60 * 60 * 1000


def name(_tx: Unit, raw: str) -> str:
    """Its name; whether the name is free is checked where all names are known."""
    return user_checks.check_account_name(raw)


def description(_tx: Unit, raw: str) -> str:
    """A short text for approvers."""
    what, most = "The description", MAX_DESCRIPTION
    return valid(check_prose, raw, what=what, max_chars=most) if raw else ""


def owners(tx: Unit, name_or_id: Sequence[str]) -> tuple[str, ...]:
    """The IDs of its owners."""
    return unique(tx, [user_checks.find(tx, name).id for name in name_or_id])


def keys(_tx: Unit, text: str) -> tuple[PublicKey, ...]:
    """Its public keys."""
    return read_keys(text)


@about("jwks")
def read_keys(text: str) -> tuple[PublicKey, ...]:
    """Return the public keys in the text of a JWK set. Raises `Invalid`."""
    try:
        return jwks.read_keys(json_text.parse(text, what="The key file"))
    except errors.InvalidRequest as error:
        raise Invalid(f"{error.description}.") from None
    except ValueError as error:
        raise Invalid(f"The key file {error}.") from None


@about("labels")
def label_list(_tx: object, raw: Sequence[str]) -> tuple[str, ...]:
    """Return the labels, sorted, each once. Raises `Invalid`, which names the invalid one."""
    found = tuple(sorted(set(raw)))
    for label in found:
        if not is_label(label):
            raise Invalid(
                f"{label[:40]} is not a label. Use a word or key=value of a-z 0-9 . _ - that "
                "starts with a letter or digit; a value can contain A-Z / @ : too."
            )
    keys = [label.split("=")[0] for label in found]
    if len(set(keys)) < len(keys):
        raise Invalid("Two labels have the same key. Give each key one value.")
    if len(found) > MAX_LABELS:
        raise Invalid(f"An agent has at most {MAX_LABELS} labels.")
    return found


@about("review_at")
def review_at(tx: Unit, at: int) -> int:
    """When to review it: within ten years. Raises `Invalid`."""
    if not tx.now < at <= tx.now + LONGEST_MS:
        raise Invalid("The review is in the past, or more than ten years away.")
    return at


def expires_at(tx: Unit, at: int) -> int:
    """When it expires."""
    if not tx.now < at <= tx.now + LONGEST_LIFE_MS:
        raise Invalid("The expiry is in the past, or more than a hundred years away.")
    return at


def action_types(tx: Unit, named: Sequence[str]) -> tuple[str, ...]:
    """Return each of these action types once. Raises `NotFound` for an unknown one."""
    for action_type in named:
        actions.find(tx.directory, action_type)
    return unique(tx, named)


def only(tx: Unit, raw: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """The limits at single resources."""
    return {
        resource_checks.registered_uri(tx.directory, uri): unique(tx, may)
        for uri, may in raw.items()
    }


def serves(tx: Unit, named: Sequence[str]) -> tuple[str, ...]:
    """The registered resources that it serves."""
    return unique(tx, [resource_checks.find(tx.directory, uri).uri for uri in named])


def resource_uris(tx: Unit, named: Sequence[str]) -> tuple[str, ...]:
    """The resources that it may reach, as they were registered."""
    return unique(tx, [resource_checks.registered_uri(tx.directory, uri) for uri in named])


def grant_types(tx: Unit, raw: Sequence[str]) -> tuple[str, ...]:
    """Its grant types, at least one."""
    if not raw:
        raise Invalid("Name at least one grant type.")
    return unique(tx, raw)


def token_seconds(tx: Unit, seconds: int) -> int | None:
    """The maximum lifetime of its tokens."""
    return resource_checks.lifetime(tx, seconds)


def asks(tx: Unit, name_or_id: Sequence[str]) -> tuple[str, ...]:
    """The IDs of the users and groups that it may ask."""
    return tuple(sorted({user_or_group.id_of(tx, name) for name in name_or_id}))


def or_none(_tx: Unit, raw: str) -> str | None:
    """Its text; None if empty. Whether a callback URL is allowed is checked before."""
    return raw or None


def icon(_tx: Unit, raw: bytes) -> str | None:
    """The hash of its icon; None for an empty file."""
    return icons.digest(raw)
