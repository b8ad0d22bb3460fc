"""From records to the bodies of the administration API."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from server.http import admin_wire as wire
from server.http import log_wire
from server.http.decider_wire import decided_by
from server.http.delivery_wire import devices
from server.http.narrowing_wire import granted
from server.http.outcome_wire import execution
from server.http.wire import Named, pin
from server.protocol import base64url, decisions, errors, names
from server.services import icons, narrowings, power
from server.services.approval_records import Decision
from server.services.delegations import Held
from server.services.displays import rfc3339
from server.services.enrolment import IssuedCode
from server.services.keys import Rotated
from server.services.oversight import Seen
from server.services.records import (
    ActionRow,
    Agent,
    Device,
    Resource,
    Secret,
    SigningKey,
    StoredEntry,
    User,
)
from server.services.resources import NewResourceSecret

_MOST_CURSOR = 2_000


def user(record: User) -> wire.ManagedUser:
    """A person as JSON."""
    return wire.ManagedUser(**_user(record))


def user_sheet(record: User, devices: Iterable[Device]) -> wire.UserSheet:
    """A person and their devices as JSON."""
    return wire.UserSheet(**_user(record), devices=[device(one, record) for one in devices])


def code(record: User, issued: IssuedCode) -> wire.EnrolmentCode:
    """A fresh code as JSON."""
    return wire.EnrolmentCode(
        user=user(record), enrolment_code=issued.code, expires_at=rfc3339(issued.expires_at)
    )


def device(record: Device, of: User | None) -> wire.ManagedDevice:
    """Somebody's device as JSON."""
    return wire.ManagedDevice(
        id=record.id,
        name=record.name,
        kind=record.kind,
        state=record.state,
        user=Named(id=record.user_id, name=of.name if of else record.user_id),
        created_at=rfc3339(record.created_at),
        last_seen_at=moment(record.last_seen_at),
        high_from=rfc3339(record.high_from),
        pin=pin(record),
    )


def agent(record: Agent, called: Mapping[str, str]) -> wire.ManagedAgent:
    """An agent as JSON; `called` are the names of people by their ids."""
    return wire.ManagedAgent(
        client_id=record.id,
        name=record.name,
        description=record.description,
        state=record.state,
        owners=_people(record.owners, called),
        auth_method=record.auth_method,
        auth_before=record.auth_before,
        auth_before_until=moment(record.auth_before_until),
        grant_types=list(record.grant_types),
        delivery=record.delivery,
        backchannel_client_notification_endpoint=record.notification_endpoint,
        backchannel_user_code_parameter=record.takes_user_code,
        high_grants=record.high_grants,
        interactive=record.interactive,
        resources=list(record.resources),
        scopes=list(record.scopes),
        only={uri: list(may) for uri, may in record.only.items()},
        serves=list(record.serves),
        labels=list(record.labels),
        external_id=record.external_id,
        review_at=moment(record.review_at),
        icon=icons.path(record),
        token_seconds=record.token_seconds,
        action_types=None if record.action_types is None else list(record.action_types),
        asks=None if record.asks is None else _people(record.asks, called),
        id_token_signed_response_alg=record.id_token_alg,
        dpop_bound_access_tokens=record.dpop_bound,
        backchannel_authentication_request_signing_alg=record.request_alg,
        secrets=[secret(one) for one in record.secrets],
        keys=[dict(key) for key in record.jwks],
        key_uses={key["kid"]: moment(record.key_uses.get(key["kid"])) for key in record.jwks},
        expires_at=moment(record.expires_at),
        created_at=rfc3339(record.created_at),
        named_at=rfc3339(record.named_at),
        version=power.version(record),
    )


def resource(record: Resource) -> wire.ManagedResource:
    """A protected API as JSON."""
    return wire.ManagedResource(
        id=names.name_id(record.uri),
        uri=record.uri,
        scopes={name: str(risk) for name, risk in record.scopes.items()},  # type: ignore[misc]  # the risks are these words
        requires=dict(record.requires),
        token_seconds=record.token_seconds,
        client_id=record.client_id,
        secrets=[secret(one) for one in record.secrets],
        created_at=rfc3339(record.created_at),
        version=power.version(record),
    )


def resource_secret(given: NewResourceSecret) -> wire.GivenResourceSecret:
    """A protected API with its fresh secret as JSON."""
    return wire.GivenResourceSecret(resource=resource(given.resource), client_secret=given.secret)


def action(record: ActionRow) -> wire.ManagedAction:
    """An action type as JSON."""
    return wire.ManagedAction(
        id=names.name_id(record.type),
        type=record.type,
        revision=record.version,
        document=record.document,
        created_at=rfc3339(record.created_at),
        version=power.version(record),
    )


def key(record: SigningKey) -> wire.ManagedKey:
    """A signing key as JSON."""
    return wire.ManagedKey(
        kid=record.kid,
        alg=record.alg,
        state=record.state,
        created_at=rfc3339(record.created_at),
        retires_at=moment(record.retires_at),
    )


