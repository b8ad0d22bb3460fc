"""Queues web push messages to the browsers of a person."""

import json
from typing import Final, Literal, TypeAlias

from server.model.store import Unit

WEB_PUSH: Final = "web_push"
"""The outbox channel of web push; its targets are the origins of push services."""
ASK: Final = "ask"
TEST: Final = "test"
DORMANT: Final = "dormant"
CHECK: Final = "check"
ENDED: Final = "ended"
"""Someone else revoked a device of this person. The device gets it too, as its last message."""
COPIED: Final = "copied"
"""A copy of one of the person's passkeys may be in use."""
PushKind: TypeAlias = Literal["ask", "test", "dormant", "check", "ended", "copied"]


def notify(tx: Unit, user_id: str, approval_id: str) -> None:
    """Push a request to all browsers of a person."""
    for subscription_id, origin in tx.pushes.targets(user_id):
        send(tx, origin, subscription_id, ASK, approval_id)


def notify_all(tx: Unit, user_id: str, kind: PushKind) -> None:
    """Push a message that is not about a request to all browsers of a person."""
    for subscription_id, origin in tx.pushes.targets(user_id):
        send(tx, origin, subscription_id, kind)


def send(
    tx: Unit, origin: str, subscription_id: str, kind: PushKind, approval_id: str = ""
) -> None:
    """Queue one message to one browser."""
    message = {"kind": kind, "push": subscription_id, "approval": approval_id}
    tx.outbox.add(WEB_PUSH, origin, json.dumps(message))
