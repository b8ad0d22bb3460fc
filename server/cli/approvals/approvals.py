"""`sayso approvals`: requests, across people. Nobody decides one here."""

import json
from collections.abc import Mapping
from dataclasses import asdict

import click

from server.cli.audit.audit import entry_document, entry_line
from server.cli.opening import BY, OpenInstallation, administers
from server.cli.operations.limits import limits_document, limits_lines
from server.cli.operations.statistics import (
    course_document,
    course_lines,
    statistics_document,
    statistics_lines,
)
from server.cli.output import answer, json_option, moment, rfc3339, sheet, table
from server.model.approvals import Decision, Delivery, said_by
from server.model.granted import effective_digest, granted_headline, rows_of
from server.protocol.approvals import decisions
from server.protocol.approvals.states import State
from server.services.approvals.narrowing import headline
from server.services.approvals.oversight import Seen
from server.services.operations.statistics import MAX_DAYS
from server.services.standing_grants.reservations import GRANT


@click.group("approvals")
def command() -> None:
    """Requests of agents. People decide them on their devices; here they can be withdrawn."""


@command.command("list")
@click.option("--state", type=click.Choice([str(state) for state in State]))
@click.option("--agent", metavar="AGENT", help="Of one agent alone.")
@click.option("--user", metavar="USER", help="Of one user alone.")
@click.option("--limit", type=click.IntRange(1, 1_000), default=50, show_default=True)
@json_option
@administers
def show_all(
    desk: OpenInstallation,
    state: str | None,
    agent: str | None,
    user: str | None,
    limit: int,
    *,
    as_json: bool,
) -> None:
    """The newest requests that match."""
    found = desk.oversight.approvals(
        state=State(state) if state else None, agent=agent, user=user, limit=limit
    )
    rows = [
        (
            seen.approval.state,
            seen.approval.kind,
            seen.approval.risk,
            seen.client_name,
            seen.user.name if seen.user else "nobody",
            headline(seen.approval),
            seen.approval.id,
        )
        for seen in found
    ]
    lines = table(("state", "kind", "risk", "agent", "user", "what", "id"), rows)
    answer({"items": [_document(seen) for seen in found]}, lines, as_json=as_json)


@command.command("show")
@click.argument("approval_id", metavar="ID")
@json_option
@administers
def show(desk: OpenInstallation, approval_id: str, *, as_json: bool) -> None:
    """One request with its answers and its entries in the log."""
    seen = desk.oversight.approval(approval_id)
    members = {
        **_document(seen),
        "unusual": json.loads(seen.approval.display).get("unusual"),
        "compared": json.loads(seen.approval.display).get("compared"),
        "granted": _granted(seen),
        "decided_by": said_by(seen.approval),
        "execution": _execution(seen),
        "action": seen.approval.action,
        "display": seen.approval.display,
        "action_digest": seen.approval.action_digest,
        "display_digest": seen.approval.display_digest,
        "decisions": [_decision(decision) for decision in seen.decisions],
        "devices": [_delivery(one) for one in seen.deliveries],
        "entries": [entry_document(entry) for entry in seen.entries],
    }
    entries = [entry_line(entry) for entry in seen.entries]
    answer(members, [*_lines(seen), "", *entries], as_json=as_json)


@command.command("statistics")
@click.option("--days", type=click.IntRange(1, MAX_DAYS), default=14, show_default=True)
@click.option("--agent", metavar="AGENT", help="What this one asked, by day.")
@json_option
@administers
def statistics(desk: OpenInstallation, days: int, agent: str | None, *, as_json: bool) -> None:
    """How asking and answering went of late, by day, agent and person."""
    if agent is not None:
        course = desk.statistics.of_agent(agent, days)
        answer(course_document(course), course_lines(course), as_json=as_json)
        return
    summary = desk.statistics.summary(days)
    answer(statistics_document(summary), statistics_lines(summary), as_json=as_json)


@command.command("limits")
@json_option
@administers
def limits(desk: OpenInstallation, *, as_json: bool) -> None:
    """Each limit on asking and calling, who is near it now, and who reached it in the last day."""
    found = desk.limits.overview()
    answer(limits_document(found), limits_lines(found), as_json=as_json)


@command.command("cancel")
@click.argument("approval_id", metavar="ID")
@click.option(
    "--reason",
    required=True,
    help="Why, for the person and the log; the agent is told that it was cancelled.",
)
@json_option
@administers
def cancel(desk: OpenInstallation, approval_id: str, reason: str, *, as_json: bool) -> None:
    """Withdraw a request that is still open. The person's screens show it at once."""
    seen = desk.oversight.cancel(approval_id, reason, by=BY)
    answer(_document(seen), [f"The request {approval_id} is cancelled."], as_json=as_json)


@command.command("escalate")
@click.argument("approval_id", metavar="ID")
@click.option("--to", "user", metavar="USER", required=True, help="Whom to ask beside the others.")
@json_option
@administers
def escalate(desk: OpenInstallation, approval_id: str, user: str, *, as_json: bool) -> None:
    """Ask one more person about a request that waits; they answer for the one it is for."""
    seen = desk.backup_requests.ask(approval_id, user, by=BY)
    answer(_document(seen), [f"{user} is asked about {approval_id} too."], as_json=as_json)


