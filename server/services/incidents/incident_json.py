"""The JSON of incidents and orphaned agents, for the command line and the API."""

from collections.abc import Mapping
from typing import Any

from server.services.incidents.incidents import NamedIncident
from server.services.incidents.orphans import Orphan
from server.services.policy.displays import moment, rfc3339


def incident(named_incident: NamedIncident) -> dict[str, object]:
    """Return an incident as JSON: its cause, state and evidence."""
    record, evidence = named_incident.incident, named_incident.evidence
    approval = evidence.get("approval")
    reported_request = approval and {**approval, "asked_at": rfc3339(approval["asked_at"])}
    return {
        "id": record.id,
        "state": record.state,
        "cause": record.cause,
        "scope": record.scope,
        "opened_at": rfc3339(record.opened_at),
        "user": record.user_id and {"id": record.user_id, "name": named_incident.user_name},
        "device": record.device_id,
        "note": record.note,
        "approval": reported_request,
        "agents": agents(named_incident),
        "signed": evidence.get("signed"),
        "log": evidence.get("log"),
        "closed_at": moment(record.closed_at),
        "closed_by": record.closed_by,
        "closing_note": record.closing_note,
    }


def agents(named_incident: NamedIncident) -> list[dict[str, object]]:
    """Return the agents as recorded at the quarantine, with their current states."""
    return [
        _agent(agent, named_incident.states[agent["id"]])
        for agent in named_incident.evidence["agents"]
    ]


def _agent(agent: Mapping[str, Any], state: str) -> dict[str, object]:
    members = {name: value for name, value in agent.items() if name != "id"}
    secrets = [
        {**secret, "last_used_at": moment(secret["last_used_at"])} for secret in agent["secrets"]
    ]
    return {"client_id": agent["id"], **members, "state": state, "secrets": secrets}


def orphan(record: Orphan) -> dict[str, object]:
    """Return an agent that needs an owner or a review as JSON."""
    return {
        "client_id": record.agent.id,
        "name": record.agent.name,
        "state": record.agent.state,
        "why": list(record.why),
        "owners": [
            {
                "id": owner.user.id,
                "name": owner.user.name,
                "state": owner.user.state,
                "seen_at": moment(owner.seen_at),
            }
            for owner in record.owners
        ],
        "quarantine_at": moment(record.quarantine_at),
        "review_at": moment(record.agent.review_at),
        "expires_at": moment(record.agent.expires_at),
    }
