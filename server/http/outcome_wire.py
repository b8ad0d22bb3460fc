"""What came of an approval at its resource, as JSON: as a resource says it, as people see it."""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from server.services import outcomes
from server.services.displays import rfc3339

_DIGEST = r"^[A-Za-z0-9_-]{43}$"
_EXECUTION = r"^[\x21-\x7e]{1,128}$"
_Word = Literal["executed", "failed"]


class OutcomeReport(BaseModel):
    """How an execution went: what ran by its digest or whole, or neither."""

    model_config = ConfigDict(extra="forbid", strict=True)

    approval: str = Field(max_length=64)
    execution_id: str = Field(pattern=_EXECUTION)
    outcome: _Word
    text: str | None = Field(default=None, max_length=1_000)
    executed_digest: str | None = Field(default=None, pattern=_DIGEST)
    authorization_details: list[dict[str, Any]] | None = Field(default=None, max_length=10)

    @model_validator(mode="after")
    def says_it_once(self) -> Self:
        """What ran is said in one way."""
        if self.executed_digest is not None and self.authorization_details is not None:
            message = "send executed_digest or authorization_details, not both"
            raise ValueError(message)
        return self

    def record(self) -> outcomes.Said:
        """The same for the services."""
        return outcomes.Said(
            approval_id=self.approval,
            execution_id=self.execution_id,
            result=self.outcome,
            text=self.text,
            executed_digest=self.executed_digest,
            details=self.authorization_details,
        )


class ToldExecution(BaseModel):
    """On what an approval was spent; `outcome` is null while the resource has not said it."""

    execution_id: str
    resource: str
    consumed_at: str
    outcome: _Word | None
    text: str | None
    executed_digest: str | None
    as_granted: bool | None
    reported_at: str | None


class ReportedOutcome(ToldExecution):
    """How an execution went, as it was written down."""

    approval: str
    granted_digest: str


def execution(found: outcomes.Execution | None) -> ToldExecution | None:
    """An execution as JSON."""
    return None if found is None else ToldExecution.model_validate(_members(found))


def reported(approval_id: str, found: outcomes.Execution) -> ReportedOutcome:
    """The answer to whoever reported it."""
    members = {"approval": approval_id, "granted_digest": found.granted_digest}
    return ReportedOutcome.model_validate(_members(found) | members)


def _members(found: outcomes.Execution) -> dict[str, object]:
    done = found.outcome
    return {
        "execution_id": found.consumption.execution_id,
        "resource": found.consumption.resource,
        "consumed_at": rfc3339(found.consumption.at),
        "outcome": None if done is None else done.result,
        "text": None if done is None else done.text,
        "executed_digest": None if done is None else done.executed_digest,
        "as_granted": found.as_granted,
        "reported_at": None if done is None else rfc3339(done.at),
    }
