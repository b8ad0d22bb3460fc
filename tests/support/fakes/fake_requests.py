"""Requests from agents and apps, used by tests and pictures.

Owns: the fields of the requests, in the words of the server. Never: approvals created from them.
"""

from collections.abc import Mapping

MINUTE = 60_000
RISKS = ("low", "medium")
PAYMENT: Mapping[str, object] = {
    "agent": "invoice-bot",
    "risk": "high",
    "risk_reason": "money leaves the company",
    "headline": "Pay EUR 4,820.00 to Nordwind Logistik GmbH",
    "facts": [
        ("Amount", "EUR 4,820.00", True),
        ("To", "Nordwind Logistik GmbH, DE89 3704 0044 0532 0130 00", True),
        ("Source", "ACME Operating, account ending 7711", True),
        ("Reference", "INV-2291", False),
    ],
    "scopes": [("payments:transfer", "high")],
    "resource": "https://pay.example",
    "undo": "Not possible after 15:00 today.",
    "why": "payments:transfer is high risk at this resource",
    "gives": "One access token for https://pay.example, valid 5 minutes, with payments:transfer, "
    "for this action. No refresh token.",
    "unusual": [
        ("large_amount", "Amount is 12 times the usual amount for invoice-bot, EUR 401.67."),
        ("new_target", "First time: “To account”."),
    ],
    "says": "INV-2291 is due today. The vendor will stop deliveries unless it is paid by 15:00.",
}
DEPLOY: Mapping[str, object] = {
    "agent": "release-agent",
    "risk": "medium",
    "risk_reason": "it changes a running service",
    "headline": "Deploy web 4.2.0 to staging",
    "facts": [("Artifact", "web 4.2.0", True), ("Environment", "staging", True)],
    "scopes": [("deploy:run", "medium")],
    "resource": "https://k8s.example/stage",
    "undo": "Roll back to web 4.1.7.",
    "gives": "One access token for https://k8s.example/stage, valid 5 minutes, with deploy:run, "
    "for this action. No refresh token.",
    "says": None,
}
CONSENT: Mapping[str, object] = {
    "kind": "consent",
    "details": [{"type": "sayso:consent", "until": "2026-12-24T12:00:00.000Z", "app": None}],
    "agent": "invoice-bot",
    "risk": "high",
    "risk_reason": "payments:transfer is high risk",
    "headline": "Let invoice-bot act for you at https://pay.example until 2026-12-24 12:00 UTC",
    "facts": [
        ("Agent", "invoice-bot", True),
        ("Owner", "bob", True),
        ("Resource", "https://pay.example", True),
        ("Scope", "payments:read (low risk, as before)", True),
        ("Scope", "payments:transfer (high risk)", True),
        ("Until", "2026-12-24 12:00 UTC", True),
        ("Asked by", "the app books", True),
    ],
    "scopes": [("payments:read", "low"), ("payments:transfer", "high")],
    "resource": "https://pay.example",
    "undo": "You can revoke it at any time (sayso-approver revoke); its tokens end with it.",
    "why": "A consent covers future requests, so it needs your signature.",
    "gives": "Until 2026-12-24 12:00 UTC invoice-bot gets access tokens for https://pay.example in "
    "your name with these scopes, without asking you each time. Policy can still require your "
    "approval.",
    "says": None,
}
GRANT: Mapping[str, object] = {
    "kind": "standing_grant",
    "details": [{"type": "sayso:standing_grant", "uses": 3}, {"type": "payment.transfer"}],
    "agent": "invoice-bot",
    "risk": "medium",
    "risk_reason": "It covers low risk; standing grants count one risk level higher.",
    "headline": "Let invoice-bot do this 3 times without asking: Payment",
    "facts": [
        ("Agent", "invoice-bot", True),
        ("Resource", "https://pay.example", True),
        ("Amount", "up to EUR 20.00", True),
        ("Max uses", "3 times", True),
    ],
    "scopes": [],
    "resource": "https://pay.example",
    "undo": "You can revoke it at any time (sayso-approver grants revoke). Actions that it allowed "
    "are not undone.",
    "why": "A standing grant covers many requests, so it needs your signature.",
    "gives": "Until 2026-12-24 12:00 UTC, and 3 times at most, invoice-bot gets an access token "
    "for a request like this one without asking you. Every other request still needs your "
    "approval.",
    "says": None,
}
SIGN_IN: Mapping[str, object] = {
    "kind": "device",
    "details": [{"type": "sayso:device", "key": "k", "name": "desktop", "code": "BCDF-GHJK"}],
    "agent": "Sayso terminal app",
    "risk": "high",
    "risk_reason": "Anybody with the new device can approve in your name.",
    "headline": "Let a new device sign in as alice",
    "facts": [
        ("New device", "desktop", True),
        ("Address", "203.0.113.7", True),
        ("Code shown", "BCDF-GHJK", True),
        (
            "Warning",
            (
                "Approve only if you started this sign-in yourself, just now, and the new device "
                "shows this code. If somebody sent you the code, deny."
            ),
            True,
        ),
        ("Device key", "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I", False),
    ],
    "scopes": [],
    "resource": "http://localhost:8470/api",
    "undo": "You can revoke the device at any time. Its earlier approvals stay valid.",
    "why": "Only one of your devices can sign in a new one.",
    "gives": "The new device can see and answer every request to you, including high risk.",
    "says": None,
}
APP_SIGN_IN: Mapping[str, object] = {
    "kind": "app_device",
    "details": [{"type": "sayso:app_device", "address": "203.0.113.7", "code": "BCDF-GHJK"}],
    "agent": "television",
    "risk": "medium",
    "risk_reason": "Anybody with that device can act in your name.",
    "headline": "Let television on another device act for you at https://films.example until May",
    "facts": [
        ("App", "television", True),
        ("Resource", "https://films.example", True),
        ("Scope", "films:watch (low risk)", True),
        ("Address", "203.0.113.7", True),
        ("Code shown", "BCDF-GHJK", True),
    ],
    "scopes": [("films:watch", "low")],
    "resource": "https://films.example",
    "undo": "You can revoke it at any time (sayso-approver revoke); its tokens end with it.",
    "why": "Only one of your devices can sign in an app on a different one.",
    "gives": "Until May television gets access tokens for https://films.example in your name with "
    "these scopes, on that device, without asking you each time.",
    "says": None,
}
APP_PAYMENT: Mapping[str, object] = {
    **PAYMENT,
    "kind": "app_action",
    "details": [{"type": "sayso:app_action"}, {"type": "payment.transfer"}],
    "agent": "shop",
    "why": "An app asks for your signature each time it takes an action.",
    "gives": "The app shop gets one access token for https://pay.example, valid 5 minutes, with "
    "payments:transfer, for this action. No refresh token.",
    "says": None,
}
PRICES: Mapping[str, object] = {
    "agent": "buyer-helper",
    "risk": "low",
    "risk_reason": "nothing is changed",
    "headline": "Read 3 price lists",
    "facts": [("Lists", "3 of supplier Kolibri", True)],
    "scopes": [("prices:read", "low")],
    "resource": "https://supplier.example/prices",
    "undo": "",
    "gives": "One access token for https://supplier.example/prices, valid 5 minutes, with "
    "prices:read, for this action. No refresh token.",
    "says": None,
}
