"""The page and form rows about standing grants."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from werkzeug.wrappers import Response as AnyResponse

from server.http.site import Site
from server.model.approval_views import ApproverView
from server.model.policy import ActionRow
from server.protocol import errors
from server.protocol.forms import Form
from server.protocol.json_text import JsonValue
from server.protocol.policy import rendering, uses
from server.protocol.policy.uses import Path, has_money_members
from server.protocol.standing_grants.standing_grants import LIMITS, MAX_USES
from server.protocol.text import display_safe
from server.web.approvals.request import can_become_standing_grant, request_facts
from server.web.browser import go
from server.web.calls import Document
from server.web.form import FormAction, acts
from server.web.page import Facts, Page, Read, console_list
from server.web.visit import Visit, refusal_text

DURATIONS: Final = (
    (900, "15 minutes"),
    (3_600, "1 hour"),
    (28_800, "8 hours"),
    (86_400, "1 day"),
    (2_592_000, "30 days"),
)
_DIFFERENCES: Final = {
    "authorization_details": "different details",
    "resource": "a different API",
    "risk": "a higher risk",
    "scope": "more scopes",
    "sum": "more than the total amount",
    "uses": "more than the max uses",
}
"""Why a past request would not have been covered, if no member of the details differs."""
_MAX_DIGITS: Final = 9
_EMPTY: Final = Form({})
_SHOWN_STATUSES: Final = frozenset({400, 409, 422})


@dataclass(frozen=True, slots=True)
class Member:
    """A member of the details that may vary."""

    fact: str
    """A JSON pointer."""
    words: str
    value: str
    limited: bool
    """Whether it is a number or money, which varies up to a limit."""
    currency: str
    """The currency, or empty if it is not money."""


def load(visit: Visit) -> Facts:
    """GET /r/<id>/similar: an empty form, except that notifying of each use is on."""
    return _facts(visit, _example(visit), _EMPTY, {"preview": None, "problem": ""})


def propose(visit: Visit, form: Form) -> Facts | AnyResponse:
    """POST /r/<id>/similar: preview the grant, or with `act=open` create its approval request."""
    approver_view = _example(visit)
    creates = form.get("act") == "open"
    route = "POST /api/grants" if creates else "POST /api/grants/preview"
    try:
        answer = visit.calls.do(route, "", proposal_request(form, approver_view), form)
    except (errors.Problem, ValueError) as refused:
        message = refusal_text(refused, _SHOWN_STATUSES)
        return _facts(
            visit, approver_view, form, {"preview": None, "problem": message, "status": 422}
        )
    if creates:
        return go(f"{visit.site.server_policy.issuer}/r/{answer['id']}")
    return _facts(visit, approver_view, form, {"preview": answer, "problem": ""})


def _example(visit: Visit) -> ApproverView:
    approver_view = visit.site.approvals.decisions.show(visit.person, visit.record_id)
    if not can_become_standing_grant(approver_view, visit.person):
        detail = "You can create a standing grant only from an agent's non-critical request to you."
        raise errors.Problem(400, "not_grantable", detail)
    return approver_view


def _facts(visit: Visit, approver_view: ApproverView, form: Form, facts: Facts) -> Facts:
    limit = LIMITS[approver_view.approval.risk]
    return {
        **request_facts(visit, approver_view),
        "members": members(approver_view),
        "difference": partial(difference, members(approver_view)),
        "kind": _action_type(visit.site, approver_view),
        "lasting": [duration for duration in DURATIONS if duration[0] <= limit.seconds],
        "most_uses": limit.uses if limit.uses < MAX_USES else None,
        "sent": form,
        **facts,
    }


def _action_type(site: Site, approver_view: ApproverView) -> ActionRow | None:
    """The registered action type of the example; None unless all details have one type."""
    types = {detail["type"] for detail in json.loads(approver_view.approval.details)}
    with site.store.read() as view:
        return view.directory.action(types.pop()) if len(types) == 1 else None


def members(approver_view: ApproverView) -> list[Member]:
    """The members of the example that may vary; none if it has several details."""
    details = json.loads(approver_view.approval.details)
    paths = _members(details[0], ()) if len(details) == 1 else iter(())
    return [_member(path, value) for path, value in paths if path != ("type",)]


def _members(value: JsonValue, path: Path) -> Iterator[tuple[Path, JsonValue]]:
    if isinstance(value, dict) and not has_money_members(value):
        for name, member in value.items():
            yield from _members(member, (*path, name))
    elif isinstance(value, dict | list | str) or type(value) is int:
        yield path, value


def difference(varying: Sequence[Member], mismatch: str) -> str:
    """Why a past request would not have been covered; `mismatch` is the API's word for it."""
    matching = [
        member for member in varying if mismatch in {member.fact, f"{member.fact}/currency"}
    ]
    known_difference = _DIFFERENCES.get(mismatch, mismatch)
    fallback = "different details" if mismatch.startswith("/") else known_difference
    return f"a different {matching[0].words.lower()}" if matching else fallback


def _member(path: Path, value: JsonValue) -> Member:
    return Member(
        fact=uses.as_pointer(path),
        words=display_safe(" ".join(path).replace("_", " "), max_chars=120).capitalize(),
        value=rendering.render_whole(value),
        limited=isinstance(value, dict | int),
        currency=str(display_safe(str(value["currency"]))) if isinstance(value, dict) else "",
    )


def proposal_request(form: Form, approver_view: ApproverView) -> Document:
    """The API request for the submitted fields. Raises ValueError for a missing number."""
    varied = [
        {"fact": member.fact, "up_to": value if member.limited else None}
        for index, member in enumerate(members(approver_view))
        if (value := form.get(f"vary.{index}")) is not None
    ]
    return {
        "approval": approver_view.approval.id,
        "seconds": _whole_number(form, "seconds", "Choose a duration"),
        "uses": _whole_number(form, "uses", "Enter the max uses as a number"),
        "sum": form.get("sum"),
        "vary": varied,
        "notify": form.get("notify") is not None,
    }


def _whole_number(form: Form, name: str, message: str) -> int:
    text = form.get(name) or ""
    if not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS):
        raise ValueError(message)
    return int(text)


PAGES: Final = (
    Page("/r/<id>/similar", "standing_grants/proposal.html", load=load),
    Page(
        "/grants",
        "standing_grants/grants.html",
        "grants",
        (Read("grants", "GET /api/grants", ("ended",)),),
    ),
    console_list("standing_grants/grants", "GET /api/admin/grants", "agent", "user", "ended"),
)

FORMS: Final = (
    FormAction("/r/<id>/similar", page="/r/<id>/similar", handler=propose),
    FormAction("/grants/<id>/revoke", "DELETE /api/grants/<id>", then="/grants?done=grant"),
    acts("POST /api/admin/grants/<id>/revoke", "End this standing grant", then="/admin/grants"),
)
