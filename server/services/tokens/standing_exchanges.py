"""A standing grant at the token endpoint: an exchange that only lacked a person's answer.

The approval is made as it would be if the person had been asked, decided by the grant and redeemed
in one unit of work; there is never a use without a token here, nor one that must be given back.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from server.model.approval_requests import NewApproval
from server.model.approvals import Approval
from server.model.clients import Agent
from server.model.ports import Secrets
from server.model.store import Unit
from server.model.tokens import Delegation
from server.model.users import User
from server.protocol.approvals.ceremonies import CONFIRM
from server.protocol.approvals.states import State
from server.services.approvals import creation
from server.services.approvers import automatic_decisions
from server.services.audit import audit
from server.services.clients import agent_names
from server.services.notifications import notices
from server.services.policy import displays, history
from server.services.policy.displays import DisplayedRequest
from server.services.policy.judging import JudgedRequest
from server.services.resources.targets import lifetime
from server.services.standing_grants import reservations, uses
from server.services.tokens.exchanges import LacksAnswer
from server.services.tokens.issuing import Issuing, Origin

_AT_THE_TOKEN_ENDPOINT = "at the token endpoint"  # noqa: S105  # a place


@dataclass(frozen=True, slots=True)
class StandingExchanges:
    """Answers for a person who answered ahead."""

    secrets: Secrets
    issuing: Issuing

    def exchange(
        self,
        tx: Unit,
        lacks: LacksAnswer,
        subject: Delegation,
        *,
        until: int | None,
        jkt: str | None,
    ) -> dict[str, object] | None:
        """The token answer; None when no grant of this very person has room for it.

        `until` is when what comes out ends at the latest, in seconds.
        """
        fits = tuple(uses.covering_grants(tx, lacks.case, lacks.verdict))
        user, agent = lacks.case.user, lacks.case.agent
        if not fits or user is None or not isinstance(agent, Agent):
            return None
        opening = self._opening(tx, lacks, agent, user)
        approval = creation.build_approval(tx, self.secrets, opening)
        decider = uses.reserve(tx, fits, lacks.verdict, approval.id)
        if decider is None:
            return None
        approval = replace(
            automatic_decisions.approve_automatically(approval, decider, tx.now),
            state=State.REDEEMED,
            parent_id=subject.id,
            policy=json.dumps(lacks.verdict.facts(), separators=(",", ":"), sort_keys=True),
        )
        tx.approvals.add(approval)
        creation.record_request(tx, approval, opening)
        automatic_decisions.record_and_notify(tx, approval, screens=decider.notifies)
        reservations.spend(tx, approval)
        answer = self._issued(tx, lacks, agent, approval, subject, until=until, jkt=jkt)
        notices.approval(tx, approval, "approval.redeemed", screens=decider.notifies)
        return answer

    def _issued(  # noqa: PLR0913  # what one token comes from
        self,
        tx: Unit,
        lacks: LacksAnswer,
        agent: Agent,
        approval: Approval,
        subject: Delegation,
        *,
        until: int | None,
        jkt: str | None,
    ) -> dict[str, object]:
        origin = Origin(
            approval_id=approval.id,
            parent=subject,
            consent_id=None if lacks.consent is None else lacks.consent.id,
            until=until,
            signed=approval,
            policy=lacks.verdict.facts(),
        )
        details: list[Mapping[str, object]] = [dict(one) for one in lacks.case.details]
        return self.issuing.for_exchange(tx, agent, lacks.case.target, details, origin, jkt=jkt)

    def _opening(self, tx: Unit, lacks: LacksAnswer, agent: Agent, user: User) -> NewApproval:
        case = lacks.case

        def display(approval_id: str, expires_at: int) -> str:
            asked = self._asked(
                tx, lacks, agent, user, approval_id=approval_id, expires_at=expires_at
            )
            return displays.display_text(asked, history.compare(tx, self.secrets, asked).unusual)

        return NewApproval(
            kind="action",
            client_id=agent.id,
            user_id=user.id,
            phantom=False,
            resource=case.target.resource.uri,
            scope=case.target.scope,
            details=case.details,
            risk=lacks.verdict.risk,
            actor=audit.by_agent(agent.id),
            peer=_AT_THE_TOKEN_ENDPOINT,
            display=display,
        )

    def _asked(  # the facts of one request
        self,
        tx: Unit,
        lacks: LacksAnswer,
        agent: Agent,
        user: User,
        *,
        approval_id: str,
        expires_at: int,
    ) -> DisplayedRequest:
        case: JudgedRequest = lacks.case
        owners = [tx.directory.user(owner) for owner in agent.owners]
        usual = self.issuing.rules.access_token_seconds
        return DisplayedRequest(
            approval_id=approval_id,
            agent=agent,
            owners=tuple(owner.name for owner in owners if owner is not None),
            user=user,
            target=case.target,
            details=case.details,
            actions=case.actions,
            risk=lacks.verdict.risk,
            because=lacks.verdict.because,
            ceremony=CONFIRM,
            binding_message=None,
            first_request=agent_names.first_request(tx, agent.id, user.id),
            peer=_AT_THE_TOKEN_ENDPOINT,
            asked_at=tx.now,
            expires_at=expires_at,
            token_seconds=lifetime(agent, case.target.resource, usual),
        )
