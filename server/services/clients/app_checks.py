"""What may stand in a member of an app, by itself, where the rule is not that of an agent.

Owns: the check of one member, with the remedy in its refusal. Never: what two members mean
together; `app_forms.py` has that.
"""

from collections.abc import Sequence

from server.model.store import Unit
from server.protocol import names
from server.services.members import unique
from server.services.refusals import Invalid


def auth_method(_tx: Unit, raw: str) -> str:
    """How it proves who it is."""
    if raw not in names.APP_AUTH_METHODS:
        raise Invalid(f"--auth must be one of {', '.join(names.APP_AUTH_METHODS)}.")
    return raw


def grant_types(tx: Unit, raw: Sequence[str]) -> tuple[str, ...]:
    """In which ways it gets tokens; in one at least."""
    unknown = [grant for grant in raw if grant not in names.APP_GRANTS]
    if unknown or not raw:
        raise Invalid(f"Grant types of an app are {', '.join(names.APP_GRANTS)}; name one.")
    return unique(tx, raw)
