"""The types of audit entries, writing them, and which of their facts are personal.

An entry is written in the unit of work whose effect it records, so neither exists without the
other. The entry of a refusal, which has no effect, has its own unit of work. Personal facts are
stored next to their entry. Two of them are keyed hashes of values that are not in the log.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum, StrEnum
from typing import Final

from server.lazy_imports import lazily
from server.model.audit import Entry, StoredLeaf
from server.model.ports import Secrets
from server.protocol.names import PREFIX_AGENT, is_app

with lazily():
    from server.model.approvals import Approval

OPERATOR: Final = "operator"
"""Anyone who runs `sayso` with access to the data folder."""
SYSTEM: Final = "system"
"""The server itself, such as when a request expires."""
_NO_FACTS: Mapping[str, object] = {}
_STORED: Final[ContextVar[list[StoredLeaf] | None]] = ContextVar("stored", default=None)
"""The entries that an API call stored, for the promises in its response."""


class Type(StrEnum):
    """The types of entries. A retired name is never reused."""

    INSTALLATION_INITIALIZED = "installation.initialized"
    """The first administrator was created."""
    INSTALLATION_RESTORED = "installation.restored"
    """A backup was restored. The entry has its date, the operator, what ended and what was kept."""
    USER_ADDED = "user.added"
    """A user was added."""
    USER_UPDATED = "user.updated"
    """The name, email address or roles of a user changed."""
    USER_DISABLED = "user.disabled"
    """A user was disabled and their requests were canceled."""
    USER_ENABLED = "user.enabled"
    """A user was enabled again."""
    USER_UNLOCKED = "user.unlocked"
    """An administrator unlocked a user's devices."""
    CODE_ISSUED = "code.issued"
    """An enrollment code was created."""
    CODE_USED = "code.used"
    """An enrollment code was exchanged for a session."""
    CODE_REFUSED = "code.refused"
    """An enrollment code was tried with a wrong secret or too late."""
    CODE_REUSED = "code.reused"
    """A used enrollment code was used again. This is an alarm."""
    SESSION_REVOKED = "session.revoked"
    """A session ended before its expiry."""
    REFRESH_REUSED = "refresh.reused"
    """An old refresh token was used, so the session was revoked. This is an alarm."""
    DEVICE_ADMITTED = "device.admitted"
    """A new device got a session after its user confirmed it on an older device."""
    USER_CODE_SET = "user_code.set"
    """A person set the user code that some agents must send."""
    USER_CODE_CLEARED = "user_code.cleared"
    """A person removed their user code."""
    DEPUTY_NAMED = "deputy.named"
    """A person named a deputy for a period, with a signature."""
    DEPUTY_ENDED = "deputy.ended"
    """A deputy's term ended: it expired or was revoked."""
    QUIET_HOURS_SET = "quiet_hours.set"
    """A person set quiet hours."""
    QUIET_HOURS_CLEARED = "quiet_hours.cleared"
    """A person removed quiet hours."""
    AGENT_MUTED = "agent.muted"
    """A person muted an agent."""
    AGENT_UNMUTED = "agent.unmuted"
    """A person unmuted an agent."""
    APPROVAL_SNOOZED = "approval.snoozed"
    """A person snoozed a request until the given time."""
    APPROVAL_WOKEN = "approval.woken"
    """A person ended a snooze."""
    DEVICE_ENROLLED = "device.enrolled"
    """A device registered its keys."""
    DEVICE_RENAMED = "device.renamed"
    """A person renamed a device."""
    DEVICE_REVOKED = "device.revoked"
    """A device was removed. `last` is true if someone else removed the user's last device."""
    DEVICE_LOCKED = "device.locked"
    """A device was locked after ten unconfirmed PINs."""
    DEVICE_UNLOCKED = "device.unlocked"
    """A user unlocked a device with another of their devices."""
    DEVICE_ENABLED = "device.enabled"
    """An administrator enabled a device that a restore had disabled."""
    DEVICE_VOUCHED = "device.vouched"
    """An older device ended a new device's waiting period early."""
    PASSKEY_REFUSED = "passkey.refused"
    """The signature counter of a passkey did not increase, so a copy may be in use."""
    PUSH_SUBSCRIBED = "push.subscribed"
    """A browser was added for notifications. The entry names only the push service."""
    PUSH_UNSUBSCRIBED = "push.unsubscribed"
    """A browser was removed. `cause` is `unsubscribed`, or `gone` if the service dropped it."""
    GROUP_ADDED = "group.added"
    """A group of approvers was created."""
    GROUP_UPDATED = "group.updated"
    """The name or members of a group changed."""
    GROUP_DELETED = "group.deleted"
    """A group was deleted."""
    AGENT_ADDED = "agent.added"
    """An agent was registered."""
    AGENT_UPDATED = "agent.updated"
    """The permissions, owners, keys or other members of an agent changed."""
    AGENT_RENAMED = "agent.renamed"
    """An agent was renamed. The entry contains both names."""
    AGENT_DISABLED = "agent.disabled"
    """An agent was disabled. The entry counts the canceled requests and revoked tokens."""
    AGENT_QUARANTINED = "agent.quarantined"
    """An agent was quarantined: it was reported, or it had no owner (`cause` is `no_owner`)."""
    AGENT_ENABLED = "agent.enabled"
    """An agent was enabled again."""
    AGENT_ORPHANED = "agent.orphaned"
    """The last enabled owner of an agent was disabled."""
    AGENT_ADOPTED = "agent.adopted"
    """An agent without an enabled owner got a new owner before the grace period ended."""
    AGENT_PAUSED = "agent.paused"
    """A user denied an agent so often that it cannot send such requests for half an hour."""
    AGENT_SECRET_ROTATED = "agent.secret_rotated"  # noqa: S105  # a name, not a secret
    """An agent got a new secret."""
    AGENT_AUTH_CHANGED = "agent.auth_changed"
    """An agent got a new authentication method. The old method works until the given time."""
    AGENT_DELETED = "agent.deleted"
    """An agent was deleted."""
    OUTBOX_RETRIED = "outbox.retried"
    """An undelivered message was sent again. The entry names its ID, channel and recipient."""
    INVITATION_ISSUED = "invitation.issued"
    """An invitation for agents to register themselves was created."""
    INVITATION_REVOKED = "invitation.revoked"
    """An invitation was revoked."""
    APP_ADDED = "app.added"
    """An app was registered."""
    APP_UPDATED = "app.updated"
    """The redirect URIs, permissions, keys or state of an app changed."""
    APP_SECRET_ROTATED = "app.secret_rotated"  # noqa: S105  # a name, not a secret
    """An app got a new secret."""
    APP_DELETED = "app.deleted"
    """An app was deleted."""
    PASSWORD_SET = "password.set"  # noqa: S105  # a name, not a secret
    """A person's password was set, and their browsers were signed out."""
    PASSWORD_REMOVED = "password.removed"  # noqa: S105  # a name, not a secret
    """A password was removed."""
    SIGN_IN_DONE = "sign_in.done"
    """A person signed in with a browser. For an app, `posture` names the method."""
    SIGN_IN_FAILED = "sign_in.failed"
    """A sign-in failed because of a wrong password, a rejected passkey, or an unknown name."""
    SIGN_IN_ENDED = "sign_in.ended"
    """A browser was signed out, and tokens that apps obtained through it were revoked."""
    GRANT_GIVEN = "grant.given"
    """An app got a code for a person. The entry names the app, agent, resource and scopes."""
    GRANT_REFUSED = "grant.refused"
    """An app's request ended without a code. The entry contains the reason."""
    GRANT_REUSED = "grant.reused"
    """An app used a code or refresh token twice, so its tokens were revoked. This is an alarm."""
    RESOURCE_ADDED = "resource.added"
    """A resource was registered."""
    RESOURCE_UPDATED = "resource.updated"
    """The scopes of a resource changed."""
    RESOURCE_SECRET_ROTATED = "resource.secret_rotated"  # noqa: S105  # a name, not a secret
    """A resource got a new secret."""
    RESOURCE_DELETED = "resource.deleted"
    """A resource was deleted and its requests were canceled."""
    ACTION_ADDED = "action.added"
    """An action type was registered."""
    ACTION_UPDATED = "action.updated"
    """An action type got a new version."""
    ACTION_DELETED = "action.deleted"
    """An action type was deleted."""
    KEY_ADDED = "key.added"
    """A signing key was created."""
    KEY_RETIRED = "key.retired"
    """A signing key no longer signs, but still verifies."""
    KEY_REVOKED = "key.revoked"
    """A signing key was revoked. Nothing that it signed is valid anymore."""
    KEY_DROPPED = "key.dropped"
    """A signing key no longer verifies."""
    AUDIT_ERASED = "audit.erased"
    """A user's personal texts were deleted from the log. The entry counts them."""
    AUDIT_TRIMMED = "audit.trimmed"
    """The contents of all entries before the given sequence number were deleted."""
    LOG_KEY_REPLACED = "log_key.replaced"
    """The private key of the audit log was replaced. The entry contains the new public key."""
    APPROVAL_REQUESTED = "approval.requested"
    """An agent sent a request."""
    APPROVAL_REFUSED = "approval.refused"
    """A request was refused before anyone was asked."""
    APPROVAL_VOTED = "approval.voted"
    """One of several approvers approved. The entry lists all approvals, including voided ones."""
    APPROVAL_VOTE_WITHDRAWN = "approval.vote_withdrawn"
    """One of several approvers withdrew their approval. The entry lists the remaining approvals."""
    APPROVAL_APPROVED = "approval.approved"
    """A request was approved. If several people approved, the entry names them."""
    APPROVAL_ALLOWED = "approval.allowed"
    """A consent or standing grant, and policy, allowed a request, so nobody was asked."""
    APPROVAL_DENIED = "approval.denied"
    """A person denied a request."""
    APPROVAL_EXPIRED = "approval.expired"
    """Nobody answered a request in time, or the agent did not fetch the tokens in time."""
    APPROVAL_CANCELLED = "approval.cancelled"
    """A request was withdrawn, replaced or canceled. The entry contains the reason."""
    APPROVAL_ESCALATED = "approval.escalated"
    """A request was still pending, so the user was reminded or someone else was asked."""
    APPROVAL_EXTENDED = "approval.extended"
    """A person extended a request until the given time."""
    APPROVAL_RETRY_ASKED = "approval.retry_asked"
    """A user asked the agent to send an expired request again."""
    APPROVAL_LOCKED = "approval.locked"
    """After two wrong entries, this user, or every user, can no longer approve the request."""
    INCIDENT_OPENED = "incident.opened"
    """A user reported a request, an agent had no owner, or a device saw a different audit log."""
    INCIDENT_CLOSED = "incident.closed"
    """An administrator closed an incident. Quarantined agents stay quarantined."""
    CONSENT_GIVEN = "consent.given"
    """A user signed a consent: a client can use scopes at a resource until a date."""
    CONSENT_REVOKED = "consent.revoked"
    """A consent was revoked, or its client or resource was deleted. The entry counts the revoked
    tokens."""
    STANDING_GRANT_GIVEN = "standing_grant.given"
    """A user signed a standing grant. The entry contains its limits."""
    STANDING_GRANT_ENDED = "standing_grant.ended"
    """A standing grant ended. The entry contains the reason and the amount used."""
    APPROVAL_CONSUMED = "approval.consumed"
    """A resource consumed an approval for one execution."""
    APPROVAL_REUSED = "approval.reused"
    """A resource tried to consume an approval a second time and was refused. This is an alarm."""
    APPROVAL_EXECUTED = "approval.executed"
    """A resource reported the outcome. The decision is `executed` or `failed`."""
    APPROVAL_DIFFERED = "approval.differed"
    """The action that ran at the resource differs from the granted action. This is an alarm."""
    TOKEN_REVOKED = "token.revoked"  # noqa: S105  # a name, not a secret
    """A client revoked its token. The entry counts the derived tokens that were revoked."""
    TOKEN_ISSUED = "token.issued"  # noqa: S105  # a name, not a secret
    """A token was issued, with or without an approval."""
    TOKEN_REFUSED = "token.refused"  # noqa: S105  # a name, not a secret
    """Policy denied an agent a token for itself. The entry names the rule."""
    POLICY_SET = "policy.set"
    """A policy was activated. The entry contains its version and hash."""
    EXCHANGE_REFUSED = "exchange.refused"
    """A token exchange was refused. The entry contains the step and the reason."""
    REFUSALS_COUNTED = "refusals.counted"
    """After twenty refusals of one kind in a minute, this entry counts the rest."""
    CALLBACK_LOST = "callback.lost"
    """A ping or push was abandoned or was too late. The entry contains the reason."""
    HANDLE_REUSED = "handle.reused"
    """An agent tried to redeem an `auth_req_id` again, without the same `Idempotency-Key`."""


