"""Events for people's screens, the webhook, the requesting agent and browsers.

They are added in the unit of work of the change. An event contains only IDs; details are read when
it is delivered.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Final

from server.model.approvals import Approval
from server.model.consents import Consent
from server.model.incidents import Incident
from server.model.notifications import WEBHOOK
from server.model.reactions import AgentAnnounced, DeviceUnlocked
from server.model.standing_grants import StandingGrant
from server.model.store import Unit
from server.services.notifications import attention
from server.services.server_policy import ServerPolicy

_NOBODY: Final = ""
_END_EVENTS: Final = frozenset({"approval.decided", "approval.cancelled", "approval.expired"})
"""The events that cause a callback to agents with ping or push delivery (CIBA 10.2, 10.3)."""


def approval(
    tx: Unit, subject: Approval, event: str, *, call_after_ms: int = 0, screens: bool = True
) -> None:
    """Add an event about an approval, for everyone it asks.

    A request that asks nobody also adds an event, so that its long polls are answered equally fast.
    """
    if subject.delivery != "poll" and event in _END_EVENTS:
        body = json.dumps({"approval": subject.id, "event": event})
        tx.outbox.add(subject.delivery, subject.agent_id, body, after_ms=call_after_ms)
    people = [approver.user_id for approver in tx.approvers.list_for(subject)] or [_NOBODY]
    for user_id in people if screens else ():
        tx.feed.add(user_id, event, approval_id=subject.id)
    _add_webhook(tx, event, _facts(subject))


def requested(
    tx: Unit, subject: Approval, policy: ServerPolicy, event: str = "approval.requested"
) -> None:
    """Notify everyone a request asks. The webhook event says whether anyone is notified.

    The order is the same for every request, so that requests cannot deadlock: `attention` locks
    each person in turn.
    """
    people = sorted(person.user_id for person in tx.approvers.list_for(subject))
    notified = [attention.notify(tx, subject, user_id, event, policy) for user_id in people]
    _add_webhook(tx, event, {**_facts(subject), "notify": any(notified)})


def requested_of_nobody(tx: Unit, subject: Approval, phantom_id: str, policy: ServerPolicy) -> None:
    """Take the same steps for a request for an unknown user as for a known one."""
    event = "approval.requested"
    attention.notify(tx, subject, phantom_id, event, policy, phantom=True)
    _add_webhook(tx, event, {**_facts(subject), "notify": False})


def digest(tx: Unit, user_id: str, highest: Approval, pending: int) -> None:
    """Notify a person once of all requests that were held back; `highest` has the highest risk."""
    tx.feed.add(user_id, attention.DIGEST, approval_id=highest.id)
    attention.push_all(tx, user_id, attention.ASK, highest.id)
    facts = {"user": user_id, "approval": highest.id, "waiting": pending, "notify": True}
    _add_webhook(tx, attention.DIGEST, facts)


def device(tx: Unit, user_id: str, event: str, device_id: str) -> None:
    """Add an event about a device, for all screens of its user."""
    tx.feed.add(user_id, event, device_id=device_id)
    _add_webhook(tx, event, {"user": user_id, "device": device_id})


def consent(tx: Unit, subject: Consent, event: str) -> None:
    """Add a webhook event about a consent."""
    _add_webhook(tx, event, {"consent": subject.id, "client": subject.client_id})


def standing_grant(tx: Unit, subject: StandingGrant, event: str) -> None:
    """Add an event about a standing grant, for the screens of its user."""
    tx.feed.add(subject.user_id, event)
    _add_webhook(tx, event, {"standing_grant": subject.id, "agent": subject.agent_id})


def incident_opened(tx: Unit, subject: Incident, owned: Sequence[tuple[str, str]] = ()) -> None:
    """Add an event about a new incident, for the owners of its agents."""
    event = "alarm.incident_opened"
    for user_id, agent_id in owned:
        tx.feed.add(user_id, event, agent_id=agent_id, incident_id=subject.id)
    facts = {"incident": subject.id, "approval": subject.approval_id, "user": subject.user_id}
    _add_webhook(tx, event, facts)


def agent_announced(tx: Unit, event: AgentAnnounced) -> None:
    """Handle `AgentAnnounced`."""
    agent(tx, event.agent_id, event.event, event.people)


def device_unlocked(tx: Unit, event: DeviceUnlocked) -> None:
    """Handle `DeviceUnlocked`."""
    device(tx, event.user_id, "device.unlocked", event.device_id)


def agent(
    tx: Unit, agent_id: str, event: str, people: Sequence[str], incident_id: str | None = None
) -> None:
    """Add an event about an agent, for the screens of these people."""
    for user_id in people:
        tx.feed.add(user_id, event, agent_id=agent_id, incident_id=incident_id)
    facts = {"agent": agent_id} | ({"incident": incident_id} if incident_id else {})
    _add_webhook(tx, event, facts)


def alarm(tx: Unit, event: str, *, user_id: str | None = None, **facts: str) -> None:
    """Add an event that needs attention, for one user or only the webhook."""
    if user_id is not None:
        tx.feed.add(user_id, event)
    _add_webhook(tx, event, ({"user": user_id} if user_id else {}) | facts)


def _facts(subject: Approval) -> dict[str, str]:
    return {
        "approval": subject.id,
        "agent": subject.agent_id,
        "risk": subject.risk,
        "kind": subject.kind,
    }


def _add_webhook(tx: Unit, event: str, facts: Mapping[str, object]) -> None:
    body = {"event": event, "at": tx.now, **facts}
    tx.outbox.add(WEBHOOK, "", json.dumps(body, sort_keys=True, separators=(",", ":")))
