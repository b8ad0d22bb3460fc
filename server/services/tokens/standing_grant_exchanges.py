"""Standing grants at the token endpoint: a grant provides the approval that an exchange lacks.

The approval is created, decided by the grant and redeemed in one unit of work, so every use of a
grant results in exactly one token.
"""

from dataclasses import dataclass, replace

from server.model.approval_requests import NewApproval
from server.model.clients import Agent
from server.model.ports import Secrets
from server.model.store import Unit
from server.model.tokens import Delegation
from server.model.users import User
from server.protocol.approvals.ceremonies import CONFIRM
from server.protocol.approvals.states import State
from server.services.approvals import creation
from server.services.approvers import answer_sources
from server.services.audit import audit
from server.services.notifications import notices
from server.services.policy import displays, history
from server.services.policy.displays import DisplayedRequest
from server.services.policy.history_keys import RequestToCompare
from server.services.resources.targets import lifetime
from server.services.standing_grants import uses
from server.services.tokens.exchange_checks import ApprovalNeeded
from server.services.tokens.issuing import TokenIssuer, TokenOrigin

_PEER = "at the token endpoint"


@dataclass(frozen=True, slots=True)
class StandingGrantExchanges:
    """Issues tokens under standing grants."""

    secrets: Secrets
    issuing: TokenIssuer

    def exchange(
        self,
        tx: Unit,
        needed: ApprovalNeeded,
        subject: Delegation,
        *,
        until: int | None,
        jkt: str | None,
    ) -> dict[str, object] | None:
        """Return the token response; None if none of the person's grants covers the exchange.

        `until` is the latest time, in seconds, at which the token may expire.
        """
        covering_grants = tuple(uses.covering_grants(tx, needed.case, needed.verdict))
        user, agent = needed.case.user, needed.case.agent
        if not covering_grants or user is None or not isinstance(agent, Agent):
            return None
        approval_data = self._new_approval(tx, needed, agent, user)
        approval = creation.build_approval(tx, self.secrets, approval_data)
        decider = uses.reserve(tx, covering_grants, needed.verdict, approval.id)
        if decider is None:
            return None
        approval = replace(
            answer_sources.approve_automatically(approval, decider, tx.now),
            state=State.REDEEMED,
            parent_id=subject.id,
            caller_id=subject.client_id,
        )
        tx.approvals.add(approval)
        creation.record_request(tx, approval, approval_data)
        answer_sources.record_and_notify(tx, approval, screens=decider.notifies)
        uses.spend(tx, approval)
        origin = TokenOrigin(
            approval_id=approval.id,
            parent=subject,
            consent_id=None if needed.consent is None else needed.consent.id,
            until=until,
            approval=approval,
            policy=needed.verdict.facts(),
        )
        case = needed.case
        answer = self.issuing.for_target(tx, agent, case.target, case.details, origin, jkt=jkt)
        notices.approval(tx, approval, "approval.redeemed", screens=decider.notifies)
        return answer

    def _new_approval(
        self, tx: Unit, needed: ApprovalNeeded, agent: Agent, user: User
    ) -> NewApproval:
        case = needed.case
        to_compare = RequestToCompare(agent, user, case.target, case.details, case.actions)
        unusual = history.compare(tx, self.secrets, to_compare).unusual
        displayed = self._displayed_request(tx, needed, agent, user)
        return NewApproval(
            client_id=agent.id,
            scope=case.target.scope,
            details=case.details,
            actor=audit.by_agent(agent.id),
            display=displays.request_display(displayed, unusual),
            policy=needed.verdict.facts(),
        )

    def _displayed_request(
        self, tx: Unit, needed: ApprovalNeeded, agent: Agent, user: User
    ) -> DisplayedRequest:
        case = needed.case
        owners = [tx.directory.user(owner) for owner in agent.owners]
        default_seconds = self.issuing.server_policy.access_token_seconds
        return DisplayedRequest(
            agent=agent,
            owners=tuple(owner.name for owner in owners if owner is not None),
            user=user,
            target=case.target,
            details=case.details,
            actions=case.actions,
            risk=needed.verdict.risk,
            because=needed.verdict.because,
            ceremony=CONFIRM,
            binding_message=None,
            first_request=displays.is_first_request(tx, agent.id, user.id),
            peer=_PEER,
            token_seconds=lifetime(agent, case.target.resource, default_seconds),
        )
