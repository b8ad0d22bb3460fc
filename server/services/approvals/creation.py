"""Opening an approval that no backchannel request asked for: of a page, or of the device grant.

Nobody polls these. Whoever asked, a page or the device grant, reads how the approval stands.
"""

import hashlib
import json
from functools import partial

from server.model.approval_requests import SECONDS, OpenApproval, Opening
from server.model.approvals import Approval
from server.model.ports import Secrets
from server.model.store import Unit
from server.protocol import names
from server.protocol.approvals import ceremonies, decisions
from server.protocol.approvals.ceremonies import CONFIRM, Ceremony, Step
from server.protocol.approvals.states import State
from server.protocol.ciba import requests
from server.protocol.json_text import JsonValue
from server.protocol.policy.risks import Risk
from server.protocol.resources import scopes
from server.services.audit import audit
from server.services.notifications import notices
from server.services.server_policy import ServerPolicy

_PIN = frozenset({Step.PIN})


def opener(secrets: Secrets, rules: ServerPolicy) -> OpenApproval:
    """What opens approvals, for those that ask people and stand below approvals."""
    return partial(open_approval, secrets=secrets, rules=rules)


def open_approval(tx: Unit, opening: Opening, *, secrets: Secrets, rules: ServerPolicy) -> Approval:
    """Write the approval, its entry and its events in this unit of work."""
    approval = drafted(tx, secrets, opening)
    tx.approvals.add(approval)
    record(tx, approval, opening)
    notices.requested(tx, approval, rules)
    return approval


def record(tx: Unit, approval: Approval, opening: Opening) -> None:
    """Write down that it was asked, or would have been."""
    audit.record(
        tx,
        audit.approval_entry(
            approval,
            audit.Type.APPROVAL_REQUESTED,
            actor=opening.actor,
            decision="asked",
            facts={
                "kind": approval.kind,
                "display_digest": approval.display_digest,
                "expires_at": approval.expires_at,
                "scope": approval.scope,
                "asked_from": opening.peer,
            },
        ),
    )


def drafted(tx: Unit, secrets: Secrets, opening: Opening) -> Approval:
    """The approval that this would be; nothing is written."""
    approval_id = secrets.new_id(names.PREFIX_APPROVAL)
    usual = tx.now + SECONDS * 1000
    expires_at = min(usual, opening.no_later_than or usual)
    details: list[JsonValue] = [dict(one) for one in opening.details]
    action = decisions.action_text(
        agent=opening.client_id,
        authorization_details=details,
        resource=opening.resource,
        salt=secrets.salt(),
        scope=opening.scope,
        user=opening.user_id,
    )
    display = opening.display(approval_id, expires_at)
    return Approval(
        id=approval_id,
        auth_req_hash=_untold(secrets),
        agent_id=opening.client_id,
        user_id=None if opening.phantom else opening.user_id,
        resource=opening.resource,
        scope=scopes.text(tuple(sorted(opening.scope))),
        openid_scope="",
        details=json.dumps(details, separators=(",", ":"), sort_keys=True, ensure_ascii=False),
        risk=opening.risk,
        ceremony=ceremonies.spelled(_taken(opening)),
        policy=json.dumps(dict(opening.policy), sort_keys=True),
        action=action,
        display=display,
        action_digest=decisions.digest(action),
        display_digest=decisions.digest(display),
        acr_values="",
        state=State.PENDING,
        reason=None,
        created_at=tx.now,
        expires_at=expires_at,
        interval_ms=requests.INTERVAL_MS,
        last_poll_at=None,
        polls=0,
        holder=None,
        seen_at=None,
        decided_at=None,
        idempotency_hash=None,
        request_hash=hashlib.sha256(action.encode()).digest(),
        answer=None,
        answer_key=None,
        answer_until=None,
        kind=opening.kind,
    )


def _taken(opening: Opening) -> Ceremony:
    """What was said that a yes takes, and never less than the risk demands."""
    least = _PIN if opening.risk.rank >= Risk.HIGH.rank else CONFIRM
    return least if opening.ceremony is None else least | opening.ceremony


def _untold(secrets: Secrets) -> bytes:
    """A handle that nobody ever learns: this approval cannot be polled."""
    return hashlib.sha256(secrets.new_secret(names.PREFIX_AUTH_REQ_ID).encode()).digest()