def _document(seen: Seen) -> dict[str, object]:
    approval = seen.approval
    return {
        "id": approval.id,
        "kind": approval.kind,
        "state": str(approval.state),
        "reason": approval.reason,
        "risk": str(approval.risk),
        "headline": headline(approval),
        "fingerprint": decisions.fingerprint(approval.action_digest),
        "agent": {"id": approval.agent_id, "name": seen.client_name},
        "user": {"id": seen.user.id, "name": seen.user.name} if seen.user else None,
        "supersedes": approval.supersedes,
        "resource": approval.resource,
        "scope": approval.scope.split(),
        "created_at": rfc3339(approval.created_at),
        "expires_at": rfc3339(approval.expires_at),
        "seen_at": rfc3339(approval.seen_at),
        "decided_at": rfc3339(approval.decided_at),
    }


def _decision(decision: Decision) -> dict[str, object]:
    return {
        "decision": decision.decision,
        "user": decision.user_id,
        "device": decision.device_id,
        "code": decision.code,
        "note": decision.note,
        "private_note": decision.private_note,
        "retry_at": rfc3339(decision.retry_at),
        "ask": decision.ask_user,
        "reason": decision.reason,
        "ceremony": decision.ceremony,
        "channel": decision.channel,
        "jws": decision.jws,
        "at": rfc3339(decision.at),
    }


def _delivery(one: Delivery) -> dict[str, object]:
    return {
        "id": one.device_id,
        "name": one.device_name,
        "delivered_at": rfc3339(one.delivered_at),
        "seen_at": rfc3339(one.seen_at),
        "decided_at": rfc3339(one.decided_at),
    }


def _reached(seen: Seen) -> str:
    """What each device had, in words."""
    return "; ".join(_reached_one(one) for one in seen.deliveries) or "no device"


def _reached_one(one: Delivery) -> str:
    text = f"{one.device_name} {moment(one.delivered_at)}"
    text += "" if one.seen_at is None else f", seen {moment(one.seen_at)}"
    return text + ("" if one.decided_at is None else f", decided {moment(one.decided_at)}")


def _lines(seen: Seen) -> list[str]:
    approval = seen.approval
    facts: Mapping[str, str | None] = {
        "request": approval.id,
        "kind": approval.kind,
        "what": headline(approval),
        "fingerprint": decisions.fingerprint(approval.action_digest),
        "state": approval.state,
        "reason": approval.reason,
        "supersedes": approval.supersedes,
        "risk": approval.risk,
        "unusual": _unusual(seen),
        "agent": seen.client_name,
        "user": seen.user.name if seen.user else "nobody",
        "resource": approval.resource,
        "scope": approval.scope or "none",
        "granted": _less(seen),
        "asked": moment(approval.created_at),
        "expires": moment(approval.expires_at),
        "reached": _reached(seen),
        "decided": moment(approval.decided_at, never="not yet"),
        "decided by": _decider(seen),
        "executed": _executed(seen),
    }
    return sheet(facts)


def _granted(seen: Seen) -> dict[str, object] | None:
    """What was granted, where that is less than what was asked."""
    approval = seen.approval
    if approval.granted is None:
        return None
    return {
        "text": approval.granted,
        "digest": effective_digest(approval),
        "headline": granted_headline(approval),
        "changes": [asdict(row) for row in rows_of(approval)],
    }


def _less(seen: Seen) -> str | None:
    rows = (f"{row.label}: {row.granted}, asked {row.asked}" for row in rows_of(seen.approval))
    return "; ".join(rows) or None


def _decider(seen: Seen) -> str | None:
    """What stood in for a person's answer."""
    said = said_by(seen.approval)
    if said is None:
        return None
    grant = said.get(GRANT)
    by = f"consent {said['consent']}" if grant is None else f"use {said['use']} of {grant}"
    return f"{by}, by version {said['policy']}"


def _execution(seen: Seen) -> dict[str, object] | None:
    """What came of it at its resource."""
    found = seen.execution
    if found is None:
        return None
    done = found.outcome
    return {
        "execution_id": found.consumption.execution_id,
        "consumed_at": rfc3339(found.consumption.at),
        "outcome": None if done is None else done.result,
        "text": None if done is None else done.text,
        "executed_digest": None if done is None else done.executed_digest,
        "as_granted": found.as_granted,
        "reported_at": None if done is None else rfc3339(done.at),
    }


def _executed(seen: Seen) -> str | None:
    found = seen.execution
    if found is None:
        return None
    done, name = found.outcome, found.consumption.execution_id
    if done is None:
        return f"begun as {name}; the resource has not said how it went"
    differs = ". ALARM: not what was granted" if found.as_granted is False else ""
    said = f': "{done.text}"' if done.text else ""
    return f"{done.result} as {name} {moment(done.at)}{said}{differs}"


def _unusual(seen: Seen) -> str | None:
    """In the words that the person was shown; nothing for what is compared with nothing."""
    display = json.loads(seen.approval.display)
    found = display.get("unusual")
    return (
        None if found is None else " ".join([*(one["text"] for one in found), display["compared"]])
    )
