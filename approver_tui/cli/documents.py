"""The JSON documents of `--json`. Members are only ever added.

Owns: their members. Never: plain lines.
"""

from approver_tui.cli.printing import rfc3339
from approver_tui.client.wire import Page
from approver_tui.state.approvals import Approval, Asker, Decided, Oddity
from approver_tui.state.consents import Consent
from approver_tui.state.devices import Device
from approver_tui.state.narrowing import Granted
from approver_tui.state.reported import Reported


def inbox(page: Page) -> dict[str, object]:
    """Return what `inbox` and `history` print."""
    return {
        "schema": "sayso.inbox/1",
        "items": [summary(approval) for approval in page.items],
        "unverified": [{"id": row.id, "problem": row.problem} for row in page.unverified],
        "next": page.next,
        "feed_cursor": page.feed_cursor,
        "server_time": rfc3339(page.server_time),
    }


def summary(approval: Approval) -> dict[str, object]:
    """Return an approval as a row of a list."""
    return {
        "id": approval.id,
        "kind": approval.kind.value,
        "fingerprint": approval.fingerprint,
        "state": approval.state.value,
        "risk": approval.risk.value,
        "ceremony": "pin" if approval.needs_pin else approval.ceremony.value,
        "headline": approval.headline,
        "agent": {"id": approval.agent.id, "name": approval.agent.name},
        "created_at": rfc3339(approval.created_at),
        "expires_at": rfc3339(approval.expires_at),
        "reason": approval.reason,
        "decided": decided(approval.decided),
        "granted": granted(approval.granted),
    }


def approval_in_full(approval: Approval) -> dict[str, object]:
    """Return everything about one approval, with the two signed texts as received."""
    shown = approval.display
    facts = [{"label": f.label, "value": f.value, "material": f.material} for f in shown.facts]
    return {
        "schema": "sayso.approval/1",
        **summary(approval),
        "title": shown.title,
        "risk_reason": shown.risk_reason,
        "agent": _asker(shown.agent),
        "facts": facts,
        "scopes": [{"scope": scope.name, "risk": scope.risk.value} for scope in shown.scopes],
        "resource": shown.resource,
        "unusual": _unusual(shown.unusual),
        "undo": shown.undo,
        "why": shown.why,
        "gives": shown.gives,
        "agent_says": shown.agent_says,
        "user": {"id": shown.user_id, "name": shown.user_name},
        "asked_from": shown.asked_from,
        "asked_at": rfc3339(shown.asked_at),
        "action": approval.action_text,
        "display": approval.display_text,
        "action_digest": approval.action_digest,
        "display_digest": approval.display_digest,
    }


def outcome(approval: Approval) -> dict[str, object]:
    """Return what `approve` and `deny` print."""
    return {"schema": "sayso.decision/1", **summary(approval)}


def reported(done: Reported) -> dict[str, object]:
    """Return what `report` prints."""
    return {
        "schema": "sayso.report/1",
        "incident": done.incident,
        "scope": done.scope.value,
        "agents": [
            {
                "id": agent.id,
                "name": agent.name,
                "state": agent.state,
                "tokens_revoked": agent.tokens_revoked,
                "requests_cancelled": agent.requests_cancelled,
            }
            for agent in done.agents
        ],
        "approval": summary(done.approval),
    }


def decided(value: Decided | None) -> dict[str, object] | None:
    """Return who answered and how."""
    if value is None:
        return None
    return {
        "decision": value.decision.value,
        "by": {"id": value.by_id, "name": value.by_name},
        "device": {"id": value.device_id, "name": value.device_name},
        "at": rfc3339(value.at),
        "channel": value.channel,
        "code": None if value.code is None else value.code.value,
        "note": value.note,
    }


def granted(value: Granted | None) -> dict[str, object] | None:
    """Return what was granted where that is less, with its text as received."""
    if value is None:
        return None
    changes = [
        {"label": each.label, "asked": each.asked, "granted": each.granted}
        for each in value.differences
    ]
    return {"text": value.text, "changes": changes}


def device(value: Device) -> dict[str, object]:
    """Return one device."""
    pin = value.pin
    return {
        "id": value.id,
        "name": value.name,
        "kind": value.kind,
        "state": "active" if value.is_active else "revoked",
        "this": value.is_this,
        "created_at": rfc3339(value.created_at),
        "last_seen_at": rfc3339(value.last_seen_at),
        "high_from": rfc3339(value.high_from),
        "pin": {
            "tries": pin.tries,
            "left": pin.left,
            "locked": pin.locked,
            "exhausted": pin.exhausted,
        },
        "keys": {"session": value.session_key, "low": value.low_key, "high": value.high_key},
    }


def consent(value: Consent) -> dict[str, object]:
    """Return what a client may have."""
    return {
        "id": value.id,
        "state": value.state.value,
        "client": {"id": value.client_id, "name": value.client_name},
        "app": value.app_name,
        "resource": value.resource,
        "scopes": list(value.scopes),
        "created_at": rfc3339(value.created_at),
        "expires_at": rfc3339(value.expires_at),
        "revoked_at": rfc3339(value.revoked_at),
    }


def _unusual(found: tuple[Oddity, ...] | None) -> list[dict[str, object]] | None:
    if found is None:
        return None
    return [{"code": oddity.code, "text": oddity.text} for oddity in found]


def _asker(agent: Asker) -> dict[str, object]:
    return {
        "id": agent.id,
        "name": agent.name,
        "owners": list(agent.owners),
        "first_request": agent.first_request,
    }
