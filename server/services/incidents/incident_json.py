"""The JSON of incidents and orphaned agents, for the command line and the API."""

from collections.abc import Mapping
from typing import Any

from server.services.incidents.incidents import NamedIncident
from server.services.incidents.orphans import Orphan
from server.services.policy.displays import moment, rfc3339


def incident(named_incident: NamedIncident) -> dict[str, object]:
    """Why it was opened, with the evidence."""
    record, evidence = named_incident.incident, named_incident.evidence
    approval = evidence.get("approval")
    asked = approval and {**approval, "asked_at": rfc3339(approval["asked_at"])}
    return {
        "id": record.id,
        "state": record.state,
        "cause": record.cause,
        "scope": record.scope,
        "opened_at": rfc3339(record.opened_at),
        "user": record.user_id and {"id": record.user_id, "name": named_incident.user_name},
        "device": record.device_id,
        "note": record.note,
        "approval": asked,
        "agents": agents(named_incident),
        "signed": evidence.get("signed"),
        "log": evidence.get("log"),
        "closed_at": moment(record.closed_at),
        "closed_by": record.closed_by,
        "closing_note": record.closing_note,
    }


def agents(named_incident: NamedIncident) -> list[dict[str, object]]:
    """The quarantined agents as they were then, with their current states."""
    return [
        _agent(agent, named_incident.states[agent["id"]])
        for agent in named_incident.evidence["agents"]
    ]


def _agent(one: Mapping[str, Any], state: str) -> dict[str, object]:
    rest = {name: value for name, value in one.items() if name != "id"}
    secrets = [
        {**secret, "last_used_at": moment(secret["last_used_at"])} for secret in one["secrets"]
    ]
    return {"client_id": one["id"], **rest, "state": state, "secrets": secrets}


def orphan(one: Orphan) -> dict[str, object]:
    """An agent that needs an owner or a review."""
    return {
        "client_id": one.agent.id,
        "name": one.agent.name,
        "state": one.agent.state,
        "why": list(one.why),
        "owners": [
            {
                "id": owner.user.id,
                "name": owner.user.name,
                "state": owner.user.state,
                "seen_at": moment(owner.seen_at),
            }
            for owner in one.owners
        ],
        "quarantine_at": moment(one.quarantine_at),
        "review_at": moment(one.agent.review_at),
        "expires_at": moment(one.agent.expires_at),
    }