def rotated(record: Rotated) -> wire.RotatedKey:
    """A rotation as JSON."""
    return wire.RotatedKey(
        key=key(record.key),
        retiring=[one.kid for one in record.retiring],
        dropped=list(record.dropped),
    )


def entry(record: StoredEntry) -> log_wire.LogEntry:
    """An entry of the log as JSON."""
    return log_wire.LogEntry(
        id=record.id,
        at=rfc3339(record.at),
        type=record.type,
        actor=record.actor,
        correlation_id=record.correlation_id,
        members=json.loads(record.body),
        names=dict(record.names),
        leaf=record.leaf.hex(),
    )


def approval(seen: Seen) -> wire.ManagedApproval:
    """Somebody's request as JSON."""
    return wire.ManagedApproval(**_approval(seen))


def approval_sheet(seen: Seen) -> wire.ApprovalSheet:
    """Somebody's request, whole."""
    return wire.ApprovalSheet(
        **_approval(seen),
        action=seen.approval.action,
        display=seen.approval.display,
        action_digest=seen.approval.action_digest,
        display_digest=seen.approval.display_digest,
        decided_by=decided_by(seen.approval),
        execution=execution(seen.execution),
        granted=granted(seen.approval),
        decisions=[_answer(decision) for decision in seen.decisions],
        devices=devices(seen.deliveries) or [],
        entries=[entry(one) for one in seen.entries],
    )


def delegation(held: Held, now: int) -> wire.ManagedDelegation:
    """An issued token as JSON."""
    one = held.delegation
    user = None if held.user is None else Named(id=held.user.id, name=held.user.name)
    return wire.ManagedDelegation(
        id=one.id,
        state=held.state(now),
        client=Named(id=one.client_id, name=held.client_name),
        user=user,
        resource=one.resource,
        scope=one.scope.split(),
        actors=[Named(id=actor, name=name) for actor, name in held.actors],
        depth=one.depth,
        parent=one.parent_id,
        approval=one.approval_id,
        consent=one.consent_id,
        bound=one.jkt is not None,
        issued_at=rfc3339(one.issued_at),
        expires_at=rfc3339(one.expires_at),
        last_used_at=moment(one.last_used_at),
        revoked_at=moment(one.revoked_at),
    )


def moment(at: int | None) -> str | None:
    """A time, or never."""
    return None if at is None else rfc3339(at)


def tag(version: str) -> dict[str, str]:
    """The version as the header that `If-Match` repeats (RFC 9110 8.8.3)."""
    return {"ETag": f'"{version}"'}


def write_cursor(place: str | None) -> str | None:
    """Where a list goes on, as something that nobody should read anything into."""
    if place is None:
        return None
    return base64url.encode(place.encode())


def read_cursor(text: str | None) -> str:
    """The place in a cursor of ours; "" for the beginning. Raises errors.Problem 422."""
    if not text:
        return ""
    try:
        place = base64url.decode(text[:_MOST_CURSOR]).decode()
    except ValueError:
        place = "\x00"
    if not place.isprintable():
        raise errors.Problem(422, "invalid_body", "cursor must be the `next` of an earlier answer.")
    return place


def _user(record: User) -> dict[str, Any]:
    return {
        "id": record.id,
        "name": record.name,
        "email": record.email,
        "roles": list(record.roles),
        "state": record.state,
        "backup": record.backup,
        "created_at": rfc3339(record.created_at),
        "disabled_at": moment(record.disabled_at),
        "version": power.version(record),
    }


def _approval(seen: Seen) -> dict[str, Any]:
    record = seen.approval
    return {
        "id": record.id,
        "state": str(record.state),
        "reason": record.reason,
        "risk": str(record.risk),
        "headline": narrowings.headline(record),
        "fingerprint": decisions.fingerprint(record.action_digest),
        "agent": Named(id=record.agent_id, name=seen.client_name),
        "user": Named(id=seen.user.id, name=seen.user.name) if seen.user else None,
        "resource": record.resource,
        "scope": record.scope.split(),
        "created_at": rfc3339(record.created_at),
        "expires_at": rfc3339(record.expires_at),
        "seen_at": moment(record.seen_at),
        "decided_at": moment(record.decided_at),
    }


def _answer(record: Decision) -> wire.GivenAnswer:
    return wire.GivenAnswer(
        decision=record.decision,
        user=record.user_id,
        device=record.device_id,
        code=record.code,
        note=record.note,
        reason=record.reason,
        ceremony=record.ceremony,
        channel=record.channel,
        jws=record.jws,
        at=rfc3339(record.at),
    )


def secret(record: Secret) -> wire.ClientSecret:
    """Everything about a secret but the secret."""
    return wire.ClientSecret(
        id=record.id,
        hint=record.hint,
        created_at=rfc3339(record.created_at),
        expires_at=moment(record.expires_at),
        last_used_at=moment(record.last_used_at),
    )


def _people(ids: Iterable[str], called: Mapping[str, str]) -> list[Named]:
    return [Named(id=user_id, name=called.get(user_id, user_id)) for user_id in ids]
