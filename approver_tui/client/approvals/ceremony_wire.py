"""The steps of approving in the server's JSON.

Owns: these members, parsed strictly. Never: HTTP.
"""

from collections.abc import Mapping

from approver_tui.client.errors import WireError
from approver_tui.client.reading import JsonObject
from approver_tui.state.approvals import ceremony
from approver_tui.state.approvals.ceremony import Ceremony, FactKind, Step, TypeBack


def read_ceremony(members: JsonObject) -> Ceremony:
    """Return the steps of approving. Raises WireError for an unknown step."""
    try:
        return ceremony.read_ceremony(members.text("ceremony"))
    except ValueError:
        raise WireError(members.at("ceremony"), "has a step that is not known here") from None


def read_tries(members: JsonObject | None) -> Mapping[Step, int] | None:
    """Return the remaining attempts of each step."""
    if members is None:
        return None
    return {step: members.integer(step) for step in Step if step in members.values}


def read_type_back(members: JsonObject | None) -> TypeBack | None:
    """Return which fact must be typed back."""
    if members is None:
        return None
    return TypeBack(members.safe("label"), members.choice("kind", FactKind))
