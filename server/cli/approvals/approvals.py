"""`sayso approvals`: list, show, cancel and escalate all users' requests."""

import json
from collections.abc import Mapping

import click

from server.cli.opening import BY, OpenInstallation
from server.cli.output import moment, sheet, table
from server.cli.printed import Printed, prints
from server.cli.split_group import SplitGroup
from server.lazy_imports import lazily
from server.protocol.approvals.states import State

with lazily():
    from server.cli.audit.audit import entry_line
    from server.http.approvals import oversight_wire
    from server.model.approvals import Delivery, automatic_decision
    from server.model.granted import differences_of, headline
    from server.protocol.approvals import decisions
    from server.services.approvals.oversight import NamedApproval
    from server.services.standing_grants import reservations


@click.group(
    "approvals",
    cls=SplitGroup,
    elsewhere={
        "statistics": "operations.statistics.statistics",
        "limits": "operations.limits.limits",
    },
)
def command() -> None:
    """Approval requests. People decide them on their devices; here you can cancel them."""


@command.command("list")
@click.option("--state", type=click.Choice([str(state) for state in State]))
@click.option("--agent", metavar="AGENT", help="Only requests of this agent.")
@click.option("--user", metavar="USER", help="Only requests to this user.")
@click.option("--limit", type=click.IntRange(1, 1_000), default=50, show_default=True)
@prints
def show_all(
    admin: OpenInstallation, state: str | None, agent: str | None, user: str | None, limit: int
) -> Printed:
    """List the newest matching requests."""
    approvals = admin.oversight.approvals(
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
        for seen in approvals
    ]
    lines = table(("state", "kind", "risk", "agent", "user", "what", "id"), rows)
    return lambda: {"items": [oversight_wire.approval(seen) for seen in approvals]}, lines


@command.command("show")
@click.argument("approval_id", metavar="ID")
@prints
def show(admin: OpenInstallation, approval_id: str) -> Printed:
    """Show one request with its answers and audit entries."""
    seen = admin.oversight.approval(approval_id)
    entries = [entry_line(entry) for entry in seen.entries]
    return lambda: oversight_wire.approval_details(seen), [*_facts(seen), "", *entries]


@command.command("cancel")
@click.argument("approval_id", metavar="ID")
@click.option(
    "--reason",
    required=True,
    help="The reason, for the approver and the audit log. The agent only sees 'cancelled'.",
)
@prints
def cancel(admin: OpenInstallation, approval_id: str, reason: str) -> Printed:
    """Cancel an open request. The approver's screens show it immediately."""
    seen = admin.oversight.cancel(approval_id, reason, by=BY)
    return lambda: oversight_wire.approval(seen), [f"Cancelled request {approval_id}."]


@command.command("escalate")
@click.argument("approval_id", metavar="ID")
@click.option("--to", "user", metavar="USER", required=True, help="The additional approver.")
@prints
def escalate(admin: OpenInstallation, approval_id: str, user: str) -> Printed:
    """Ask one more person to decide a pending request, as a backup of its approver."""
    seen = admin.backup_requests.ask(approval_id, user, by=BY)
    return lambda: oversight_wire.approval(seen), [f"{user} can now decide {approval_id} too."]


def _delivery_lines(seen: NamedApproval) -> str:
    """The deliveries to each device, on one line."""
    return "; ".join(_delivery_line(delivery) for delivery in seen.deliveries) or "no device"


def _delivery_line(delivery: Delivery) -> str:
    text = f"{delivery.device_name} {moment(delivery.delivered_at)}"
    text += "" if delivery.seen_at is None else f", seen {moment(delivery.seen_at)}"
    return text + (
        "" if delivery.decided_at is None else f", decided {moment(delivery.decided_at)}"
    )


def _facts(seen: NamedApproval) -> list[str]:
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
        "unusual": _unusual_line(seen),
        "agent": seen.client_name,
        "called by": seen.caller_name,
        "user": seen.user.name if seen.user else "nobody",
        "resource": approval.resource,
        "scope": approval.scope or "none",
        "granted": _granted_line(seen),
        "asked": moment(approval.created_at),
        "expires": moment(approval.expires_at),
        "reached": _delivery_lines(seen),
        "decided": moment(approval.decided_at, never="not yet"),
        "decided by": _decider_line(seen),
        "executed": _execution_line(seen),
    }
    return sheet(facts)


def _granted_line(seen: NamedApproval) -> str | None:
    rows = (
        f"{row.label}: {row.granted}, asked {row.asked}" for row in differences_of(seen.approval)
    )
    return "; ".join(rows) or None


def _decider_line(seen: NamedApproval) -> str | None:
    """The consent or grant that decided; None if a person decided or nobody has."""
    decided_by = automatic_decision(seen.approval)
    if decided_by is None:
        return None
    grant = decided_by.get(reservations.GRANT_MEMBER)
    by = (
        f"consent {decided_by['consent']}"
        if grant is None
        else f"use {decided_by['use']} of {grant}"
    )
    return f"{by}, by version {decided_by['policy']}"


def _execution_line(seen: NamedApproval) -> str | None:
    execution = seen.execution
    if execution is None:
        return None
    outcome, name = execution.outcome, execution.consumption.execution_id
    if outcome is None:
        return f"started as {name}; the resource has not reported the result"
    differs = ". ALARM: not what was granted" if execution.as_granted is False else ""
    text = f': "{outcome.text}"' if outcome.text else ""
    return f"{outcome.result} as {name} {moment(outcome.at)}{text}{differs}"


def _unusual_line(seen: NamedApproval) -> str | None:
    """The signals as the approver saw them; None if the request was not compared with history."""
    display = json.loads(seen.approval.display)
    unusual = display.get("unusual")
    return (
        None
        if unusual is None
        else " ".join([*(signal["text"] for signal in unusual), display["compared"]])
    )
