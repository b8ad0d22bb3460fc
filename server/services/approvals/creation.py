"""Creating approvals: the signed texts and their digests.

Pages and the device grant read the state of their approvals; nobody polls them. `ciba` adds what an
agent needs to poll.
"""

import hashlib
import json
from functools import partial

from server.model.approval_requests import CreateApproval, NewApproval
from server.model.approvals import Approval
from server.model.ports import Secrets
from server.model.store import Unit
from server.protocol import json_text, names
from server.protocol.approvals import ceremonies, decisions
from server.protocol.approvals.ceremonies import CONFIRM, Ceremony, Step
from server.protocol.json_text import JsonValue
from server.protocol.policy.risks import Risk
from server.protocol.resources import scopes
from server.services.audit import audit
from server.services.notifications import notices
from server.services.policy.displays import canonical_display
from server.services.server_policy import ServerPolicy

_PIN = frozenset({Step.PIN})


def approval_creator(secrets: Secrets, server_policy: ServerPolicy) -> CreateApproval:
    """Bind `create_approval`, for packages that may not import `approvals`."""
    return partial(create_approval, secrets=secrets, server_policy=server_policy)


def create_approval(
    tx: Unit, new: NewApproval, *, secrets: Secrets, server_policy: ServerPolicy
) -> Approval:
    """Create an approval with its audit entry and events in this unit of work."""
    approval = build_approval(tx, secrets, new)
    tx.approvals.add(approval)
    record_request(tx, approval, new)
    notices.requested(tx, approval, server_policy)
    return approval


def record_request(tx: Unit, approval: Approval, new: NewApproval) -> None:
    """Write the audit entry of a request, including a phantom request."""
    tx.audit.add(audit.request_entry(approval, new.actor, {"asked_from": new.display.peer}))


def build_approval(tx: Unit, secrets: Secrets, new: NewApproval) -> Approval:
    """Build the approval without storing it. Nobody knows its handle, so it cannot be polled."""
    approval_id = secrets.new_id(names.PREFIX_APPROVAL)
    expires_at = tx.now + new.seconds * 1000
    expires_at = min(expires_at, new.no_later_than or expires_at)
    details: list[JsonValue] = [dict(detail) for detail in new.details]
    action = decisions.action_text(
        agent=new.client_id,
        authorization_details=details,
        resource=new.display.resource,
        salt=secrets.salt(),
        scope=new.scope,
        user=new.display.user.id,
    )
    display = canonical_display(
        new.display, approval_id=approval_id, asked_at=tx.now, expires_at=expires_at
    )
    return Approval(
        id=approval_id,
        auth_req_hash=_unpollable_handle(secrets),
        agent_id=new.client_id,
        user_id=None if new.phantom else new.display.user.id,
        resource=new.display.resource,
        scope=scopes.text(tuple(sorted(new.scope))),
        openid_scope="",
        details=json_text.canonical(details),
        risk=new.display.risk,
        ceremony=ceremonies.ceremony_text(_ceremony(new)),
        policy=json.dumps(dict(new.policy), separators=(",", ":"), sort_keys=True),
        action=action,
        display=display,
        action_digest=decisions.digest(action),
        display_digest=decisions.digest(display),
        created_at=tx.now,
        expires_at=expires_at,
        request_hash=hashlib.sha256(action.encode()).digest(),
        kind=new.display.kind,
    )


def _ceremony(new: NewApproval) -> Ceremony:
    """Return the requested ceremony plus the steps that the risk requires."""
    required = _PIN if new.display.risk.rank >= Risk.HIGH.rank else CONFIRM
    return required if new.ceremony is None else required | new.ceremony


def _unpollable_handle(secrets: Secrets) -> bytes:
    """Return the hash of a handle that nobody receives, so the approval cannot be polled."""
    return hashlib.sha256(secrets.new_secret(names.PREFIX_AUTH_REQ_ID).encode()).digest()
