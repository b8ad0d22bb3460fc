"""Requests that several people are asked about, for screens and pictures.

Owns: votes, a part that somebody has chosen, tries that are used up. Never: the network.
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
    """Return somebody's yes."""
    by = {"id": user, "name": name}
    return {"by": by, "decision": "approve", "at": _AT, "counts": counts, "reason": reason}


def of_two(*votes: Mapping[str, object], **more: object) -> dict[str, object]:
    """Return what the server says beside a request that takes two people of finance."""
    have = sum(bool(vote["counts"]) for vote in votes)
    vote_tally = {"need": 2, "have": have, "left": ["finance"], "answers": list(votes)}
    return {"vote_tally": vote_tally, **more}


def a_shared(name: str = "pay", *votes: Mapping[str, object], **changes: object) -> Approval:
    """Return a payment that takes two people."""
    terms = {**PAYMENT, "details": _DETAILS, **changes}
    return an_approval(name, terms, outer=of_two(*votes))


def a_part(name: str = "pay", *votes: Mapping[str, object], **changes: object) -> Approval:
    """Return the same, of which somebody has approved 500.00 alone."""
    whole = a_shared(name, *votes, **changes)
    text = whole.action_text.replace("482000", "50000")
    change = {"label": "Amount", "asked": "EUR 4,820.00", "granted": "EUR 500.00"}
    told = whole.headline.replace("4,820.00", "500.00")
    granted = {"text": text, "digest": digest(text), "headline": told, "changes": [change]}
    terms = {**PAYMENT, "details": _DETAILS, **changes}
    return an_approval(name, terms, outer=of_two(*votes, granted=granted))


def a_locked(name: str = "pay", **changes: object) -> Approval:
    """Return a payment whose fact was typed wrongly twice."""
    asked = json.loads(
        '{"label": "Amount", "kind": "money", "at": "/authorization_details/0/amount"}'
    )
    terms = {**PAYMENT, "ceremony": "pin+type_back", "type_back": asked, **changes}
    return an_approval(name, terms, outer={"tries_left": {"type_back": 0}})
