"""What decided a request instead of a person, as JSON."""

from typing import TypeAlias

from pydantic import BaseModel

from server.services import deciders, standing_uses
from server.services.approval_records import Approval


class DecidedByConsent(BaseModel):
    """The consent that stood in for the answer, and the version of the policy that let it."""

    consent: str
    policy: int


class DecidedByGrant(BaseModel):
    """The standing grant that stood in for the answer, which use it was, and the policy."""

    standing_grant: str
    use: int
    policy: int


DecidedBy: TypeAlias = DecidedByConsent | DecidedByGrant


def decided_by(record: Approval) -> DecidedBy | None:
    """What decided it; None where a person did, or nobody yet."""
    said = deciders.said_by(record)
    if said is None:
        return None
    kind = DecidedByGrant if standing_uses.decided(record) else DecidedByConsent
    return kind.model_validate(said)
