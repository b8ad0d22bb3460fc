"""`sayso approvals`: list, show, cancel and escalate all users' requests."""

import json
from collections.abc import Mapping

import click

from server.cli.opening import OpenInstallation, Printed, prints
from server.cli.output import moment, sheet, table
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
    from server.services.standing_grants import uses


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
            request.approval.state,
            request.approval.kind,
            request.approval.risk,
            request.client_name,
            request.user.name if request.user else "nobody",
            headline(request.approval),
            request.approval.id,
        )
        for request in approvals
    ]
    lines = table(("state", "kind", "risk", "agent", "user", "what", "id"), rows)
    return lambda: {"items": [oversight_wire.approval(request) for request in approvals]}, lines


@command.command("show")
@click.argument("approval_id", metavar="ID")
@prints
def show(admin: OpenInstallation, approval_id: str) -> Printed:
    """Show one request with its answers and audit entries."""
    named_approval = admin.oversight.approval(approval_id)
    lines = [*_facts(named_approval), "", *map(entry_line, named_approval.entries)]
    return lambda: oversight_wire.approval_details(named_approval), lines


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
    named_approval = admin.oversight.cancel(approval_id, reason, by=admin.by)
    return lambda: oversight_wire.approval(named_approval), [f"Cancelled request {approval_id}."]


@command.command("escalate")
@click.argument("approval_id", metavar="ID")
@click.option("--to", "user", metavar="USER", required=True, help="The additional approver.")
@prints
def escalate(admin: OpenInstallation, approval_id: str, user: str) -> Printed:
    """Ask one more person to decide a pending request, as a backup of its approver."""
    named_approval = admin.backup_requests.ask(approval_id, user, by=admin.by)
    line = f"{user} can now decide {approval_id} too."
    return lambda: oversight_wire.approval(named_approval), [line]


def _delivery_line(delivery: Delivery) -> str:
    text = f"{delivery.device_name} {moment(delivery.delivered_at)}"
    if delivery.seen_at is not None:
        text += f", seen {moment(delivery.seen_at)}"
    if delivery.decided_at is not None:
        text += f", decided {moment(delivery.decided_at)}"
    return text


def _facts(named_approval: NamedApproval) -> list[str]:
    approval = named_approval.approval
    facts: Mapping[str, str | None] = {
        "request": approval.id,
        "kind": approval.kind,
        "what": headline(approval),
        "fingerprint": decisions.fingerprint(approval.action_digest),
        "state": approval.state,
        "reason": approval.reason,
        "supersedes": approval.supersedes,
        "risk": approval.risk,
        "unusual": _unusual_line(named_approval),
        "agent": named_approval.client_name,
        "called by": named_approval.caller_name,
        "user": named_approval.user.name if named_approval.user else "nobody",
        "resource": approval.resource,
        "scope": approval.scope or "none",
        "granted": _granted_line(named_approval),
        "asked": moment(approval.created_at),
        "expires": moment(approval.expires_at),
        "reached": "; ".join(map(_delivery_line, named_approval.deliveries)) or "no device",
        "decided": moment(approval.decided_at, never="not yet"),
        "decided by": _decider_line(named_approval),
        "executed": _execution_line(named_approval),
    }
    return sheet(facts)


def _granted_line(named_approval: NamedApproval) -> str | None:
    rows = (
        f"{row.label}: {row.granted}, asked {row.asked}"
        for row in differences_of(named_approval.approval)
    )
    return "; ".join(rows) or None


def _decider_line(named_approval: NamedApproval) -> str | None:
    """The consent or grant that decided; None if a person decided or nobody has."""
    decided_by = automatic_decision(named_approval.approval)
    if decided_by is None:
        return None
    if (grant := decided_by.get(uses.GRANT_MEMBER)) is None:
        by = f"consent {decided_by['consent']}"
    else:
        by = f"use {decided_by['use']} of {grant}"
    return f"{by}, by version {decided_by['policy']}"


def _execution_line(named_approval: NamedApproval) -> str | None:
    execution = named_approval.execution
    if execution is None:
        return None
    outcome, name = execution.outcome, execution.consumption.execution_id
    if outcome is None:
        return f"started as {name}; the resource has not reported the result"
    alarm = ". ALARM: not what was granted" if execution.as_granted is False else ""
    text = f': "{outcome.text}"' if outcome.text else ""
    return f"{outcome.result} as {name} {moment(outcome.at)}{text}{alarm}"


def _unusual_line(named_approval: NamedApproval) -> str | None:
    """The signals as the approver saw them; None if the request was not compared with history."""
    display = json.loads(named_approval.approval.display)
    if (unusual := display.get("unusual")) is None:
        return None
    return " ".join([*(signal["text"] for signal in unusual), display["compared"]])
