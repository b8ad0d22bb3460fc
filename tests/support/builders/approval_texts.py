"""Approvals as the server sends them, assembled by hand.

Owns: their two texts and digests. Never: the product's own code, which is compared with them.
"""

import hashlib
import json
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import rfc8785

AGENT = "sayso_ag_aaaaaaaaaaaaaaaa"
USER = "sayso_us_uuuuuuuuuuuuuuuu"
RESOURCE = "https://pay.example"
NOW = 1_800_000_000_000


def wire_approval(
    *,
    number: int = 1,
    risk: str = "medium",
    now: int = NOW,
    display: Mapping[str, object] | None = None,
    outer: Mapping[str, object] | None = None,
) -> dict[str, object]:
    """Return an approval. `display` and `outer` replace members of the document and of the row."""
    approval = f"sayso_ap_{number:0>16}".replace("0", "a").replace("1", "b")
    action = rfc8785.dumps(
        {
            "agent": AGENT,
            "authorization_details": [],
            "resource": RESOURCE,
            "salt": b64(secrets.token_bytes(16)),
            "scope": ["payments:read"],
            "user": USER,
        }
    ).decode()
    document = {**_display(approval, risk, now), **(display or {})}
    display_text = rfc8785.dumps(json.loads(json.dumps(document))).decode()
    return {
        "id": approval,
        "kind": document["kind"],
        "state": "pending",
        "reason": None,
        "risk": document["risk"],
        "ceremony": "pin" if document["risk"] in {"high", "critical"} else "confirm",
        "agent": {"id": AGENT, "name": "invoice-bot"},
        "action": action,
        "display": display_text,
        "action_digest": digest(action),
        "display_digest": digest(display_text),
        "created_at": to_rfc3339(now),
        "expires_at": document["expires_at"],
        "held_back": False,
        "decided": None,
        **(outer or {}),
    }


def digest(text: str) -> str:
    """Return the base64url SHA-256 digest of a text."""
    return b64(hashlib.sha256(text.encode()).digest())


def b64(raw: bytes) -> str:
    """Return base64url without padding."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def to_rfc3339(at: int) -> str:
    """Return milliseconds since the epoch as RFC 3339."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _display(approval: str, risk: str, now: int) -> dict[str, object]:
    return {
        "v": 1,
        "kind": "action",
        "approval": approval,
        "risk": risk,
        "risk_reason": "the scope is set to this risk",
        "title": "Payment",
        "headline": "Pay EUR 4,820.00 to Nordwind Logistik GmbH",
        "facts": [
            {"label": "Amount", "value": "EUR 4,820.00", "material": True},
            {"label": "Reference", "value": "RE-7731", "material": False},
        ],
        "scopes": [{"scope": "payments:read", "risk": risk}],
        "resource": RESOURCE,
        "unusual": [],
        "compared": "Nothing unusual, compared with 23 earlier approvals since 3 March 2026.",
        "undo": "A transfer cannot be called back.",
        "why": "You own invoice-bot.",
        "gives": "One token, for five minutes.",
        "agent": {"id": AGENT, "name": "invoice-bot", "owners": ["alice"], "first_request": False},
        "agent_says": "The invoice is due today.",
        "user": {"id": USER, "name": "alice"},
        "asked_from": "203.0.113.7",
        "asked_at": to_rfc3339(now),
        "expires_at": to_rfc3339(now + 600_000),
    }
