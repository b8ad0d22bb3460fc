"""`sayso incidents`: why agents were stopped, with the evidence. Nobody reports anything here."""

import click

from server.cli.opening import BY, OpenInstallation, administers
from server.cli.output import answer, json_option, listed, moment, rfc3339, sheet, table
from server.services.incidents.incidents import MOST_NOTE, NamedIncident


@click.group("incidents")
def command() -> None:
    """Reports, and agents for which nobody answered. Who was stopped stays so until enabled."""


@command.command("list")
@click.option("--closed", is_flag=True, help="Also those that are closed.")
@json_option
@administers
def show_all(desk: OpenInstallation, *, closed: bool, as_json: bool) -> None:
    """The newest reports, at most 200."""
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
    """One incident: the request, who was stopped, and what ended with them."""
    told = desk.incidents.show(incident_id)
    answer(_document(told), _lines(told), as_json=as_json)


@command.command("close")
@click.argument("incident_id", metavar="ID")
@click.option("--note", help=f"What came of it, {MOST_NOTE} characters at most.")
@json_option
@administers
def close(desk: OpenInstallation, incident_id: str, note: str | None, *, as_json: bool) -> None:
    """Say that a report was looked into. Who was stopped stays so."""
    told = desk.incidents.close(incident_id, note, by=BY)
    answer(_document(told), ["The incident is closed.", *_next(told)], as_json=as_json)


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
    """Which agent's request was reported, or why nobody had to report anything."""
    if told.incident.cause == "no_owner":
        return "nobody enabled answered for it in time"
    return str(told.evidence["approval"]["asked_by"]["name"])


def _reported(told: NamedIncident) -> dict[str, str | None]:
    incident, approval = told.incident, told.evidence["approval"]
    return {
        "reported by": f"{told.user_name} ({incident.user_id}) on {incident.device_id}",
        "their note": incident.note,
        "stops": "every agent of theirs" if incident.scope == "every_agent" else "the agent",
        "request": f"{approval['id']}, which was {approval['was']}",
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
    """What can be done now."""
    held = [
        one["name"] for one in told.evidence["agents"] if told.states[one["id"]] == "quarantined"
    ]
    lines = [f"To let {name} go on: sayso agents enable {name}" for name in held]
    if told.incident.cause == "no_owner":
        lines[:0] = [f"First: sayso agents update {name} --add-owner USER" for name in held]
    else:
        whole = f"The whole request: sayso approvals show {told.incident.approval_id}"
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
    """As the API has it: the id is the client_id, the state is today's, moments are texts."""
    rest = {name: value for name, value in one.items() if name != "id"}
    secrets: list[dict[str, object]] = rest["secrets"]  # type: ignore[assignment]  # as `reports` writes it
    return {
        "client_id": one["id"],
        **rest,
        "state": told.states[str(one["id"])],
        "secrets": [_secret(secret) for secret in secrets],
    }


def _secret(secret: dict[str, object]) -> dict[str, object]:
    used = secret["last_used_at"]
    return {**secret, "last_used_at": rfc3339(used if isinstance(used, int) else None)}
