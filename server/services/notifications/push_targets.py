"""Which browsers are called, inside the unit of work that rings a person."""

import json
from typing import Final, Literal, TypeAlias

from server.model.store import Unit

WEB_PUSH: Final = "web_push"
"""The outbox channel to browsers' push services; its targets are their origins."""
ASK: Final = "ask"
TEST: Final = "test"
DORMANT: Final = "dormant"
CHECK: Final = "check"
ENDED: Final = "ended"
"""Somebody else ended a device of this person; that device gets it too, as its last message."""
COPIED: Final = "copied"
"""A copy of a passkey of this person may be in use."""
Kind: TypeAlias = Literal["ask", "test", "dormant", "check", "ended", "copied"]


def ring(tx: Unit, user_id: str, approval_id: str) -> None:
    """Call all browsers of a person about a request."""
    for subscription_id, origin in tx.pushes.targets(user_id):
        send(tx, origin, subscription_id, ASK, approval_id)


def ring_all(tx: Unit, user_id: str, kind: Kind) -> None:
    """Send all browsers of a person a message that is about no request."""
    for subscription_id, origin in tx.pushes.targets(user_id):
        send(tx, origin, subscription_id, kind)


def send(tx: Unit, origin: str, subscription_id: str, kind: Kind, approval_id: str = "") -> None:
    """One message to one browser."""
    said = {"kind": kind, "push": subscription_id, "approval": approval_id}
    tx.outbox.add(WEB_PUSH, origin, json.dumps(said))
