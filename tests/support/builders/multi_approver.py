"""Requests that several people must approve, for screens and pictures.

Owns: votes, a narrowed request, used-up attempts. Never: the network.
"""

import json
from collections.abc import Mapping

from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.fingerprint import digest
from tests.support.fakes.fake_approvals import an_approval
from tests.support.fakes.fake_requests import PAYMENT

ME = "sayso_us_aaaaaaaaaaaaaaaa"
BOB = "sayso_us_bbbbbbbbbbbbbbbb"
_DETAILS = [{"type": "payment.transfer", "amount": {"minor": 482_000, "currency": "EUR"}}]
_AT = "2026-11-24T14:29:00.000Z"


def a_vote(
    user: str = BOB, name: str = "dan", *, counts: bool = True, reason: str | None = None
) -> dict[str, object]:
    """Return an approving vote of this user."""
    by = {"id": user, "name": name}
    return {"by": by, "decision": "approve", "at": _AT, "counts": counts, "reason": reason}


def of_two(*votes: Mapping[str, object], **more: object) -> dict[str, object]:
    """Return the members that a request has when it needs two approvers of finance."""
    counted = sum(bool(vote["counts"]) for vote in votes)
    vote_tally = {"need": 2, "have": counted, "left": ["finance"], "answers": list(votes)}
    return {"vote_tally": vote_tally, **more}


def a_shared(name: str = "pay", *votes: Mapping[str, object], **changes: object) -> Approval:
    """Return a payment that needs two approvers."""
    terms = {**PAYMENT, "details": _DETAILS, **changes}
    return an_approval(name, terms, outer=of_two(*votes))


def a_part(name: str = "pay", *votes: Mapping[str, object], **changes: object) -> Approval:
    """Return the same payment, which another approver has narrowed to EUR 500.00."""
    approval = a_shared(name, *votes, **changes)
    text = approval.action_text.replace("482000", "50000")
    change = {"label": "Amount", "asked": "EUR 4,820.00", "granted": "EUR 500.00"}
    headline = approval.headline.replace("4,820.00", "500.00")
    granted = {"text": text, "digest": digest(text), "headline": headline, "changes": [change]}
    terms = {**PAYMENT, "details": _DETAILS, **changes}
    return an_approval(name, terms, outer=of_two(*votes, granted=granted))


def a_locked(name: str = "pay", **changes: object) -> Approval:
    """Return a payment with no type-back attempts left."""
    type_back = json.loads(
        '{"label": "Amount", "kind": "money", "at": "/authorization_details/0/amount"}'
    )
    terms = {**PAYMENT, "ceremony": "pin+type_back", "type_back": type_back, **changes}
    return an_approval(name, terms, outer={"tries_left": {"type_back": 0}})
