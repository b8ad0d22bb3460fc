"""What came of an answer, what can still be taken back of it, and what waits next.

Owns: `/done/<id>`. Never: opens the next request by itself, or answers anything.
"""

import json
from typing import Final

from werkzeug.wrappers import Response as AnyResponse

from server.http.site import Site
from server.protocol import errors
from server.services.narrowings import headline
from server.services.people import Person
from server.web.browser import go, moment
from server.web.person_forms import sent_form
from server.web.person_pages import Sheet, is_open, of_one, outcome

_REVOKE: Final = "DELETE /api/delegations/<id>"


def show(site: Site, person: Person, **parts: str) -> Sheet | AnyResponse:
    """GET /done/<id>; what waits for this person's answer is at its own page."""
    shown = site.approvals.show(person, parts["id"])
    if is_open(shown, person):
        return go(f"{site.rules.issuer}/r/{parts['id']}")
    token = site.ledger.of_approval(person, parts["id"])
    waiting = site.approvals.waiting(person, 1, None).items
    facts = {
        "outcome": outcome(shown),
        "decision": shown.decision,
        "tally": shown.tally,
        "token": token,
        "token_state": None if token is None else token.state(site.clock.now()),
        "next": None if not waiting else waiting[0].approval,
        "next_headline": None if not waiting else headline(waiting[0].approval),
        "next_display": None if not waiting else json.loads(waiting[0].approval.display),
        "moment": moment,
    }
    return "done.html", {**of_one(site, shown, person), **facts}


def revoke(site: Site, person: Person, **parts: str) -> AnyResponse:
    """POST /done/<id>/revoke: the token of this request, and all that came from it."""
    sent = sent_form(site)
    token = site.ledger.of_approval(person, parts["id"])
    if token is None:
        raise errors.Problem(404, "not_found", "Nobody acts for you by a token of this request.")
    sent.calls.do(_REVOKE, token.delegation.id, None, sent.form)
    return go(f"{site.rules.issuer}/done/{parts['id']}")
