"""`sayso incidents`: list, show and close incidents; `sayso agents orphans`."""

from typing import Final

import click

from server.cli.opening import OpenInstallation, Printed, prints
from server.cli.output import join_names, moment, sheet, table
from server.lazy_imports import lazily
from server.services.incidents.incidents import MAX_NOTE, NamedIncident

with lazily():
    from server.http.incidents import incidents as api
    from server.http.incidents import orphans as orphan_api
    from server.services.incidents.orphans import SeenOwner

_OTHER_CAUSES: Final = {
    "no_owner": "it had no enabled owner",
    "log_changed": "their device saw a different audit log",
}
"""Why an incident was opened, if nobody reported a request."""
_ORPHAN_REASONS: Final = {
    "no_owner": "no enabled owner",
    "owner_away": "owners not seen for 90 days",
    "review_due": "review is due",
    "expired": "expired",
}


@click.group("incidents")
def command() -> None:
    """Incidents: reported requests, agents without an owner, and alarms about the audit log."""


@command.command("list")
@click.option("--closed", is_flag=True, help="Include closed incidents.")
@prints
def show_all(admin: OpenInstallation, *, closed: bool) -> Printed:
    """List the newest incidents, at most 200."""
    incidents = admin.incidents.search(closed=closed)
    rows = [
        (
            moment(named_incident.incident.opened_at),
            named_incident.user_name or "nobody",
            _cause(named_incident),
            join_names(
                f"{agent['name']} {named_incident.states[agent['id']]}"
                for agent in named_incident.evidence["agents"]
            ),
            named_incident.incident.state,
            named_incident.incident.id,
        )
        for named_incident in incidents
    ]
    lines = table(("opened", "by", "about", "agents now", "state", "id"), rows)
    return lambda: {"items": [api.document(incident) for incident in incidents]}, lines


@command.command("show")
@click.argument("incident_id", metavar="ID")
@prints
def show(admin: OpenInstallation, incident_id: str) -> Printed:
    """Show one incident: the request, the quarantined agents and what ended with them."""
    incident = admin.incidents.show(incident_id)
    return lambda: api.document(incident), _lines(incident)


@command.command("close")
@click.argument("incident_id", metavar="ID")
@click.option("--note", help=f"The result, at most {MAX_NOTE} characters.")
@prints
def close(admin: OpenInstallation, incident_id: str, note: str | None) -> Printed:
    """Close an incident. Quarantined agents stay quarantined."""
    incident = admin.incidents.close(incident_id, note, by=admin.by)
    return lambda: api.document(incident), ["Closed the incident.", *_next_commands(incident)]


@click.command("orphans")
@prints
def orphans(admin: OpenInstallation) -> Printed:
    """List agents that need an owner or a review.

    An enabled agent without an enabled owner is quarantined when its grace period ends; see
    SAYSO_OWNER_GRACE_DAYS.
    """
    all_orphans = admin.orphans.all()
    rows = [
        (
            orphan.agent.name,
            orphan.agent.state,
            join_names(_ORPHAN_REASONS[reason] for reason in orphan.why),
            join_names(map(_owner, orphan.owners)),
            moment(orphan.quarantine_at),
        )
        for orphan in all_orphans
    ]
    lines = table(("name", "state", "why", "owners", "quarantined at"), rows)
    lines += [
        f"To give it an owner: sayso agents update {orphan.agent.name} --add-owner USER"
        for orphan in all_orphans
        if "no_owner" in orphan.why
    ]
    return lambda: {"items": [orphan_api.document(orphan) for orphan in all_orphans]}, lines


def _owner(owner: SeenOwner) -> str:
    last_seen = "never seen" if owner.seen_at is None else f"seen {moment(owner.seen_at)}"
    return f"{owner.user.name} ({owner.user.state}, {last_seen})"


def _lines(named_incident: NamedIncident) -> list[str]:
    incident = named_incident.incident
    facts = {
        "incident": incident.id,
        "state": incident.state,
        "opened": moment(incident.opened_at),
        **_cause_lines(named_incident),
        "closed": None if incident.closed_at is None else moment(incident.closed_at),
        "closed by": incident.closed_by,
        "closing note": incident.closing_note,
    }
    agents = [_agent_line(named_incident, agent) for agent in named_incident.evidence["agents"]]
    return [*sheet(facts), "", *agents, *_next_commands(named_incident)]


def _cause(incident: NamedIncident) -> str:
    """The agent of the reported request, or why the incident was opened without a report."""
    other_cause = _OTHER_CAUSES.get(incident.incident.cause)
    return other_cause or str(incident.evidence["approval"]["asked_by"]["name"])


def _cause_lines(named_incident: NamedIncident) -> dict[str, str | None]:
    incident = named_incident.incident
    if incident.cause == "reported":
        return _report_lines(named_incident)
    because: dict[str, str | None] = {"because": _cause(named_incident)}
    if (log := named_incident.evidence.get("log")) is None:
        return because
    notes = {name: " / ".join(log[name].splitlines()) for name in ("kept", "shown")}
    return {**because, "seen by": _reporter(named_incident), **notes}


def _reporter(named_incident: NamedIncident) -> str:
    incident = named_incident.incident
    return f"{named_incident.user_name} ({incident.user_id}) on {incident.device_id}"


def _report_lines(named_incident: NamedIncident) -> dict[str, str | None]:
    incident, approval = named_incident.incident, named_incident.evidence["approval"]
    return {
        "reported by": _reporter(named_incident),
        "their note": incident.note,
        "quarantines": "all agents that act for them"
        if incident.scope == "every_agent"
        else "the agent",
        "request": f"{approval['id']}, then {approval['state_before']}",
        "asked by": f"{approval['asked_by']['name']} ({approval['asked_by']['id']})",
        "asked at": moment(approval["asked_at"]),
        "for": f"{approval['scope']} at {approval['resource']}",
        "fingerprint": approval["fingerprint"],
    }


def _agent_line(incident: NamedIncident, agent: dict[str, object]) -> str:
    state = incident.states[str(agent["id"])]
    ended = f"ended: tokens {agent['tokens_revoked']}, requests {agent['requests_cancelled']}"
    return f"{agent['name']}: was {agent['state_before']}, is {state}; {ended}."


def _next_commands(incident: NamedIncident) -> list[str]:
    """The commands to run next."""
    quarantined = [
        agent["name"]
        for agent in incident.evidence["agents"]
        if incident.states[agent["id"]] == "quarantined"
    ]
    lines = [f"To release {name}: sayso agents enable {name}" for name in quarantined]
    if incident.incident.cause == "no_owner":
        lines[:0] = [f"First: sayso agents update {name} --add-owner USER" for name in quarantined]
    elif incident.incident.cause == "log_changed":
        lines.append("To verify the log: sayso audit export FILE, then sayso audit verify FILE")
    else:
        show_line = f"To see the full request: sayso approvals show {incident.incident.approval_id}"
        lines.insert(0, show_line)
    if incident.incident.state == "open":
        lines.append(f"To close it: sayso incidents close {incident.incident.id} --note TEXT")
    return lines
