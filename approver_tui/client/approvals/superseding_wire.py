"""Which earlier request a newer one took the place of, as the server's JSON has it.

Owns: the member `supersedes` of an approval. Never: the rest of it; that is wire.py.
"""

from approver_tui.client.reading import JsonObject
from approver_tui.state.approvals.approvals import ReplacedRequest


def read_earlier(members: JsonObject | None) -> ReplacedRequest | None:
    """Return the earlier request; nothing where there is none."""
    if members is None:
        return None
    return ReplacedRequest(id=members.text("id"), fingerprint=members.safe("fingerprint"))
