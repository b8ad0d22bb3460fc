"""Consuming approvals: a resource uses an approval for exactly one execution."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from server.model.approvals import Approval, Consumption
from server.model.granted import granted_digest_with
from server.model.resources import ResourceServer
from server.model.store import Store, Unit, View
from server.model.tokens import LiveToken
from server.protocol import errors, names
from server.protocol.json_text import JsonValue
from server.protocol.policy.risks import Risk
from server.protocol.tokens import step_up
from server.protocol.tokens.step_up import NOTHING, StepUpRequirement
from server.protocol.tokens.token_exchange import canonical
from server.services.approvals.current_checks import ApprovalChecks
from server.services.approvals.execution_outcomes import execution_entry
from server.services.audit import audit

_ALARM_WINDOW_MS: Final = 10 * 60_000


@dataclass(frozen=True, slots=True)
class IntendedExecution:
    """An execution that a resource is about to start: token, details and the resource's own ID."""

    token: str
    details: Sequence[Mapping[str, JsonValue]]
    id: str
    demand: StepUpRequirement = NOTHING


@dataclass(frozen=True, slots=True)
class Consumed:
    """A consumed approval with its execution."""

    consumption: Consumption
    approval: Approval


@dataclass(frozen=True, slots=True)
class Consumptions:
    """Consumes approvals."""

    store: Store
    find_active_token: Callable[[View, str], LiveToken | None]
    """Finds the active token for a token string."""
    checks: ApprovalChecks

    def consume(self, caller: ResourceServer, execution: IntendedExecution) -> Consumed:
        """Consume the approval of this token for this execution. Idempotent by execution.

        Rules, in order: 1. The token is active and for a resource that the caller serves. 2. It
        comes from a single-use approval. 3. The digest of the details is the one that the person
        granted. 4. The answer meets the requirements of the current risk and of the resource. 5.
        Each approval has at most one row, which names its execution. Raises errors.Problem.
        """
        with self.store.write() as tx:
            active_token = self.find_active_token(tx, execution.token)
            if active_token is None or active_token.row.resource not in caller.uris:
                raise errors.Problem(
                    403, "token_inactive", "This token is not active at this resource."
                )
            approval = _approval(tx, active_token)
            _check_granted(active_token, approval, execution)
            self._check_demand(tx, active_token, approval, execution)
            actor = audit.by_resource(caller.client_id)
            result = _ConsumptionAttempt(tx, active_token, approval, actor).consume(execution)
            tx.delegations.mark_used(active_token.row.id, tx.now)
        if isinstance(result, errors.Problem):
            raise result
        return result

    def _check_demand(
        self, tx: Unit, token: LiveToken, approval: Approval, execution: IntendedExecution
    ) -> None:
        risk = self.checks.current_risk(tx, approval)
        needs_pin = risk is not None and risk.rank >= Risk.HIGH.rank
        if needs_pin and risk is not None and approval.decided_by is not None:
            needs_pin = risk.rank > approval.risk.rank  # no answer was required before
        own_demand = StepUpRequirement((names.ACR_SIGNED_PIN,)) if needs_pin else NOTHING
        for demand in (execution.demand, own_demand):
            if not demand.met_by(token.claims, tx.now):
                raise errors.Problem(
                    401,
                    step_up.ERROR,
                    "The approval is too weak or too old. Pass the challenge on to the client.",
                    headers={"WWW-Authenticate": demand.challenge()},
                )


@dataclass(frozen=True, slots=True)
class _ConsumptionAttempt:
    """A resource's attempt to consume an approval."""

    tx: Unit
    token: LiveToken
    approval: Approval
    actor: str

    def consume(self, execution: IntendedExecution) -> Consumed | errors.Problem:
        """Consume it, or return the refusal so that its audit entry is stored."""
        consumption = Consumption(
            approval_id=self.approval.id,
            execution_id=execution.id,
            token_id=self.token.row.id,
            resource=self.token.row.resource,
            at=self.tx.now,
        )
        if self.tx.consumptions.add_once(consumption):
            self._record(audit.Type.APPROVAL_CONSUMED, "consumed", execution)
            return Consumed(consumption, self.approval)
        stored = self.tx.consumptions.get(self.approval.id)
        own = (execution.id, consumption.resource)  # execution IDs are only unique per resource
        if stored is None or (stored.execution_id, stored.resource) != own:
            return self._refuse_second_execution(execution)
        return Consumed(stored, self.approval)

    def _refuse_second_execution(self, execution: IntendedExecution) -> errors.Problem:
        key = f"consumed again:{self.approval.id}"
        if self.tx.counters.count(key, _ALARM_WINDOW_MS) == 1:
            self._record(audit.Type.APPROVAL_REUSED, "refused", execution)
        return errors.Problem(
            409,
            "already_consumed",
            "A different execution already consumed this approval. Request a new approval.",
        )

    def _record(self, kind: audit.Type, decision: str, execution: IntendedExecution) -> None:
        facts = {"execution": execution.id, "jti": self.token.row.id}
        entry = execution_entry(
            self.approval, kind, actor=self.actor, decision=decision, facts=facts
        )
        self.tx.audit.add(replace(entry, resource=self.token.row.resource))


def _approval(tx: Unit, token: LiveToken) -> Approval:
    """Return the approval that the token names; exchanged tokens name it too."""
    claim = token.claims.get("approval")
    single_use = claim if isinstance(claim, Mapping) and claim.get("single_use") is True else {}
    approval = tx.approvals.get(str(single_use.get("id", "")))
    if approval is None:
        raise errors.Problem(
            403, "not_single_use", "This token does not come from a single-use approval."
        )
    return approval


def _check_granted(token: LiveToken, approval: Approval, execution: IntendedExecution) -> None:
    """Rebuild the granted text with these details, and compare its digest with the token's.

    The details must also equal the token's own, because an exchange may have narrowed them.
    """
    token_details = json.loads(token.row.details)
    if Counter(map(canonical, execution.details)) != Counter(map(canonical, token_details)):
        raise _not_granted()
    claim = token.claims["approval"]
    granted = claim.get("granted_digest") if isinstance(claim, Mapping) else None
    if granted_digest_with(approval, execution.details) != granted:
        raise _not_granted()


def _not_granted() -> errors.Problem:
    return errors.Problem(
        403, "not_granted", "authorization_details differ from what the person granted."
    )
