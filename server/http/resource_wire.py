"""What resources send and are answered, as models."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from server.protocol.step_up import Demand
from server.services import consumptions
from server.services.displays import rfc3339
from server.services.narrowings import effective_digest

_ACR = r"^[\x21\x23-\x5b\x5d-\x7e]{1,128}$"


class Introspected(BaseModel):
    """Whether a token counts, and what it says if it does (RFC 7662 2.2)."""

    model_config = ConfigDict(extra="allow")

    active: bool


class Revoked(BaseModel):
    """Nothing: whatever there was to end has ended (RFC 7009 2.2)."""


class Execution(BaseModel):
    """What a resource is about to do under an approval, and what it demands of the answer."""

    model_config = ConfigDict(extra="forbid", strict=True)

    token: str = Field(max_length=16_384)
    authorization_details: list[dict[str, Any]] = Field(max_length=10)
    execution_id: str = Field(pattern=r"^[\x21-\x7e]{1,128}$")
    acr_values: list[Annotated[str, Field(pattern=_ACR)]] = Field(default=[], max_length=10)
    max_age: int | None = Field(default=None, ge=0, le=10**9)

    def record(self) -> consumptions.Execution:
        """The same for the services."""
        return consumptions.Execution(
            token=self.token,
            details=self.authorization_details,
            id=self.execution_id,
            demand=Demand(tuple(self.acr_values), self.max_age),
        )


class Consumed(BaseModel):
    """An approval that was spent, and on which execution."""

    approval: str
    execution_id: str
    consumed_at: str
    granted_digest: str
    agent: str
    user: str


def consumed(spent: consumptions.Consumed) -> Consumed:
    """A spent approval as JSON."""
    return Consumed(
        approval=spent.approval.id,
        execution_id=spent.consumption.execution_id,
        consumed_at=rfc3339(spent.consumption.at),
        granted_digest=effective_digest(spent.approval),
        agent=spent.approval.agent_id,
        user=spent.approval.user_id or "",
    )
