"""The earlier request that a newer one replaced, in the server's JSON.

Owns: the member `supersedes` of an approval. Never: the rest of it; wire.py has that.
"""

from approver_tui.client.reading import JsonObject
from approver_tui.state.approvals.approvals import ReplacedRequest


def read_replaced_request(members: JsonObject | None) -> ReplacedRequest | None:
    """Return the earlier request, or None."""
    if members is None:
        return None
    return ReplacedRequest(id=members.text("id"), fingerprint=members.safe("fingerprint"))
