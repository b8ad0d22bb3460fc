"""The earlier request whose place a newer one took, as JSON."""

from pydantic import BaseModel

from server.protocol import decisions
from server.services.approval_records import Approval


class Superseded(BaseModel):
    """An earlier request, by what people and agents know it by."""

    id: str
    fingerprint: str


def superseded(earlier: Approval | None) -> Superseded | None:
    """An earlier request as JSON."""
    if earlier is None:
        return None
    return Superseded(id=earlier.id, fingerprint=decisions.fingerprint(earlier.action_digest))
