"""Standing grants as plain lines.

Owns: their wording. Never: JSON, unsafe text.
"""

from approver_tui.cli.printing import local_time, program
from approver_tui.state.standing_grants.standing_grants import (
    GrantPreview,
    GrantState,
    Money,
    StandingGrant,
)
from approver_tui.state.text import pluralize


def grant(value: StandingGrant) -> list[str]:
    """Return one grant, and how to revoke it."""
    lines = [
        f"{value.agent_name} at {value.resource}",
        f"  {_scope_text(value)}",
        f"  {_usage_text(value)}",
    ]
    if value.state in {GrantState.LIVE, GrantState.FULL}:
        until = f"  until {local_time(value.expires_at)}{_used_up_text(value)}"
        return [*lines, until, f"  {program()} grants revoke {value.id}"]
    because = "" if value.ended_because is None else f" ({value.ended_because})"
    ended = value.expires_at if value.ended_at is None else value.ended_at
    return [*lines, f"  {value.state.value} {local_time(ended)}{because}"]


def grant_in_full(value: StandingGrant) -> list[str]:
    """Return one grant with its uses."""
    pattern = [f"  {fact.label}: {fact.value}" for fact in value.pattern]
    notice = "  you are notified of each use" if value.notify else "  you are not notified of uses"
    uses = [
        f"  use {use.number} {use.state} {local_time(use.at)} {use.approval}" for use in value.taken
    ]
    return [*grant(value), *pattern, notice, *(uses or ["  not used yet"])]


def created(value: StandingGrant) -> list[str]:
    """Return the result of creating a grant."""
    return [f"Created: {value.id}", *grant(value)]


def preview(value: GrantPreview) -> list[str]:
    """Return the preview of a grant, and which requests it would have covered."""
    covered = sum(request.mismatch is None for request in value.requests)
    past_requests = [
        f"  {request.fingerprint} {request.state} {local_time(request.created_at)} "
        + ("covered" if request.mismatch is None else f"not covered: {request.mismatch}")
        for request in value.requests
    ]
    risk = f"{value.risk} risk, approved as {value.given_at} risk"
    return [
        f"{value.agent_name} at {value.resource}, {risk}",
        *(f"  {fact.label}: {fact.value}" for fact in value.pattern),
        *([f"  may use {', '.join(value.scopes)}"] if value.scopes else []),
        f"  {_times_text(value.uses)}{_sum_text(value.sum)}, until {local_time(value.expires_at)}",
        f"Would have covered {covered} of the last {pluralize(len(value.requests), 'request')}:",
        *past_requests,
        "No standing grant was created.",
    ]


def _scope_text(value: StandingGrant) -> str:
    action_type = [] if value.type is None else [value.type]
    return f"{', '.join([*action_type, *value.scopes])}, up to {value.risk} risk"


def _usage_text(value: StandingGrant) -> str:
    spent = ""
    if value.sum is not None and value.spent is not None:
        spent = f", {value.spent.words} of {value.sum.words}"
    return f"used {value.used} of {value.uses}{spent}"


def _used_up_text(value: StandingGrant) -> str:
    return ", used up; you are asked each time" if value.state is GrantState.FULL else ""


def _sum_text(value: Money | None) -> str:
    return "" if value is None else f", {value.words} in all"


def _times_text(uses: int) -> str:
    return "once" if uses == 1 else pluralize(uses, "time")
