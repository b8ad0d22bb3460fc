"""An agent takes its own request back: nobody needs to answer it any more."""

import hashlib
from typing import Final

from server.services import audit
from server.services.ports import Unit
from server.services.withdrawals import withdraw

WITHDRAWN: Final = "withdrawn"
"""Why it is over, in the record and on people's screens."""


def cancel(tx: Unit, client_id: str, handle: str) -> bool:
    """End the request behind this `auth_req_id`, if it is this client's and still open.

    Reports whether it did. What was redeemed is not undone; its token can be given back itself.
    """
    approval = tx.approvals.by_handle(hashlib.sha256(handle.encode()).digest())
    if approval is None or approval.agent_id != client_id:
        return False
    return withdraw(tx, [approval], reason=WITHDRAWN, actor=audit.by_agent(client_id)) > 0
