"""The page after a decision: its outcome, revoking its token, and the next pending request.

Owns: `/done/<id>`. Never: opening the next request by itself, or deciding anything.
"""

import json
from typing import Final

from werkzeug.wrappers import Response as AnyResponse

from server.model.granted import headline
from server.protocol import errors
from server.protocol.forms import Form
from server.web.approvals.request import is_open, outcome, request_facts
from server.web.browser import go
from server.web.page import Facts
from server.web.visit import Visit

_REVOKE: Final = "DELETE /api/delegations/<id>"


def load(visit: Visit) -> Facts | AnyResponse:
    """GET /done/<id>; redirects to the request page while this person can still decide."""
    site, person = visit.site, visit.person
    approver_view = site.approvals.decisions.show(person, visit.record_id)
    if is_open(approver_view, person):
        return go(f"{site.server_policy.issuer}/r/{visit.record_id}")
    token = site.tokens.delegations.of_approval(person, visit.record_id)
    next_request = site.approvals.inbox.first(person)
    return {
        **request_facts(visit, approver_view),
        "outcome": outcome(approver_view),
        "decision": approver_view.decision,
        "tally": approver_view.tally,
        "token": token,
        "token_state": None if token is None else token.state(site.clock.now()),
        "next": None if next_request is None else next_request.approval,
        "next_headline": None if next_request is None else headline(next_request.approval),
        "next_display": None if next_request is None else json.loads(next_request.approval.display),
    }


def revoke(visit: Visit, form: Form) -> AnyResponse:
    """POST /done/<id>/revoke: revoke the request's token and all tokens derived from it."""
    token = visit.site.tokens.delegations.of_approval(visit.person, visit.record_id)
    if token is None:
        raise errors.Problem(404, "not_found", "This request has no active token.")
    visit.calls.do(_REVOKE, token.delegation.id, None, form)
    return go(f"{visit.site.server_policy.issuer}/done/{visit.record_id}")
