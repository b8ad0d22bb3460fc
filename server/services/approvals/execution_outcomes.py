"""The results of executions, as reported by resources.

A report is accepted even after the token has expired. Owns: storing one report, and comparing what
ran with what was granted. Never: consuming an approval.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from server.model.approval_views import ShownExecution
from server.model.approvals import Approval, Consumption, Outcome, Result
from server.model.audit import Entry
from server.model.granted import effective_digest, granted_digest_with
from server.model.resources import ResourceServer
from server.model.store import Store, Unit, View
from server.protocol import errors
from server.protocol.approvals.states import State
from server.protocol.json_text import JsonValue
from server.services.audit import audit
from server.services.notifications import notices
from server.services.refusals import check_note

MAX_TEXT: Final = 200


@dataclass(frozen=True, slots=True)
class ReportedOutcome:
    """A resource's report about one of its executions."""

    approval_id: str
    execution_id: str
    result: Result
    text: str | None = None
    executed_digest: str | None = None
    """The digest of what ran, as returned when the approval was consumed."""
    details: Sequence[Mapping[str, JsonValue]] | None = None
    """The executed details, instead of their digest; at most one of the two is set."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Accepts resources' reports."""

    store: Store

    def report(
        self, caller: ResourceServer, reported_outcome: ReportedOutcome
    ) -> tuple[Approval, ShownExecution]:
        """Store the result of an execution. Idempotent.

        Rules, in order: 1. The text can be displayed. 2. A resource that the caller serves consumed
        this approval for this execution. 3. It has not reported a different result. 4. If what ran
        is not what was granted, raise an alarm. Raises errors.Problem.
        """
        text = check_note(reported_outcome.text, what="text", max_chars=MAX_TEXT)
        with self.store.write() as tx:
            approval, consumption = _find_consumed(tx, caller, reported_outcome)
            outcome = Outcome(
                approval_id=approval.id,
                result=reported_outcome.result,
                text=text,
                executed_digest=_executed_digest(approval, reported_outcome),
                at=tx.now,
            )
            is_first = tx.outcomes.add_once(outcome)
            stored = outcome if is_first else tx.outcomes.get(approval.id)
            if stored is None or replace(stored, at=outcome.at) != outcome:
                raise errors.Problem(
                    409,
                    "already_reported",
                    "A different outcome was already reported for this execution.",
                )
            if is_first:
                _record_outcome(tx, caller, approval, reported_outcome.execution_id, outcome)
            return approval, ShownExecution(consumption, stored, effective_digest(approval))


def _record_outcome(
    tx: Unit, caller: ResourceServer, approval: Approval, execution_id: str, outcome: Outcome
) -> None:
    record = partial(execution_entry, approval, actor=audit.by_resource(caller.client_id))
    facts: dict[str, object] = {"execution": execution_id, "text": outcome.text}
    if outcome.executed_digest is not None:
        facts["executed_digest"] = outcome.executed_digest
    granted = effective_digest(approval)
    executed = record(audit.Type.APPROVAL_EXECUTED, decision=outcome.result, facts=facts)
    tx.audit.add(executed)
    notices.approval(tx, approval, "approval.executed")
    if outcome.executed_digest not in {None, granted}:
        facts = facts | {"granted_digest": granted}
        tx.audit.add(record(audit.Type.APPROVAL_DIFFERED, decision="alarm", facts=facts))
        for approver in tx.approvers.list_for(approval):
            notices.alarm(
                tx,
                "alarm.execution_differed",
                user_id=approver.user_id,
                approval=approval.id,
                resource=approval.resource,
            )


def execution_entry(
    approval: Approval,
    kind: audit.Type,
    *,
    actor: str,
    decision: str,
    facts: Mapping[str, object],
) -> Entry:
    """Return an entry about the execution of an approval; it does not repeat the risk."""
    entry = audit.approval_entry(approval, kind, actor=actor, decision=decision, facts=facts)
    return replace(entry, posture=None)


def execution(view: View, approval: Approval) -> ShownExecution | None:
    """Return the execution of an approval and its result; None if it was not consumed."""
    if approval.state is not State.REDEEMED or approval.details == "[]":
        return None
    consumption = view.consumptions.get(approval.id)
    if consumption is None:
        return None
    return ShownExecution(consumption, view.outcomes.get(approval.id), effective_digest(approval))


def _find_consumed(
    tx: Unit, caller: ResourceServer, reported_outcome: ReportedOutcome
) -> tuple[Approval, Consumption]:
    """Return the approval that the caller consumed for this execution. Raises a 404 Problem."""
    consumption = tx.consumptions.get(reported_outcome.approval_id)
    approval = tx.approvals.get(reported_outcome.approval_id)
    if (
        consumption is None
        or approval is None
        or consumption.execution_id != reported_outcome.execution_id
        or consumption.resource not in caller.uris
    ):
        raise errors.Problem(
            404, "not_found", "This execution has not consumed the approval. Consume it first."
        )
    return approval, consumption


def _executed_digest(approval: Approval, reported_outcome: ReportedOutcome) -> str | None:
    return (
        reported_outcome.executed_digest
        if reported_outcome.details is None
        else granted_digest_with(approval, reported_outcome.details)
    )