ALARMS: Final = frozenset(
    {
        Type.CODE_REUSED,
        Type.REFRESH_REUSED,
        Type.GRANT_REUSED,
        Type.PASSKEY_REFUSED,
        Type.APPROVAL_REUSED,
        Type.APPROVAL_DIFFERED,
        Type.HANDLE_REUSED,
    }
)
"""The types that may show an attack."""


def by_user(user_id: str) -> str:
    """Return the actor for a user's action."""
    return f"user:{user_id}"


def by_client(client_id: str) -> str:
    """Return the actor for an agent's or app's action."""
    return f"{'app' if is_app(client_id) else 'agent'}:{client_id}"


def by_resource(client_id: str) -> str:
    """Return the actor for a resource's action, with its own or its agent's credential."""
    kind = "agent" if client_id.startswith(PREFIX_AGENT) else "resource"
    return f"{kind}:{client_id}"


def by_agent(agent_id: str) -> str:
    """Return the actor for an agent's action."""
    return f"agent:{agent_id}"


def approval_entry(
    approval: Approval,
    kind: Type,
    *,
    actor: str = SYSTEM,
    decision: str | None = None,
    cause: str | None = None,
    facts: Mapping[str, object] = _NO_FACTS,
) -> Entry:
    """Return an entry about an approval, with its agent, user, resource, action digest and risk."""
    return Entry(
        type=kind,
        actor=actor,
        agent_id=approval.agent_id,
        subject=approval.user_id,
        resource=approval.resource,
        action=approval.action_digest,
        decision=decision,
        posture=approval.risk,
        cause=cause,
        approval_id=approval.id,
        caller_id=approval.caller_id,
        facts=facts,
    )


