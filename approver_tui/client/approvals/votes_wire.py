"""The votes of several people in the server's JSON.

Owns: parsing them strictly. Never: HTTP.
"""

from approver_tui.client.reading import JsonObject
from approver_tui.state.approvals.decision import Answer
from approver_tui.state.approvals.votes import Vote, VoteTally
from approver_tui.state.text import display_safe

_LONGEST_NAME = 100
_LONGEST_REASON = 500


def read_votes(members: JsonObject | None) -> VoteTally | None:
    """Return the votes; None if only one user is asked."""
    if members is None:
        return None
    return VoteTally(
        need=members.integer("need"),
        have=members.integer("have"),
        left=tuple(display_safe(name, max_len=_LONGEST_NAME) for name in members.texts("left")),
        votes=tuple(_read_vote(vote) for vote in members.children("answers")),
    )


def _read_vote(members: JsonObject) -> Vote:
    by = members.child("by")
    return Vote(
        by_id=by.safe("id"),
        by_name=by.safe("name"),
        answer=members.choice("decision", Answer),
        at=members.time("at"),
        counts=members.boolean("counts"),
        reason=members.safe_or_none("reason", max_len=_LONGEST_REASON),
    )
