"""Finds users and clients by name, and validates each field of a user separately.

Owns: checking one field, with the remedy in the error. Never: rules across fields
(`users.py`).
"""

import re
from collections.abc import Sequence

from server.model.clients import Agent, App
from server.model.store import Unit, View
from server.model.users import User
from server.protocol.confusables import name_keys
from server.protocol.text import check_name
from server.services.refusals import Invalid, NotFound, error_member, valid

_EMAIL = re.compile(r"[^\s@\x00-\x1f\x7f]{1,64}@[^\s@\x00-\x1f\x7f]{1,190}")


def find(view: View, name_or_id: str) -> User:
    """Return the user with this name, email address or ID. Raises `NotFound`."""
    user = view.directory.find_user(name_or_id)
    if user is None:
        raise NotFound("user", name_or_id)
    return user


def find_enabled(view: View, user_id: str | None) -> User | None:
    """Return the user with this ID if they exist and are enabled."""
    user = view.directory.user(user_id or "")
    return user if user is not None and user.enabled else None


def is_enabled(view: View, user_id: str | None) -> bool:
    """Return whether this user exists and is enabled."""
    return find_enabled(view, user_id) is not None


def name_of(view: View, user_id: str) -> str:
    """Return the name of a user, or the ID if there is no such user."""
    user = view.directory.user(user_id)
    return user_id if user is None else user.name


def clients_named(view: View, name: str) -> list[Agent | App]:
    """Return the agents and apps whose names look like this one."""
    ids = view.names.ids_with_name_like("client", name_keys(name))
    clients = (
        view.directory.agent(client_id) or view.directory.app(client_id) for client_id in ids
    )
    return [client for client in clients if client is not None]


@error_member("name")
def check_account_name(raw: str, what: str = "The name") -> str:
    """Return a valid name for a user, group or client. Raises `Invalid`."""
    name = valid(check_name, raw, what=what)
    # A reference with this prefix is looked up as an ID.
    if name.casefold().startswith("sayso_"):
        raise Invalid(f"{what} must not begin with sayso_, like an ID.")
    return name


def name(_tx: Unit, raw: str) -> str:
    """Return a valid name for a user or group. The caller checks that it is not taken."""
    return check_account_name(raw)


def email(_tx: Unit, raw: str) -> str | None:
    """Return the email address; None if it is empty."""
    if raw and not (_EMAIL.fullmatch(raw) and raw.isprintable()):
        raise Invalid("That is not an email address. Use the form name@example.com.")
    return raw or None


def roles(_tx: Unit, raw: Sequence[str]) -> tuple[str, ...]:
    """Return the roles without duplicates, sorted."""
    return tuple(sorted(set(raw)))


def backup(tx: Unit, name_or_id: str) -> str | None:
    """Return the ID of the backup; None if the name is empty."""
    return find(tx, name_or_id).id if name_or_id else None
