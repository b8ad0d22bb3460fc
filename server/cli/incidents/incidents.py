"""`sayso incidents`: list, show and close incidents."""

import click

from server.cli.opening import BY, OpenInstallation, administers
from server.cli.output import answer, json_option, listed, moment, rfc3339, sheet, table
from server.services.incidents.incidents import MAX_NOTE, NamedIncident


@click.group("incidents")
def command() -> None:
    """Incidents: reported requests and agents without an owner. Their agents are quarantined."""


@command.command("list")
@click.option("--closed", is_flag=True, help="Include closed incidents.")
@json_option
@administers
def show_all(desk: OpenInstallation, *, closed: bool, as_json: bool) -> None:
    """List the newest incidents, at most 200."""
    found = desk.incidents.search(closed=closed)
    rows = [
        (
            moment(told.incident.opened_at),
            told.user_name or "nobody",
            _about(told),
            listed(f"{one['name']} {told.states[one['id']]}" for one in told.evidence["agents"]),
            told.incident.state,
            told.incident.id,
        )
        for told in found
    ]
    lines = table(("opened", "by", "about", "agents now", "state", "id"), rows)
    answer({"items": [_document(told) for told in found]}, lines, as_json=as_json)


@command.command("show")
@click.argument("incident_id", metavar="ID")
@json_option
@administers
def show(desk: OpenInstallation, incident_id: str, *, as_json: bool) -> None:
    """Show one incident: the request, the quarantined agents and what ended with them."""
    told = desk.incidents.show(incident_id)
    answer(_document(told), _lines(told), as_json=as_json)


@command.command("close")
@click.argument("incident_id", metavar="ID")
@click.option("--note", help=f"The result, at most {MAX_NOTE} characters.")
@json_option
@administers
def close(desk: OpenInstallation, incident_id: str, note: str | None, *, as_json: bool) -> None:
    """Close an incident. Quarantined agents stay quarantined."""
    told = desk.incidents.close(incident_id, note, by=BY)
    answer(_document(told), ["Closed the incident.", *_next(told)], as_json=as_json)


def _lines(told: NamedIncident) -> list[str]:
    incident = told.incident
    facts = {
        "incident": incident.id,
        "state": incident.state,
        "opened": moment(incident.opened_at),
        **(_reported(told) if incident.cause == "reported" else {"because": _about(told)}),
        "closed": None if incident.closed_at is None else moment(incident.closed_at),
        "closed by": incident.closed_by,
        "closing note": incident.closing_note,
    }
    agents = [line for one in told.evidence["agents"] for line in _agent(told, one)]
    return [*sheet(facts), "", *agents, *_next(told)]


def _about(told: NamedIncident) -> str:
    """The agent of the reported request, or the other cause."""
    if told.incident.cause == "no_owner":
        return "it had no enabled owner"
    return str(told.evidence["approval"]["asked_by"]["name"])


def _reported(told: NamedIncident) -> dict[str, str | None]:
    incident, approval = told.incident, told.evidence["approval"]
    return {
        "reported by": f"{told.user_name} ({incident.user_id}) on {incident.device_id}",
        "their note": incident.note,
        "quarantines": "every agent of theirs" if incident.scope == "every_agent" else "the agent",
        "request": f"{approval['id']}, then {approval['was']}",
        "asked by": f"{approval['asked_by']['name']} ({approval['asked_by']['id']})",
        "asked at": moment(approval["asked_at"]),
        "for": f"{approval['scope']} at {approval['resource']}",
        "fingerprint": approval["fingerprint"],
    }


def _agent(told: NamedIncident, one: dict[str, object]) -> list[str]:
    state = told.states[str(one["id"])]
    ended = f"ended: tokens {one['tokens_revoked']}, requests {one['requests_cancelled']}"
    return [f"{one['name']}: was {one['was']}, is {state}; {ended}."]


def _next(told: NamedIncident) -> list[str]:
    """The next commands."""
    held = [
        one["name"] for one in told.evidence["agents"] if told.states[one["id"]] == "quarantined"
    ]
    lines = [f"To release {name}: sayso agents enable {name}" for name in held]
    if told.incident.cause == "no_owner":
        lines[:0] = [f"First: sayso agents update {name} --add-owner USER" for name in held]
    else:
        whole = f"To see the full request: sayso approvals show {told.incident.approval_id}"
        lines.insert(0, whole)
    if told.incident.state == "open":
        lines.append(f"To close it: sayso incidents close {told.incident.id} --note TEXT")
    return lines


def _document(told: NamedIncident) -> dict[str, object]:
    incident, evidence = told.incident, told.evidence
    approval = evidence.get("approval")
    asked = approval and {**approval, "asked_at": rfc3339(approval["asked_at"])}
    return {
        "id": incident.id,
        "state": incident.state,
        "cause": incident.cause,
        "scope": incident.scope,
        "opened_at": rfc3339(incident.opened_at),
        "user": incident.user_id and {"id": incident.user_id, "name": told.user_name},
        "device": incident.device_id,
        "note": incident.note,
        "approval": asked,
        "agents": [_agent_document(told, one) for one in evidence["agents"]],
        "signed": evidence.get("signed"),
        "closed_at": rfc3339(incident.closed_at),
        "closed_by": incident.closed_by,
        "closing_note": incident.closing_note,
    }


def _agent_document(told: NamedIncident, one: dict[str, object]) -> dict[str, object]:
    """An agent as in the API: `client_id`, current state, times as texts."""
    rest = {name: value for name, value in one.items() if name != "id"}
    secrets: list[dict[str, object]] = rest["secrets"]  # type: ignore[assignment]  # written by `evidence`
    return {
        "client_id": one["id"],
        **rest,
        "state": told.states[str(one["id"])],
        "secrets": [_secret(secret) for secret in secrets],
    }


def _secret(secret: dict[str, object]) -> dict[str, object]:
    used = secret["last_used_at"]
    return {**secret, "last_used_at": rfc3339(used if isinstance(used, int) else None)}
