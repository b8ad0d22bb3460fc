"""The earlier request whose place a newer one took, as JSON."""

from pydantic import BaseModel

from server.protocol import decisions
from server.services.approval_records import Approval


class Superseded(BaseModel):
    """The earlier request that was replaced."""

    id: str
    fingerprint: str


def superseded(earlier: Approval | None) -> Superseded | None:
    """An earlier request as JSON."""
    if earlier is None:
        return None
    return Superseded(id=earlier.id, fingerprint=decisions.fingerprint(earlier.action_digest))
