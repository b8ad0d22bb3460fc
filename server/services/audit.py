"""The closed list of what the log may say, and how a use case says it.

An entry is written inside the unit of work whose effect it tells, so one exists exactly when the
other does. A refusal changes nothing; its entry is a unit of work of its own.
"""

from enum import StrEnum
from typing import Final

from server.protocol.names import PREFIX_APP
from server.services.ports import Unit
from server.services.records import Entry

OPERATOR: Final = "operator"
"""Whoever can read the data folder and runs `sayso`."""
SYSTEM: Final = "system"
"""The server itself: clocks that ran out."""


class Type(StrEnum):
    """What an entry can be about. A retired name is never used again with another meaning."""

    INSTALLATION_INITIALIZED = "installation.initialized"
    INSTALLATION_RESTORED = "installation.restored"
    USER_ADDED = "user.added"
    USER_UPDATED = "user.updated"
    USER_DISABLED = "user.disabled"
    USER_ENABLED = "user.enabled"
    USER_UNLOCKED = "user.unlocked"
    CODE_ISSUED = "code.issued"
    CODE_USED = "code.used"
    CODE_REFUSED = "code.refused"
    CODE_REUSED = "code.reused"
    SESSION_REVOKED = "session.revoked"
    REFRESH_REUSED = "refresh.reused"
    DEVICE_ADMITTED = "device.admitted"
    USER_CODE_SET = "user_code.set"
    USER_CODE_CLEARED = "user_code.cleared"
    DEPUTY_NAMED = "deputy.named"
    DEPUTY_ENDED = "deputy.ended"
    QUIET_HOURS_SET = "quiet_hours.set"
    QUIET_HOURS_CLEARED = "quiet_hours.cleared"
    AGENT_MUTED = "agent.muted"
    AGENT_UNMUTED = "agent.unmuted"
    APPROVAL_SNOOZED = "approval.snoozed"
    APPROVAL_WOKEN = "approval.woken"
    DEVICE_ENROLLED = "device.enrolled"
    DEVICE_RENAMED = "device.renamed"
    DEVICE_REVOKED = "device.revoked"
    DEVICE_LOCKED = "device.locked"
    DEVICE_UNLOCKED = "device.unlocked"
    DEVICE_ENABLED = "device.enabled"
    DEVICE_VOUCHED = "device.vouched"
    PASSKEY_REFUSED = "passkey.refused"
    PUSH_SUBSCRIBED = "push.subscribed"
    PUSH_UNSUBSCRIBED = "push.unsubscribed"
    GROUP_ADDED = "group.added"
    GROUP_UPDATED = "group.updated"
    GROUP_DELETED = "group.deleted"
    AGENT_ADDED = "agent.added"
    AGENT_UPDATED = "agent.updated"
    AGENT_RENAMED = "agent.renamed"
    AGENT_DISABLED = "agent.disabled"
    AGENT_QUARANTINED = "agent.quarantined"
    AGENT_ENABLED = "agent.enabled"
    AGENT_ORPHANED = "agent.orphaned"
    AGENT_ADOPTED = "agent.adopted"
    AGENT_PAUSED = "agent.paused"
    AGENT_SECRET_ROTATED = "agent.secret_rotated"  # noqa: S105  # a name, not a secret
    AGENT_AUTH_CHANGED = "agent.auth_changed"
    AGENT_DELETED = "agent.deleted"
    OUTBOX_RETRIED = "outbox.retried"
    INVITATION_ISSUED = "invitation.issued"
    INVITATION_REVOKED = "invitation.revoked"
    APP_ADDED = "app.added"
    APP_UPDATED = "app.updated"
    APP_SECRET_ROTATED = "app.secret_rotated"  # noqa: S105  # a name, not a secret
    APP_DELETED = "app.deleted"
    PASSWORD_SET = "password.set"  # noqa: S105  # a name, not a secret
    PASSWORD_REMOVED = "password.removed"  # noqa: S105  # likewise
    SIGN_IN_DONE = "sign_in.done"
    SIGN_IN_FAILED = "sign_in.failed"
    SIGN_IN_ENDED = "sign_in.ended"
    GRANT_GIVEN = "grant.given"
    GRANT_REFUSED = "grant.refused"
    GRANT_REUSED = "grant.reused"
    RESOURCE_ADDED = "resource.added"
    RESOURCE_UPDATED = "resource.updated"
    RESOURCE_SECRET_ROTATED = "resource.secret_rotated"  # noqa: S105  # a name, not a secret
    RESOURCE_DELETED = "resource.deleted"
    ACTION_ADDED = "action.added"
    ACTION_UPDATED = "action.updated"
    ACTION_DELETED = "action.deleted"
    KEY_ADDED = "key.added"
    KEY_RETIRED = "key.retired"
    KEY_REVOKED = "key.revoked"
    KEY_DROPPED = "key.dropped"
    APPROVAL_REQUESTED = "approval.requested"
    APPROVAL_REFUSED = "approval.refused"
    APPROVAL_VOTED = "approval.voted"
    APPROVAL_APPROVED = "approval.approved"
    APPROVAL_ALLOWED = "approval.allowed"
    APPROVAL_DENIED = "approval.denied"
    APPROVAL_EXPIRED = "approval.expired"
    APPROVAL_CANCELLED = "approval.cancelled"
    APPROVAL_ESCALATED = "approval.escalated"
    APPROVAL_EXTENDED = "approval.extended"
    APPROVAL_RETRY_ASKED = "approval.retry_asked"
    APPROVAL_LOCKED = "approval.locked"
    INCIDENT_OPENED = "incident.opened"
    INCIDENT_CLOSED = "incident.closed"
    CONSENT_GIVEN = "consent.given"
    CONSENT_REVOKED = "consent.revoked"
    STANDING_GRANT_GIVEN = "standing_grant.given"
    STANDING_GRANT_ENDED = "standing_grant.ended"
    APPROVAL_CONSUMED = "approval.consumed"
    APPROVAL_REUSED = "approval.reused"
    APPROVAL_EXECUTED = "approval.executed"
    APPROVAL_DIFFERED = "approval.differed"
    TOKEN_REVOKED = "token.revoked"  # noqa: S105  # a name, not a secret
    TOKEN_ISSUED = "token.issued"  # noqa: S105  # a name, not a secret
    TOKEN_REFUSED = "token.refused"  # noqa: S105  # a name, not a secret
    POLICY_SET = "policy.set"
    EXCHANGE_REFUSED = "exchange.refused"
    REFUSALS_COUNTED = "refusals.counted"
    CALLBACK_LOST = "callback.lost"
    HANDLE_REUSED = "handle.reused"


def record(tx: Unit, entry: Entry) -> str:
    """Write the entry in this unit of work; returns its id."""
    return tx.audit.add(entry)


def by_user(user_id: str) -> str:
    """The actor of what a person did."""
    return f"user:{user_id}"


def by_client(client_id: str) -> str:
    """The actor of what an agent or an app did."""
    return f"{'app' if client_id.startswith(PREFIX_APP) else 'agent'}:{client_id}"


def by_resource(client_id: str) -> str:
    """The actor of what a resource did."""
    return f"resource:{client_id}"


def by_agent(agent_id: str) -> str:
    """The actor of what an agent did."""
    return f"agent:{agent_id}"
