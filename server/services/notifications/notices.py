"""Telling people's screens, the operator's hook and the agent that asked.

It happens inside the unit of work that changed something.

The event says that something happened and where to look. Facts are read when it is delivered.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Final

from server.model.approvals import Approval
from server.model.consents import Consent
from server.model.incidents import Incident
from server.model.reactions import AgentAnnounced, DeviceUnlocked
from server.model.standing_grants import StandingGrant
from server.model.store import Unit
from server.services.notifications import attention, push_targets
from server.services.server_policy import ServerPolicy

WEBHOOK: Final = "webhook"
"""The outbox channel to the operator's own hook; the worker drops it where none is configured."""


_NOBODY: Final = ""
_ENDS: Final = frozenset({"approval.decided", "approval.cancelled", "approval.expired"})
"""After these there is something to say to an agent that is called back (CIBA 10.2, 10.3)."""


def approval(
    tx: Unit, subject: Approval, event: str, *, call_after_ms: int = 0, screens: bool = True
) -> None:
    """Something happened to an approval; everybody whom it asks is told.

    A poll of a phantom that is held wakes by the same event, so it is answered as soon.
    """
    if subject.delivery != "poll" and event in _ENDS:
        said = {"approval": subject.id, "event": event}
        tx.outbox.add(subject.delivery, subject.agent_id, json.dumps(said), after_ms=call_after_ms)
    people = [one.user_id for one in tx.approvers.asked(subject)] or [_NOBODY]
    for user_id in people if screens else ():
        tx.feed.add(user_id, event, approval_id=subject.id)
    _hook(tx, event, _facts(subject))


def asked(
    tx: Unit, subject: Approval, rules: ServerPolicy, event: str = "approval.requested"
) -> None:
    """A request is put to everybody whom it asks; the hook is told whether it notifies any."""
    people = tx.approvers.asked(subject)
    rung = [attention.ring(tx, subject, one.user_id, event, rules) for one in people]
    _hook(tx, event, {**_facts(subject), "notify": any(rung)})


def asked_of_nobody(tx: Unit, subject: Approval, phantom_id: str, rules: ServerPolicy) -> None:
    """A request for nobody takes the same steps as one for a user; the webhook gets it."""
    event = "approval.requested"
    attention.rehearse(tx, subject, phantom_id, event, rules)
    _hook(tx, event, {**_facts(subject), "notify": False})


def digest(tx: Unit, user_id: str, gravest: Approval, waiting: int) -> None:
    """A person is called once for all that was held back from them; the gravest is named."""
    tx.feed.add(user_id, attention.DIGEST, approval_id=gravest.id)
    push_targets.ring(tx, user_id, gravest.id)
    facts = {"user": user_id, "approval": gravest.id, "waiting": waiting, "notify": True}
    _hook(tx, attention.DIGEST, facts)


def device(tx: Unit, user_id: str, event: str, device_id: str) -> None:
    """Something happened to one of the user's devices; all of them show it."""
    tx.feed.add(user_id, event, device_id=device_id)
    _hook(tx, event, {"user": user_id, "device": device_id})


def consent(tx: Unit, subject: Consent, event: str) -> None:
    """A consent was given or revoked; the operator's hook is told."""
    _hook(tx, event, {"consent": subject.id, "client": subject.client_id})


def standing_grant(tx: Unit, subject: StandingGrant, event: str) -> None:
    """An answer was given ahead, or counts no more: its person's screens and the hook are told."""
    tx.feed.add(subject.user_id, event)
    _hook(tx, event, {"standing_grant": subject.id, "agent": subject.agent_id})


def incident(tx: Unit, subject: Incident, event: str, owned: Sequence[tuple[str, str]]) -> None:
    """Somebody reported a request: each owner of each agent is told, and the operator's hook."""
    for user_id, agent_id in owned:
        tx.feed.add(user_id, event, agent_id=agent_id, incident_id=subject.id)
    facts = {"incident": subject.id, "approval": subject.approval_id, "user": subject.user_id}
    _hook(tx, event, facts)


def agent_announced(tx: Unit, event: AgentAnnounced) -> None:
    """Tell what an announcement of an agent says."""
    agent(tx, event.agent_id, event.event, event.people)


def device_unlocked(tx: Unit, event: DeviceUnlocked) -> None:
    """Tell that an administrator unlocked a device."""
    device(tx, event.user_id, "device.unlocked", event.device_id)


def agent(
    tx: Unit, agent_id: str, event: str, people: Sequence[str], incident_id: str | None = None
) -> None:
    """Something happened to an agent; these people's screens and the hook are told."""
    for user_id in people:
        tx.feed.add(user_id, event, agent_id=agent_id, incident_id=incident_id)
    facts = {"agent": agent_id} | ({"incident": incident_id} if incident_id else {})
    _hook(tx, event, facts)


def alarm(tx: Unit, event: str, *, user_id: str | None = None, **facts: str) -> None:
    """Something that somebody should look at."""
    if user_id is not None:
        tx.feed.add(user_id, event)
    _hook(tx, event, ({"user": user_id} if user_id else {}) | facts)


def _facts(subject: Approval) -> dict[str, str]:
    return {
        "approval": subject.id,
        "agent": subject.agent_id,
        "risk": subject.risk,
        "kind": subject.kind,
    }


def _hook(tx: Unit, event: str, facts: Mapping[str, object]) -> None:
    body = {"event": event, "at": tx.now, **facts}
    tx.outbox.add(WEBHOOK, "", json.dumps(body, sort_keys=True, separators=(",", ":")))
