"""Executions as JSON: what resources send, and what people see."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, model_validator

from server.http.wire import StrictBody
from server.model.approval_views import ShownExecution
from server.model.granted import effective_digest
from server.protocol.times import rfc3339
from server.protocol.tokens.step_up import StepUpRequirement
from server.protocol.tokens.token_exchange import MAX_TOKEN
from server.services.approvals import consumptions, execution_outcomes

_EXECUTION = r"^[\x21-\x7e]{1,128}$"
_ACR = r"^[\x21\x23-\x5b\x5d-\x7e]{1,128}$"


class Execution(StrictBody):
    """The action that a resource is about to run, and the step-up that it requires."""

    token: str = Field(max_length=MAX_TOKEN)
    authorization_details: list[dict[str, Any]] = Field(max_length=10)
    execution_id: str = Field(pattern=_EXECUTION)
    acr_values: list[Annotated[str, Field(pattern=_ACR)]] = Field(default=[], max_length=10)
    max_age: int | None = Field(default=None, ge=0, le=10**9)

    def record(self) -> consumptions.IntendedExecution:
        """Convert to the services' type."""
        return consumptions.IntendedExecution(
            token=self.token,
            details=self.authorization_details,
            id=self.execution_id,
            demand=StepUpRequirement(tuple(self.acr_values), self.max_age),
        )


class ConsumedApproval(BaseModel):
    """A consumed approval and its execution."""

    approval: str
    execution_id: str
    consumed_at: str
    granted_digest: str
    agent: str
    user: str


def consumed(result: consumptions.Consumed) -> ConsumedApproval:
    """A consumed approval as JSON."""
    return ConsumedApproval(
        approval=result.approval.id,
        execution_id=result.consumption.execution_id,
        consumed_at=rfc3339(result.consumption.at),
        granted_digest=effective_digest(result.approval),
        agent=result.approval.agent_id,
        user=result.approval.user_id or "",
    )


_DIGEST = r"^[A-Za-z0-9_-]{43}$"

_Outcome = Literal["executed", "failed"]


class OutcomeReport(StrictBody):
    """The outcome of an execution. It can include what ran: a digest or the details, not both."""

    approval: str = Field(max_length=64)
    execution_id: str = Field(pattern=_EXECUTION)
    outcome: _Outcome
    text: str | None = Field(default=None, max_length=execution_outcomes.MAX_TEXT)
    executed_digest: str | None = Field(default=None, pattern=_DIGEST)
    authorization_details: list[dict[str, Any]] | None = Field(default=None, max_length=10)

    @model_validator(mode="after")
    def check_description(self) -> Self:
        """Refuse a body with both a digest and details."""
        if self.executed_digest is not None and self.authorization_details is not None:
            message = "send executed_digest or authorization_details, not both"
            raise ValueError(message)
        return self

    def record(self) -> execution_outcomes.ReportedOutcome:
        """Convert to the services' type."""
        return execution_outcomes.ReportedOutcome(
            approval_id=self.approval,
            execution_id=self.execution_id,
            result=self.outcome,
            text=self.text,
            executed_digest=self.executed_digest,
            details=self.authorization_details,
        )


class ExecutionStatus(BaseModel):
    """The execution of an approval; `outcome` is null until the resource reports it."""

    execution_id: str
    resource: str
    consumed_at: str
    outcome: _Outcome | None
    text: str | None
    executed_digest: str | None
    as_granted: bool | None
    reported_at: str | None


class ReportedOutcome(ExecutionStatus):
    """The recorded outcome of an execution."""

    approval: str
    granted_digest: str


def execution(shown_execution: ShownExecution | None) -> ExecutionStatus | None:
    """An execution as JSON."""
    if shown_execution is None:
        return None
    return ExecutionStatus.model_validate(_members(shown_execution))


def reported(approval_id: str, shown_execution: ShownExecution) -> ReportedOutcome:
    """The response to the resource that reported an outcome."""
    members = {"approval": approval_id, "granted_digest": shown_execution.granted_digest}
    return ReportedOutcome.model_validate(_members(shown_execution) | members)


def _members(shown_execution: ShownExecution) -> dict[str, object]:
    outcome = shown_execution.outcome
    return {
        "execution_id": shown_execution.consumption.execution_id,
        "resource": shown_execution.consumption.resource,
        "consumed_at": rfc3339(shown_execution.consumption.at),
        "outcome": None if outcome is None else outcome.result,
        "text": None if outcome is None else outcome.text,
        "executed_digest": None if outcome is None else outcome.executed_digest,
        "as_granted": shown_execution.as_granted,
        "reported_at": None if outcome is None else rfc3339(outcome.at),
    }