def request_entry(approval: Approval, actor: str, facts: Mapping[str, object]) -> Entry:
    """Return the entry for a new request: what approvers see, and the steps to approve it."""
    return approval_entry(
        approval,
        Type.APPROVAL_REQUESTED,
        actor=actor,
        decision="asked",
        facts={
            "kind": approval.kind,
            "ceremony": approval.ceremony,
            "display_digest": approval.display_digest,
            "expires_at": approval.expires_at,
            "scope": approval.scope,
            "policy": json.loads(approval.policy),
            **facts,
        },
    )


class Owner(Enum):
    """The owner of a personal fact."""

    TYPED_BY = "typed by"
    """The user who acted; if no user acted, the subject."""
    ABOUT = "about"
    """The subject."""


PERSONAL: Final = (
    ("user", "name", Owner.ABOUT),
    ("device", "name", Owner.ABOUT),
    ("approval", "asked_from", Owner.ABOUT),
    ("approval", "agent_says", Owner.ABOUT),
    ("approval", "text", Owner.ABOUT),
    ("approval", "auth_req_id_hash", Owner.ABOUT),
    ("approval", "login_hint_hash", Owner.ABOUT),
    ("approval", "reason", Owner.TYPED_BY),
    ("approval", "note", Owner.TYPED_BY),
    ("incident", "note", Owner.TYPED_BY),
)
"""First word of the entry type, name of the fact, owner of the fact."""


