"""Fake approvals with correct digests, for tests of screens.

`client.wire` reads them, as in production.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zlib import crc32

from approver_tui.client.reading import JsonObject
from approver_tui.client.wire import read_approval
from approver_tui.state.approvals.approvals import Approval, ApprovalState
from approver_tui.state.approvals.ceremony import ceremony_text
from approver_tui.state.approvals.decision import Answer, DenyCode
from approver_tui.state.fingerprint import digest
from tests.support.fakes.fake_client import ME
from tests.support.fakes.fake_clock import NOW
from tests.support.fakes.fake_requests import DEPLOY, MINUTE, PAYMENT, PRICES, RISKS


def an_approval(
    name: str,
    terms: Mapping[str, object] = PAYMENT,
    *,
    expires_in: int = 4 * MINUTE + 12_000,
    **changes: Any,
) -> Approval:
    """Return a pending approval with an ID from `name`. It expires in `expires_in` milliseconds."""
    document = _document(name, {**terms, **changes}, NOW + expires_in)
    return read_approval(JsonObject.parse(json.dumps(document), ""))


def with_decision(approval: Approval, answer: Answer, code: DenyCode | None = None) -> Approval:
    """Return the approval as the server shows it after a decision on another device."""
    document = undecided_document(approval)
    is_approved = answer is Answer.APPROVE
    document["state"] = "approved" if is_approved else "denied"
    document["over_at"] = _rfc3339(NOW + 3000)
    document["decided"] = {
        "decision": answer.value,
        "by": {"id": ME, "name": "alice"},
        "device": {"id": "sayso_dv_bbbbbbbbbbbbbbbb", "name": "phone"},
        "at": _rfc3339(NOW + 3000),
        "channel": "terminal",
        "code": code.value if code else None,
        "note": None,
        "ceremony": "pin" if is_approved else "none",
        "self_approved": False,
    }
    return read_approval(JsonObject.parse(json.dumps(document), ""))


def three_approvals() -> list[Approval]:
    """Return the three requests that the snapshots show."""
    return [
        an_approval("pay"),
        an_approval("deploy", DEPLOY, expires_in=12 * MINUTE + 40_000),
        an_approval("prices", PRICES, expires_in=28 * MINUTE + 5_000),
    ]


def _unusual(terms: Mapping[str, object]) -> list[dict[str, object]] | None:
    """Return the unusual facts that the server reports; None if the request is not an action."""
    if terms.get("kind", "action") != "action":
        return None
    found = _pairs(terms.get("unusual", []))
    if terms.get("first") and not found:
        found = [
            ("new_agent", f"First request from {terms['agent']} that you are asked to approve.")
        ]
    return [
        {"code": code, "severity": "notice" if code.startswith("new_") else "warning", "text": text}
        for code, text in found
    ]


def _compared(terms: Mapping[str, object]) -> str | None:
    """Return the server's comparison as a sentence; None if the request is not an action."""
    found = _unusual(terms)
    if found is None or "compared" in terms:
        return None if found is None else str(terms["compared"])
    if terms.get("first"):
        return "No earlier approval to compare with."
    intro = "Compared" if found else "Nothing unusual, compared"
    return f"{intro} with 23 earlier approvals since 3 March 2026."


def _document(name: str, terms: Mapping[str, object], expires_at: int) -> dict[str, object]:
    approval_id = f"sayso_ap_{crc32(name.encode()):016d}"
    agent = terms["agent"]
    agent_id = f"sayso_ag_{crc32(str(agent).encode()):016d}"
    scopes = _pairs(terms["scopes"])
    action = {
        "agent": agent_id,
        "authorization_details": terms.get("details", []),
        "resource": terms["resource"],
        "salt": f"salt of {name} {terms.get('salt', '')}",
        "scope": sorted(scope for scope, _risk in scopes),
        "user": terms.get("user", ME),
    }
    display = {
        "v": 1,
        "kind": terms.get("kind", "action"),
        "approval": approval_id,
        "risk": terms["risk"],
        "risk_reason": terms["risk_reason"],
        "title": "Request",
        "headline": terms["headline"],
        "facts": _facts(terms["facts"]),
        "scopes": [{"scope": scope, "risk": risk} for scope, risk in scopes],
        "resource": terms["resource"],
        "unusual": _unusual(terms),
        "compared": _compared(terms),
        "undo": terms["undo"],
        "why": terms.get("why", "this scope asks for a person"),
        "gives": terms["gives"],
        "agent": {
            "id": agent_id,
            "name": agent,
            "owners": ["bob"],
            "first_request": terms.get("first", False),
            **{name: terms[name] for name in ("keys", "through") if name in terms},
        },
        "agent_says": terms["says"],
        "user": {"id": terms.get("user", ME), "name": terms.get("for", "alice")},
        "asked_from": "203.0.113.7",
        "asked_at": _rfc3339(NOW - 5 * MINUTE),
        "expires_at": _rfc3339(expires_at),
        **({"type_back": terms["type_back"]} if "type_back" in terms else {}),
    }
    texts = json.dumps(action, sort_keys=True), json.dumps(display, sort_keys=True)
    return {
        "id": approval_id,
        "kind": terms.get("kind", "action"),
        "state": terms.get("state", "pending"),
        "held_back": terms.get("held_back", False),
        "reason": None,
        "risk": terms["risk"],
        "ceremony": terms.get("ceremony", "confirm" if terms["risk"] in RISKS else "pin"),
        "agent": {"id": agent_id, "name": agent},
        "action": texts[0],
        "display": texts[1],
        "action_digest": digest(texts[0]),
        "display_digest": digest(texts[1]),
        "created_at": _rfc3339(NOW - 5 * MINUTE),
        "expires_at": _rfc3339(expires_at),
        "decided": None,
        **_mapping(terms.get("outer")),
    }


def undecided_document(approval: Approval) -> dict[str, object]:
    """Return the server's document of this approval, with the state pending."""
    return {
        "id": approval.id,
        "kind": approval.kind.value,
        "state": ApprovalState.PENDING.value,
        "reason": None,
        "risk": approval.risk.value,
        "ceremony": ceremony_text(approval.ceremony),
        "agent": {"id": approval.agent.id, "name": approval.agent.name},
        "action": approval.action_text,
        "display": approval.display_text,
        "action_digest": approval.action_digest,
        "display_digest": approval.display_digest,
        "created_at": _rfc3339(approval.created_at),
        "expires_at": _rfc3339(approval.expires_at),
        "held_back": approval.held_back,
        "decided": None,
    }


def _mapping(value: object) -> dict[str, object]:
    return dict(value) if isinstance(value, Mapping) else {}


def _pairs(value: object) -> list[tuple[str, str]]:
    return list(value) if isinstance(value, list) else []


def _facts(value: object) -> list[dict[str, object]]:
    rows = value if isinstance(value, list) else []
    return [
        {"label": label, "value": value, "material": material} for label, value, material in rows
    ]


def _rfc3339(at: int) -> str:
    moment = datetime.fromtimestamp(at / 1000, tz=UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at % 1000:03d}Z"
