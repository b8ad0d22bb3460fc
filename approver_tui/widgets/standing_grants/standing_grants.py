"""Standing grants as list entries, their details and their preview.

Owns: their wording on screens. Never: creating or revoking a grant.
"""

from collections.abc import Sequence

from approver_tui.state.standing_grants.standing_grants import (
    GrantPreview,
    GrantState,
    PastRequest,
    StandingGrant,
)
from approver_tui.state.standing_grants.varying import VaryingMember, difference
from approver_tui.state.text import SafeText, pluralize
from approver_tui.widgets.approvals.outcomes import RenderContext
from approver_tui.widgets.consents.rights import grant_scope
from approver_tui.widgets.entry_list import Entry
from approver_tui.widgets.lines import BLANK, Line, Role, fmt, wrap_text
from approver_tui.widgets.times import remaining


def grant_entry(grant: StandingGrant, now: int) -> Entry:
    """Return the entry of a grant, with its uses on the right."""
    is_live = grant.state is GrantState.LIVE
    second_line = fmt("{} left, {}", remaining(grant.expires_at, now), grant_scope(grant))
    state = fmt("{} of {} used", grant.used, grant.uses)
    return Entry(grant.id, grant.agent_name, second_line, state, is_over=not is_live)


def grant_lines(grant: StandingGrant, view: RenderContext) -> list[Line]:
    """Return the details of a grant."""
    title = fmt("{} can do this without asking", grant.agent_name)
    key = view.keys.key("revoke")
    used_up = fmt("Used up. You are asked each time.")
    notice = fmt("each time") if grant.notify else fmt("no, only listed in the history")
    return [
        *wrap_text(title, view.width, Role.STRONG),
        *(wrap_text(used_up, view.width, Role.ALERT) if grant.state is GrantState.FULL else []),
        BLANK,
        *view.row("Allows", grant_scope(grant)),
        *view.row("Resource", grant.resource),
        *(line for fact in grant.pattern for line in view.row(fact.label, fact.value)),
        *view.row("Risk", fmt("up to {}", grant.risk)),
        *view.row("Used", fmt("{} of {}", grant.used, grant.uses)),
        *view.row("Spent", _spent_text(grant)),
        *view.row("Created", view.clock(grant.created_at)),
        *view.row("Expires", view.clock(grant.expires_at)),
        *view.row("Notified", notice),
        *view.row("ID", grant.id),
        BLANK,
        *wrap_text(fmt("After revoking it ({}) the agent asks each time.", key), view.width),
    ]


def preview_lines(
    preview: GrantPreview, members: Sequence[VaryingMember], view: RenderContext
) -> list[Line]:
    """Return the preview of a grant, with the recent requests it would have covered."""
    total_text = fmt("") if preview.sum is None else fmt("; {} in all", preview.sum.words)
    times = fmt("once") if preview.uses == 1 else pluralize(preview.uses, "time")
    until = view.clock(preview.expires_at)
    covered = sum(request.mismatch is None for request in preview.requests)
    total = len(preview.requests)
    return [
        *wrap_text(fmt("It would have covered {} of the last {}.", covered, total), view.width),
        *view.row("Max uses", fmt("{}{}; expires {}", times, total_text, until)),
        *view.row(
            "Risk",
            fmt("up to {}; you approve the grant as {} risk", preview.risk, preview.given_at),
        ),
        *(line for fact in preview.pattern for line in view.row(fact.label, fact.value)),
        BLANK,
        *(
            line
            for request in preview.requests
            for line in _past_request_lines(request, members, view)
        ),
    ]


def _past_request_lines(
    request: PastRequest, members: Sequence[VaryingMember], view: RenderContext
) -> list[Line]:
    created_at, result = view.clock(request.created_at), fmt("covered")
    if request.mismatch is not None:
        result = fmt("not covered: {}", difference(members, request.mismatch))
    return wrap_text(
        fmt("{} {} {}, {}", request.fingerprint, created_at, request.state, result), view.width
    )


def _spent_text(grant: StandingGrant) -> SafeText | None:
    if grant.sum is None or grant.spent is None:
        return None
    return fmt("{} of {}", grant.spent.words, grant.sum.words)