def hash_value(secrets: Secrets, value: str) -> str:
    """Return the keyed hash that finds the entries with this value."""
    return secrets.keyed_hash("audit", value)


def hashes(secrets: Secrets, **values: str | None) -> Mapping[str, object]:
    """Return the facts that let a search for these values find an entry."""
    present = {name: value for name, value in values.items() if value is not None}
    return {f"{name}_hash": hash_value(secrets, value) for name, value in present.items()}


def owners(entry: Entry) -> dict[str, str | None]:
    """Return the names of an entry's personal facts, each with its owner's ID."""
    first_word = entry.type.partition(".")[0]
    return {
        name: _owner(entry, owner)
        for kind, name, owner in PERSONAL
        if kind == first_word and isinstance(entry.facts.get(name), str)
    }


def _owner(entry: Entry, owner: Owner) -> str | None:
    kind, _, actor = entry.actor.partition(":")
    return actor if owner is Owner.TYPED_BY and kind == "user" else entry.subject


@contextmanager
def collect_stored() -> Iterator[list[StoredLeaf]]:
    """Collect the entries that are committed while the block runs."""
    leaves = list[StoredLeaf]()
    token = _STORED.set(leaves)
    try:
        yield leaves
    finally:
        _STORED.reset(token)


def note_stored(leaves: Iterable[StoredLeaf]) -> None:
    """Note the entries of a unit of work; call this after its commit."""
    if (collected := _STORED.get()) is not None:
        collected.extend(leaves)
