"""Reports: "I did not ask for this". A report closes the request and quarantines its agent.

Owns: the choice of agents to quarantine, the evidence, and the notifications. Never: releasing an
agent; administrators do that.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from server.model.approval_views import ApproverView
from server.model.approvals import Approval
from server.model.clients import Agent
from server.model.incidents import Incident, Scope
from server.model.ports import Secrets
from server.model.store import Store, Unit, View
from server.protocol import names
from server.protocol.approvals import decisions
from server.services.approvals.views import approver_view
from server.services.approvers import approvers
from server.services.audit import audit
from server.services.clients.agents import DisabledAgent, quarantine
from server.services.consents import revocations
from server.services.incidents import incidents
from server.services.notifications import notices
from server.services.refusals import check_note
from server.services.users import user_checks
from server.services.users.device_auth import Person

MAX_NOTE: Final = 500


@dataclass(frozen=True, slots=True)
class Report:
    """A submitted report."""

    signed: str
    """The denial with the code `suspicious` (compact JWS), signed by any key of the device."""
    scope: Scope
    note: str | None = None
    """A note to the administrators; agents do not see it."""


@dataclass(frozen=True, slots=True)
class ReportResult:
    """The result of a report."""

    incident: Incident
    approval: ApproverView


@dataclass(frozen=True, slots=True)
class Reports:
    """Accepts reports. The session key suffices, because a report only removes access."""

    store: Store
    secrets: Secrets
    deny_reported: Callable[[Unit, Person, str, str], Approval]
    """Closes a request with a signed denial that has the code `suspicious`."""

    def report(self, person: Person, approval_id: str, report: Report) -> ReportResult:
        """Close the request, quarantine its agent or all of this person's agents, open an incident.

        A closed request can be reported too; its state does not change. A repeated report returns
        the same incident, while it is open and no agent was enabled again.
        Raises errors.Problem: 404 for another person's request, 422 for an invalid signature.
        """
        note = check_note(report.note, what="note", max_chars=MAX_NOTE)
        with self.store.read() as view:  # refuse without taking the administration lock
            approvers.get_for_approver(view, approval_id, person.user.id)
        with self.store.administer() as tx:
            before = approvers.get_for_approver(tx, approval_id, person.user.id)
            approval = self.deny_reported(tx, person, approval_id, report.signed)
            agents = _agents_to_quarantine(tx, approval, report.scope, person.user.id)
            existing = tx.incidents.open_of(approval.id, report.scope)
            if existing is not None and not any(agent.state == "enabled" for agent in agents):
                return ReportResult(existing, approver_view(tx, approval))
            by = audit.by_user(person.user.id)
            incident_id = self.secrets.new_id(names.PREFIX_INCIDENT)
            quarantined = [quarantine(tx, agent, incident_id, by=by) for agent in agents]
            _revoke_consents(tx, agents, person.user.id, by=by)
            incident_evidence = _evidence(
                tx, before, report.signed, list(zip(agents, quarantined, strict=True))
            )
            incident = Incident(
                id=incident_id,
                scope=report.scope,
                approval_id=approval.id,
                user_id=person.user.id,
                device_id=person.registered_device.id,
                note=note,
                evidence=json.dumps(incident_evidence, sort_keys=True),
                opened_at=tx.now,
            )
            tx.incidents.add(incident)
            _record_incident(tx, incident, approval, incident_evidence, by=by)
            notices.incident_opened(tx, incident, _owners(tx, agents))
            return ReportResult(incident, approver_view(tx, approval))


def _agents_to_quarantine(tx: Unit, approval: Approval, scope: Scope, user_id: str) -> list[Agent]:
    """Return the agents to quarantine: the requesting one, or all that act for the user.

    An agent acts for a user while it has an active token or consent of theirs, or an open request.
    """
    clients = {approval.agent_id}
    if scope == "every_agent":
        clients |= set(tx.delegations.clients_for(user_id, tx.now))
        clients |= {
            consent.client_id for consent in tx.consents.of_user(user_id, tx.now, ended=False)
        }
        clients |= {approval.agent_id for approval in tx.approvals.open_of_user(user_id)}
    reported = (tx.directory.agent(client_id) for client_id in sorted(clients))
    return [agent for agent in reported if agent is not None]


def _revoke_consents(tx: Unit, agents: Sequence[Agent], user_id: str, *, by: str) -> None:
    """Revoke the reporter's consents for these agents."""
    consents = tx.consents.of_user(user_id, tx.now, ended=False)
    reported = {agent.id for agent in agents}
    for consent in consents:
        if consent.client_id in reported:
            revocations.revoke_consent(tx, consent, actor=by, cause="reported")


def _owners(view: View, agents: Sequence[Agent]) -> list[tuple[str, str]]:
    """Return the enabled owners of these agents, as pairs of user ID and agent ID."""
    pairs = sorted({(user_id, agent.id) for agent in agents for user_id in agent.owners})
    return [pair for pair in pairs if user_checks.is_enabled(view, pair[0])]


def _evidence(
    view: View, request: Approval, signed: str, agents: Sequence[tuple[Agent, DisabledAgent]]
) -> dict[str, object]:
    """Return the evidence at the time of the report."""
    agent_name = approver_view(view, request).agent_name
    return {
        "approval": {
            "id": request.id,
            "kind": request.kind,
            "state_before": request.state,
            "asked_by": {"id": request.agent_id, "name": agent_name},
            "resource": request.resource,
            "scope": request.scope,
            "risk": request.risk,
            "action_digest": request.action_digest,
            "display_digest": request.display_digest,
            "fingerprint": decisions.fingerprint(request.action_digest),
            "asked_at": request.created_at,
        },
        "signed": signed,
        "agents": [incidents.agent_evidence(before, quarantined) for before, quarantined in agents],
    }


def _record_incident(
    tx: Unit,
    incident: Incident,
    approval: Approval,
    incident_evidence: dict[str, object],
    *,
    by: str,
) -> None:
    tx.audit.add(
        audit.approval_entry(
            approval,
            audit.Type.INCIDENT_OPENED,
            actor=by,
            decision=str(approval.state),
            cause="reported",
            facts={
                "incident": incident.id,
                "scope": incident.scope,
                "device": incident.device_id,
                **incident_evidence,
            },
        ),
    )
