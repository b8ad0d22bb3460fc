"""Telling people's screens, the operator's hook and the agent that asked.

It happens inside the unit of work that changed something.

The event says that something happened and where to look. Facts are read when it is delivered.
"""

import json
from collections.abc import Sequence
from typing import Final

from server.services.incident_records import Incident
from server.services.ports import Unit
from server.services.records import Approval, Consent

WEBHOOK: Final = "webhook"
"""The outbox channel to the operator's own hook; the worker drops it where none is configured."""


_ENDS: Final = frozenset({"approval.decided", "approval.cancelled", "approval.expired"})
"""After these there is something to say to an agent that is called back (CIBA 10.2, 10.3)."""


def approval(tx: Unit, subject: Approval, event: str) -> None:
    """Something happened to an approval; a phantom has no screens."""
    if subject.delivery != "poll" and event in _ENDS:
        said = {"approval": subject.id, "event": event}
        tx.outbox.add(subject.delivery, subject.agent_id, json.dumps(said))
    if subject.user_id is not None:
        tx.feed.add(subject.user_id, event, approval_id=subject.id)
    _hook(
        tx,
        event,
        {
            "approval": subject.id,
            "agent": subject.agent_id,
            "risk": subject.risk,
            "kind": subject.kind,
        },
    )


def device(tx: Unit, user_id: str, event: str, device_id: str) -> None:
    """Something happened to one of the user's devices; all of them show it."""
    tx.feed.add(user_id, event, device_id=device_id)
    _hook(tx, event, {"user": user_id, "device": device_id})


def consent(tx: Unit, subject: Consent, event: str) -> None:
    """A consent was given or revoked; the operator's hook is told."""
    _hook(tx, event, {"consent": subject.id, "client": subject.client_id})


def incident(tx: Unit, subject: Incident, event: str, owners: Sequence[str]) -> None:
    """Somebody reported a request: the owners of the agents and the operator's hook are told."""
    for user_id in owners:
        tx.feed.add(user_id, event)
    facts = {"incident": subject.id, "approval": subject.approval_id, "user": subject.user_id}
    _hook(tx, event, facts)


def alarm(tx: Unit, event: str, *, user_id: str | None = None, **facts: str) -> None:
    """Something that somebody should look at."""
    if user_id is not None:
        tx.feed.add(user_id, event)
    _hook(tx, event, ({"user": user_id} if user_id else {}) | facts)


def _hook(tx: Unit, event: str, facts: dict[str, str]) -> None:
    body = {"event": event, "at": tx.now, **facts}
    tx.outbox.add(WEBHOOK, "", json.dumps(body, sort_keys=True, separators=(",", ":")))
