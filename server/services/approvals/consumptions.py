"""Single use at the resource: an approval is spent on one execution, and on no other."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from server.model.approvals import Approval, Consumption
from server.model.audit import Entry
from server.model.granted import digest_of
from server.model.resources import Resource
from server.model.store import Store, Unit, View
from server.model.tokens import LiveToken
from server.protocol import errors, names
from server.protocol.json_text import JsonValue
from server.protocol.policy.risks import Risk
from server.protocol.tokens import step_up
from server.protocol.tokens.step_up import NOTHING, StepUpRequirement
from server.protocol.tokens.token_exchange import canonical
from server.services.approvals.rights import Rights
from server.services.audit import audit

_ALARM_WINDOW_MS: Final = 10 * 60_000


@dataclass(frozen=True, slots=True)
class IntendedExecution:
    """What a resource is about to do: which action, by which token, under a name of its own."""

    token: str
    details: Sequence[Mapping[str, JsonValue]]
    id: str
    demand: StepUpRequirement = NOTHING


@dataclass(frozen=True, slots=True)
class Consumed:
    """An approval that was spent, and on what."""

    consumption: Consumption
    approval: Approval


@dataclass(frozen=True, slots=True)
class Consumptions:
    """Spends approvals."""

    store: Store
    live: Callable[[View, str], LiveToken | None]
    """The token of this text, if it counts now."""
    rights: Rights

    def consume(self, resource: Resource, execution: IntendedExecution) -> Consumed:
        """Spend the approval behind this token on this execution; the same one again is the same.

        1. The token counts now, and it is for this resource.  2. It was born of an approval that is
        good for once.  3. What is about to run is what the person saw and granted, by its digest.
        4. They answered in the way that the risk of today and the resource demand.  5. One row per
        approval says which execution it was. Raises errors.Problem.
        """
        with self.store.write() as tx:
            found = self.live(tx, execution.token)
            if found is None or found.row.resource != resource.uri:
                raise errors.Problem(403, "token_inactive", "This token does not count here.")
            approval = _approval(tx, found)
            _check_granted(found, approval, execution)
            self._check_demand(tx, found, approval, execution)
            spent = _Spending(tx, found, approval, resource).on(execution)
            tx.delegations.mark_used(found.row.id, tx.now)
        if isinstance(spent, errors.Problem):
            raise spent
        return spent

    def _check_demand(
        self, tx: Unit, found: LiveToken, approval: Approval, execution: IntendedExecution
    ) -> None:
        risk = self.rights.risk(tx, approval)
        pin_now = risk is not None and risk.rank >= Risk.HIGH.rank
        if pin_now and risk is not None and approval.decided_by is not None:
            pin_now = risk.rank > approval.risk.rank  # nobody had to answer what it was then
        ours = StepUpRequirement((names.ACR_SIGNED_PIN,)) if pin_now else NOTHING
        for demand in (execution.demand, ours):
            if not demand.met_by(found.claims, tx.now):
                raise errors.Problem(
                    401,
                    step_up.ERROR,
                    "The person's answer is too weak or too old for this. Pass the challenge on.",
                    headers={"WWW-Authenticate": demand.challenge()},
                )


@dataclass(frozen=True, slots=True)
class _Spending:
    """One approval, at the moment at which it is spent."""

    tx: Unit
    found: LiveToken
    approval: Approval
    resource: Resource

    def on(self, execution: IntendedExecution) -> Consumed | errors.Problem:
        """The first execution gets it; what a refused one must leave behind is stored."""
        wanted = Consumption(
            approval_id=self.approval.id,
            execution_id=execution.id,
            token_id=self.found.row.id,
            resource=self.resource.uri,
            at=self.tx.now,
        )
        if self.tx.consumptions.first(wanted):
            self._record(audit.Type.APPROVAL_CONSUMED, "consumed", execution)
            return Consumed(wanted, self.approval)
        stood = self.tx.consumptions.get(self.approval.id)
        ours = (execution.id, self.resource.uri)  # each resource names executions for itself
        if stood is None or (stood.execution_id, stood.resource) != ours:
            return self._again(execution)
        return Consumed(stood, self.approval)

    def _again(self, execution: IntendedExecution) -> errors.Problem:
        key = f"consumed again:{self.approval.id}"
        if self.tx.counters.count(key, _ALARM_WINDOW_MS) == 1:
            self._record(audit.Type.APPROVAL_REUSED, "refused", execution)
        return errors.Problem(
            409, "already_consumed", "This approval was spent on another execution. Ask again."
        )

    def _record(self, kind: audit.Type, decision: str, execution: IntendedExecution) -> None:
        audit.record(
            self.tx,
            Entry(
                type=kind,
                actor=audit.by_resource(self.resource.client_id),
                agent_id=self.approval.agent_id,
                subject=self.approval.user_id,
                resource=self.resource.uri,
                action=self.approval.action_digest,
                decision=decision,
                approval_id=self.approval.id,
                facts={"execution": execution.id, "jti": self.found.row.id},
            ),
        )


def _approval(tx: Unit, found: LiveToken) -> Approval:
    """What the token says stands behind it, also when it came from the token of an approval."""
    claim = found.claims.get("approval")
    known = claim if isinstance(claim, Mapping) and claim.get("single_use") is True else {}
    approval = tx.approvals.get(str(known.get("id", "")))
    if approval is None:
        raise errors.Problem(
            403, "not_single_use", "Behind this token is no approval that is good for once."
        )
    return approval


def _check_granted(found: LiveToken, approval: Approval, execution: IntendedExecution) -> None:
    """The server makes the text again, with what is about to run, and compares its digest.

    A token that came of another's exchange may have lost a part of it, and what it lost is not its.
    """
    held = json.loads(found.row.details)
    if Counter(map(canonical, execution.details)) != Counter(map(canonical, held)):
        raise _not_granted()
    claim = found.claims["approval"]
    granted = claim.get("granted_digest") if isinstance(claim, Mapping) else None
    if digest_of(approval, execution.details) != granted:
        raise _not_granted()


def _not_granted() -> errors.Problem:
    return errors.Problem(
        403, "not_granted", "What is about to run is not what the person granted."
    )
