"""Validates the members of an app whose rules differ from an agent's.

Owns: the check of one member, with the remedy in its error. Never: rules across members; those are
in `app_forms.py`.
"""

from collections.abc import Sequence

from server.model.store import Unit
from server.protocol import names
from server.services.members import unique
from server.services.refusals import Invalid


def auth_method(_tx: Unit, raw: str) -> str:
    """Its authentication method."""
    if raw not in names.APP_AUTH_METHODS:
        raise Invalid(f"--auth must be one of {', '.join(names.APP_AUTH_METHODS)}.")
    return raw


def grant_types(tx: Unit, raw: Sequence[str]) -> tuple[str, ...]:
    """Its grant types, at least one."""
    unknown = [grant for grant in raw if grant not in names.APP_GRANTS]
    if unknown or not raw:
        raise Invalid(f"Grant types of an app are {', '.join(names.APP_GRANTS)}; name one.")
    return unique(tx, raw)
