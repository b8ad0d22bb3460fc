"""A person's report: "I did not ask for this". It ends the request and stops whoever made it.

Owns: whom a report stops, its evidence, who is told. Never: lifting it; that is an administrator's.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from server.protocol import decisions, errors, names
from server.protocol.text import check_prose
from server.services import approvals, audit, notices
from server.services.agents import StoppedAgent, quarantine
from server.services.approvals import ApprovalService, Shown
from server.services.incident_records import Incident, Scope
from server.services.people import Person
from server.services.ports import Secrets, Store, Unit, View
from server.services.records import Agent, Approval, Entry

MOST_NOTE: Final = 500


@dataclass(frozen=True, slots=True)
class Report:
    """What a person's device sends."""

    signed: str
    """A denial as suspicious (compact JWS), by any key of the device."""
    scope: Scope
    note: str | None = None
    """A word for the administrators; no agent sees it."""


@dataclass(frozen=True, slots=True)
class Reported:
    """What came of a report."""

    incident: Incident
    approval: Shown


@dataclass(frozen=True, slots=True)
class Reports:
    """Takes reports. The session's key is enough, because they only take power away."""

    store: Store
    secrets: Secrets
    approvals: ApprovalService

    def report(self, person: Person, approval_id: str, report: Report) -> Reported:
        """End the request, stop its agent or every one that acts for this person, and say so.

        A request that is over can be reported too; it stays what it was. The same report again
        answers the incident that it opened, as long as that is open and its agents are stopped.
        Raises errors.Problem: 404 for somebody else's request, 422 for a signature over anything
        else than this denial.
        """
        note = _checked(report.note)
        with self.store.read() as view:  # nobody waits for whoever may not report this
            approvals.of_person(view, person, approval_id)
        with self.store.administer() as tx:
            was = approvals.of_person(tx, person, approval_id)
            approval = self.approvals.disown(tx, person, approval_id, report.signed)
            agents = _reported(tx, approval, report.scope)
            known = tx.incidents.open_of(approval.id, report.scope)
            if known is not None and not any(agent.state == "enabled" for agent in agents):
                return Reported(known, approvals.shown(tx, approval))
            by = audit.by_user(person.user.id)
            incident_id = self.secrets.new_id(names.PREFIX_INCIDENT)
            stopped = [quarantine(tx, agent, incident_id, by=by) for agent in agents]
            evidence = _evidence(tx, was, report.signed, list(zip(agents, stopped, strict=True)))
            incident = Incident(
                id=incident_id,
                state="open",
                scope=report.scope,
                approval_id=approval.id,
                user_id=person.user.id,
                device_id=person.at.id,
                note=note,
                evidence=json.dumps(evidence, sort_keys=True),
                opened_at=tx.now,
            )
            tx.incidents.add(incident)
            _record(tx, incident, approval, evidence, by=by)
            notices.incident(tx, incident, "alarm.incident_opened", _owners(tx, agents))
            return Reported(incident, approvals.shown(tx, approval))


def _reported(tx: Unit, approval: Approval, scope: Scope) -> list[Agent]:
    """Who is stopped: the agent that asked, if one did, and with it all that act for this person.

    An agent acts for somebody while it has a live token or consent of theirs, or an open request.
    """
    clients = {approval.agent_id}
    if scope == "every_agent":
        user_id = approval.user_id or ""
        clients |= set(tx.delegations.clients_for(user_id, tx.now))
        clients |= {one.client_id for one in tx.consents.of_user(user_id, tx.now, ended=False)}
        clients |= {one.agent_id for one in tx.approvals.open_of_user(user_id)}
    found = (tx.directory.agent(client_id) for client_id in sorted(clients))
    return [agent for agent in found if agent is not None]


def _owners(view: View, agents: Sequence[Agent]) -> list[str]:
    """The enabled people who answer for any of these agents."""
    found = (view.directory.user(user_id) for agent in agents for user_id in agent.owners)
    return sorted({owner.id for owner in found if owner is not None and owner.enabled})


def _evidence(
    view: View, was: Approval, signed: str, agents: Sequence[tuple[Agent, StoppedAgent]]
) -> dict[str, object]:
    """What somebody who looks into it would ask first, as it was when it was reported."""
    asker = approvals.shown(view, was).agent_name
    return {
        "approval": {
            "id": was.id,
            "kind": was.kind,
            "was": was.state,
            "asked_by": {"id": was.agent_id, "name": asker},
            "resource": was.resource,
            "scope": was.scope,
            "risk": was.risk,
            "action_digest": was.action_digest,
            "display_digest": was.display_digest,
            "fingerprint": decisions.fingerprint(was.action_digest),
            "asked_at": was.created_at,
        },
        "signed": signed,
        "agents": [_agent(before, stopped) for before, stopped in agents],
    }


def _agent(before: Agent, stopped: StoppedAgent) -> dict[str, object]:
    """An agent as it was, by what it could be told from others, and what ended with it."""
    return {
        "id": before.id,
        "name": before.name,
        "was": before.state,
        "state": stopped.agent.state,
        "owners": list(before.owners),
        "auth_method": before.auth_method,
        "keys": [key.get("kid", "") for key in before.jwks],
        "secrets": [
            {"id": one.id, "hint": one.hint, "last_used_at": one.last_used_at}
            for one in before.secrets
        ],
        **stopped.counts,
    }


def _record(
    tx: Unit, incident: Incident, approval: Approval, evidence: dict[str, object], *, by: str
) -> None:
    audit.record(
        tx,
        Entry(
            type=audit.Type.INCIDENT_OPENED,
            actor=by,
            agent_id=approval.agent_id,
            subject=approval.user_id,
            resource=approval.resource,
            action=approval.action_digest,
            decision=str(approval.state),
            posture=approval.risk,
            cause="reported",
            approval_id=approval.id,
            facts={
                "incident": incident.id,
                "scope": incident.scope,
                "device": incident.device_id,
                **evidence,
            },
        ),
    )


def _checked(note: str | None) -> str | None:
    if not note:
        return None
    try:
        return check_prose(note, what="note", max_chars=MOST_NOTE)
    except ValueError as error:
        raise errors.Problem(422, "invalid_body", str(error)) from error
