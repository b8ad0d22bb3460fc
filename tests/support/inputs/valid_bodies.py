"""Bodies of the administration and of client registration that have every member.

Owns: the bodies. Never: who sends them.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from server.protocol import names
from tests.support.builders.admins import JWK, REDIRECT_URI
from tests.support.builders.installation import PAY, PAYMENT
from tests.support.builders.policies import rule
from tests.support.clients.agent import PAYMENT_DETAILS

FULL: Mapping[str, Any] = {
    "name": "full",
    "owners": ["owner", "admin"],
    "description": "Pays bills",
    "auth_method": "private_key_jwt",
    "jwks": {"keys": [{**JWK, "kid": "a"}]},
    "grant_types": ["urn:openid:params:grant-type:ciba"],
    "delivery": "ping",
    "backchannel_client_notification_endpoint": "https://1.1.1.1/ciba",
    "resources": [PAY],
    "scopes": ["payments:read"],
    "serves": [PAY],
    "labels": ["pilot", "team=finance"],
    "token_seconds": 60,
    "action_types": ["payment.transfer"],
    "asks": ["bystander"],
    "id_token_signed_response_alg": "RS256",
    "dpop_bound_access_tokens": True,
    "backchannel_authentication_request_signing_alg": "ES256",
    "expires_at": "2099-01-31T00:00:00Z",
    "external_id": "crm-7",
    "review_at": "2027-01-31T00:00:00Z",
}
"""An agent with every member."""

CASE: Mapping[str, Any] = {
    "name": "a",
    "agent": "one",
    "flow": "request",
    "user": "bystander",
    "resource": PAY,
    "scope": ["payments:transfer"],
    "details": PAYMENT_DETAILS,
    "at": datetime(2026, 11, 26, 12, tzinfo=UTC),
    "history": {"known": ["resource", "/payee"], "tokens": 7, "unusual": ["large_amount"]},
    "expect": "ask",
    "rules": ["r"],
    "risk": "high",
    "ceremony": "pin",
}
"""A policy test case with every member."""

RULE: Mapping[str, Any] = {
    "id": "r",
    "because": "Because.",
    "outcome": "ask",
    "when": {
        "at": ["request"],
        "agent": ["one"],
        "labels": ["team=finance"],
        "owner": ["owner"],
        "user": ["bystander"],
        "resource": [PAY],
        "scope": ["payments:*"],
        "type": ["payment.transfer"],
        "risk": {"at_least": "low", "at_most": "high"},
        "amount": {"currency": "EUR", "over": 10},
        "during": {"from": "09:00", "to": "17:00", "days": ["mon"], "zone": "UTC"},
        "first_time": ["/payee"],
        "known": ["resource"],
        "count": {"over": 7, "within": "1h"},
        "unusual": ["large_amount"],
    },
    "ask": {
        "risk": "high",
        "ceremony": ["pin", "reason"],
        "quorum": 1,
        "who": ["bystander"],
        "exclude": ["owner"],
        "ttl": 60,
    },
}
"""A policy rule with every condition."""

ACTION: Mapping[str, Any] = {
    **PAYMENT,
    "labels": {"/payee": "To"},
    "narrow": {"/amount": "lower"},
    "amount": "/amount",
    "target": "/payee",
    "deputies": True,
}
"""An action type with every member that the tests need."""

REGISTRATION: Mapping[str, Any] = {
    "client_name": "new",
    "token_endpoint_auth_method": "private_key_jwt",
    "grant_types": [names.GRANT_CIBA],
    "scope": "payments:read",
    "authorization_details_types": ["payment.transfer"],
    "jwks": {"keys": [{**JWK, "kid": "a", "alg": "ES256", "use": "sig"}]},
    "id_token_signed_response_alg": "ES256",
    "dpop_bound_access_tokens": True,
    "backchannel_authentication_request_signing_alg": "ES256",
    "backchannel_token_delivery_mode": "ping",
    "backchannel_client_notification_endpoint": "https://1.1.1.1/ciba",
    "backchannel_user_code_parameter": True,
    "redirect_uris": [],
    "response_types": [],
}
"""The metadata of a client that registers itself."""

_AGENT = {**FULL, "only": {PAY: ["payments:read"]}, "icon": None}
_APP = {
    "name": "x",
    "redirect_uris": [REDIRECT_URI],
    "post_logout_redirect_uris": [REDIRECT_URI],
    "resources": [PAY],
    "scopes": ["payments:read"],
}
FULLER: Mapping[str, Any] = {
    "POST /api/users": {"name": "dora", "email": "dora@example.com", "roles": ["auditor"]},
    "PATCH /api/users/<id>": {"email": "b@example.com", "roles": ["auditor"], "backup": "owner"},
    "POST /api/agents": _AGENT,
    "PATCH /api/agents/<id>": {
        name: value for name, value in _AGENT.items() if name not in {"owners", "auth_method"}
    },
    "POST /api/agents/<id>/auth": {
        "method": "private_key_jwt",
        "jwks": {"keys": [JWK]},
        "overlap": 60,
    },
    "POST /api/agents/<id>/secret": {"overlap": 60},
    "POST /api/invitations": {
        "owner": "owner",
        "grant_types": [names.GRANT_CIBA],
        "resources": [PAY],
        "scopes": ["payments:read"],
        "action_types": ["payment.transfer"],
        "asks": ["bystander"],
        "uses": 3,
        "expires_at": "2025-10-20T00:00:00Z",
    },
    "POST /api/apps": _APP,
    "PATCH /api/apps/<id>": {**_APP, "enabled": True},
    "POST /api/apps/<id>/secret": {"overlap": 60},
    "POST /api/resources": {
        "uri": "https://new.example",
        "scopes": {"n:read": "low"},
        "requires": {"n:read": "payment.transfer"},
        "token_seconds": 60,
        "default_scopes": [],
    },
    "PATCH /api/resources/<id>": {
        "scopes": {"payments:new": "low"},
        "remove_scopes": ["payments:read"],
        "requires": {"payments:transfer": "payment.transfer"},
        "token_seconds": 60,
        "default_scopes": ["payments:new"],
    },
    "POST /api/actions": {**ACTION, "type": "other.type"},
    "PUT /api/actions/<id>": {**ACTION},
    "POST /api/actions/preview": {
        "document": json.dumps(ACTION),
        "details": PAYMENT_DETAILS[0],
    },
    "POST /api/policy/explain": {
        "agent": "one",
        "flow": "request",
        "user": "bystander",
        "resource": PAY,
        "scope": ["payments:transfer"],
        "authorization_details": PAYMENT_DETAILS,
        "acr_values": "urn:sayso:acr:signed-pin",
        "policy": rule("ask"),
    },
    "POST /api/policy/test": {
        "table": '[[cases]]\nagent = "one"\nexpect = "ask"',
        "policy": rule("ask"),
    },
    "POST /api/policy/dry-run": {"last": 60, "policy": rule("ask")},
}
"""Route → a body with every member; the samples of the administration have only required ones."""
