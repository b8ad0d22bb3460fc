"""A server, a person's keys and a feed that only tests and pictures use.

Owns: made-up approvals with true digests, a clock that moves when told, scripted answers.
Never: the network. What a screen gets passes through `client.wire`, as in production.
"""

import json
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from zlib import crc32

from approver_tui.app import ApproverApp, make_app
from approver_tui.client import errors
from approver_tui.client.feed import Listeners
from approver_tui.client.reading import Members
from approver_tui.client.wire import Page, read_approval
from approver_tui.screens.desk import Place
from approver_tui.state.approvals import Approval, ApprovalState
from approver_tui.state.connection import Connection, Phase
from approver_tui.state.decision import Answer, DenyCode
from approver_tui.state.devices import Device, Me, PinState, User
from approver_tui.state.events import Event, EventName
from approver_tui.state.fingerprint import digest
from approver_tui.state.text import SafeText, display_safe

NOW = int(datetime(2026, 11, 24, 14, 32, 7, tzinfo=UTC).timestamp()) * 1000
PIN = "271828"
MINUTE = 60_000
_ME = "sayso_us_aaaaaaaaaaaaaaaa"
_THIS = "sayso_dv_aaaaaaaaaaaaaaaa"
_RISKS = ("low", "medium")

PAYMENT: Mapping[str, object] = {
    "agent": "invoice-bot",
    "risk": "high",
    "risk_reason": "money leaves the company",
    "headline": "Pay EUR 4,820.00 to Nordwind Logistik GmbH",
    "facts": [
        ("Amount", "EUR 4,820.00", True),
        ("To", "Nordwind Logistik GmbH, DE89 3704 0044 0532 0130 00", True),
        ("From", "ACME Operating, account ending 7711", True),
        ("Reference", "INV-2291", False),
    ],
    "scopes": [("payments:transfer", "high")],
    "resource": "https://pay.example",
    "undo": "Not possible after 15:00 today.",
    "why": "payments:transfer is high risk at this resource",
    "gives": "one token, 5 min, payments:transfer, this payment only",
    "unusual": [
        ("new_target", "Never approved before: To account."),
        ("large_amount", "Amount is 12 times the usual amount, EUR 401.67."),
    ],
    "says": "INV-2291 is due today. The vendor stops delivery if it is not paid before 15:00.",
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
    "gives": "one token, 5 min, deploy:run, this release only",
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
        ("At", "https://pay.example", True),
        ("May use", "payments:read (low risk, as before)", True),
        ("May use", "payments:transfer (high risk)", True),
        ("Until", "2026-12-24 12:00 UTC", True),
        ("Asked by", "the app books", True),
    ],
    "scopes": [("payments:read", "low"), ("payments:transfer", "high")],
    "resource": "https://pay.example",
    "undo": "You can revoke it at any time (sayso-approver revoke); its tokens end with it.",
    "why": "A consent lasts, so it takes your signature.",
    "gives": "Until 2026-12-24 12:00 UTC invoice-bot gets access tokens for https://pay.example in "
    "your name with these rights, without asking you each time. What policy wants asked is still "
    "asked.",
    "says": None,
}
SIGN_IN: Mapping[str, object] = {
    "kind": "device",
    "details": [{"type": "sayso:device", "key": "k", "name": "desktop", "code": "BCDF-GHJK"}],
    "agent": "Sayso terminal app",
    "risk": "high",
    "risk_reason": "whoever holds the new device can approve in your name",
    "headline": "Let a new device sign in as alice",
    "facts": [
        ("New device", "desktop", True),
        ("Address", "203.0.113.7", True),
        ("Its code", "BCDF-GHJK", True),
        (
            "Careful",
            (
                "Approve only if you started this sign-in yourself, just now, and the new device "
                "shows this very code. If somebody sent you the code, deny."
            ),
            True,
        ),
        ("Its key", "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I", False),
    ],
    "scopes": [],
    "resource": "http://localhost:8470/api",
    "undo": "You can revoke the device at any time. What it approved until then stays.",
    "why": "Only a device of yours can let another one in.",
    "gives": "The new device sees and answers every request to you, high risk included.",
    "says": None,
}
APP_SIGN_IN: Mapping[str, object] = {
    "kind": "app_device",
    "details": [{"type": "sayso:app_device", "address": "203.0.113.7", "code": "BCDF-GHJK"}],
    "agent": "television",
    "risk": "medium",
    "risk_reason": "whoever holds that device acts in your name",
    "headline": "Let television on another device act for you at https://films.example until May",
    "facts": [
        ("App", "television", True),
        ("At", "https://films.example", True),
        ("May use", "films:watch (low risk)", True),
        ("Address", "203.0.113.7", True),
        ("Its code", "BCDF-GHJK", True),
    ],
    "scopes": [("films:watch", "low")],
    "resource": "https://films.example",
    "undo": "You can revoke it at any time (sayso-approver revoke); its tokens end with it.",
    "why": "Only a device of yours can let an app on another one in.",
    "gives": "Until May television gets access tokens in your name.",
    "says": None,
}
APP_PAYMENT: Mapping[str, object] = {
    **PAYMENT,
    "kind": "app_action",
    "details": [{"type": "sayso:app_action"}, {"type": "payment.transfer"}],
    "agent": "shop",
    "why": "What an app does once is asked for each time, and takes your signature.",
    "gives": "The app shop gets one access token for https://pay.example, valid 5 minutes.",
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
    "gives": "one token, 5 min, prices:read",
    "says": None,
}


@dataclass
class FakeClock:
    """Both clocks of the app; they stand still until moved."""

    ms: int = NOW

    def now(self) -> int:
        """Return the server's time."""
        return self.ms

    def ticks(self) -> float:
        """Return the time for delays."""
        return (self.ms - NOW) / 1000 + 100

    def move(self, seconds: float) -> None:
        """Let time pass."""
        self.ms += round(seconds * 1000)


def an_approval(
    name: str,
    about: Mapping[str, object] = PAYMENT,
    *,
    left: int = 4 * MINUTE + 12_000,
    **changes: object,
) -> Approval:
    """Return a pending approval called `name`; `left` milliseconds remain at NOW."""
    terms = {**about, **changes}
    return read_approval(Members.parse(json.dumps(_document(name, terms, NOW + left)), ""))


def answered(approval: Approval, answer: Answer, code: DenyCode | None = None) -> Approval:
    """Return the approval as the server shows it after an answer from another device."""
    document = _outer(approval)
    is_yes = answer is Answer.APPROVE
    document["state"] = "approved" if is_yes else "denied"
    document["decided"] = {
        "decision": answer.value,
        "by": {"id": _ME, "name": "alice"},
        "device": {"id": "sayso_dv_bbbbbbbbbbbbbbbb", "name": "phone"},
        "at": _rfc3339(NOW + 3000),
        "channel": "terminal",
        "code": code.value if code else None,
        "note": None,
    }
    return read_approval(Members.parse(json.dumps(document), ""))


def a_device(*, tries: int = 0, high_from: int = 0, **changes: object) -> Device:
    """Return the device on which the app runs."""
    pin = PinState(tries=tries, left=10 - tries, locked=tries >= 10, exhausted=False)
    device = Device(
        id=_THIS,
        name=SafeText("laptop"),
        kind=SafeText("terminal"),
        is_active=True,
        created_at=NOW - 100 * MINUTE,
        last_seen_at=None,
        high_from=high_from,
        is_this=True,
        session_key="s",
        low_key="l",
        high_key="h",
        pin=pin,
        nonce="n",
    )
    return replace(device, **changes)  # type: ignore[arg-type]


@dataclass
class FakeServer:
    """What the screens ask."""

    clock: FakeClock
    approvals: dict[str, Approval] = field(default_factory=dict)
    device: Device = field(default_factory=a_device)
    is_down: bool = False
    looked_at: list[str] = field(default_factory=list)

    def now(self) -> int:
        """Return the server's time."""
        return self.clock.now()

    def me(self) -> Me:
        """Return alice."""
        self._answer()
        user = User(id=_ME, name=SafeText("alice"), email=None, roles=())
        return Me(user=user, device=self.device, server_time=self.clock.now())

    def waiting(self) -> Page:
        """Return what waits, soonest first."""
        self._answer()
        waits = [one for one in self.approvals.values() if one.is_waiting(self.clock.now())]
        waits.sort(key=lambda one: one.expires_at)
        return Page(tuple(waits), None, 7, self.clock.now())

    def approval(self, approval_id: str) -> Approval:
        """Return one approval with a nonce."""
        self._answer()
        self.looked_at.append(approval_id)
        if approval_id not in self.approvals:
            raise errors.ApiError("not_found", 404, "There is no such request.")
        return replace(self.approvals[approval_id], nonce="nonce")

    def put(self, *approvals: Approval) -> None:
        """Add approvals or change them."""
        for approval in approvals:
            self.approvals[approval.id] = approval

    def _answer(self) -> None:
        if self.is_down:
            raise errors.Unreachable("The server does not answer.")


@dataclass
class FakeAnswers:
    """Signs nothing, remembers everything, and fails when told to."""

    server: FakeServer
    is_unlocked: bool = True
    given: list[tuple[str, Answer, str | None]] = field(default_factory=list)
    """Approval id, answer, and the PIN or the deny code."""
    failures: list[errors.ClientError] = field(default_factory=list)
    """What the next answers raise, first in first out."""
    hold: threading.Event | None = None
    """When set, an answer waits for it."""

    def unlock(self, pin: str) -> None:
        """Take the right PIN only."""
        self._check(pin)
        self.is_unlocked = True

    def touch(self) -> None:
        """Nothing runs out here."""

    def lock(self) -> None:
        """Forget the key."""
        self.is_unlocked = False

    def approve(self, approval: Approval, *, fingerprint: str, pin: str | None = None) -> Approval:
        """Say yes, with the checks of the real thing that screens rely on."""
        self._before()
        current = self.server.approvals[approval.id]
        if current.action_text != approval.action_text or fingerprint != approval.fingerprint:
            raise errors.Changed("changed")
        if pin is None and (approval.needs_pin or not self.is_unlocked):
            raise errors.PinNeeded("PIN")
        if pin is not None:
            self._check(pin)
        return self._done(approval, Answer.APPROVE, pin, None)

    def deny(self, approval: Approval, code: DenyCode, note: str = "") -> Approval:
        """Say no."""
        del note
        self._before()
        return self._done(approval, Answer.DENY, code.value, code)

    def _before(self) -> None:
        if self.hold is not None:
            self.hold.wait(10)
        if self.failures:
            raise self.failures.pop(0)

    def _check(self, pin: str) -> None:
        if pin != PIN:
            tries = self.server.device.pin.tries + 1
            self.server.device = a_device(tries=tries)
            raise errors.WrongPin(tries, 10 - tries)

    def _done(
        self, approval: Approval, answer: Answer, how: str | None, code: DenyCode | None
    ) -> Approval:
        self.given.append((approval.id, answer, how))
        done = answered(approval, answer, code)
        self.server.put(done)
        return done


@dataclass
class FakeFeed:
    """A feed that tells what the test tells it."""

    clock: FakeClock
    starts: Phase = Phase.LIVE
    cursor: int | None = None
    seq: int = 7
    listeners: Listeners | None = None

    def run(self, listeners: Listeners, stop: threading.Event) -> None:
        """Be connected at once, then wait."""
        self.listeners = listeners
        self.connect(self.starts)
        stop.wait(60)

    def connect(self, phase: Phase, reason: str = "") -> None:
        """Change the connection."""
        if self.listeners is not None:
            text = display_safe(reason)
            self.listeners.on_connection(Connection(phase, self.clock.now(), text))

    def tell(
        self, name: EventName, approval: Approval | None = None, device: Device | None = None
    ) -> None:
        """Report an event."""
        self.seq += 1
        if self.listeners is not None:
            event = Event(self.seq, name, self.clock.now(), approval, device)
            self.listeners.on_event(event)


@dataclass
class Stage:
    """One app with all its fakes."""

    clock: FakeClock
    server: FakeServer
    answers: FakeAnswers
    feed: FakeFeed
    app: ApproverApp

    def request(self, approval: Approval) -> None:
        """Let an agent ask."""
        self.server.put(approval)
        self.feed.tell(EventName.REQUESTED, approval)


def a_stage(
    approvals: Iterable[Approval] = (),
    *,
    device: Device | None = None,
    folder_is_open: bool = False,
) -> Stage:
    """Return an app over fakes, in UTC, at NOW."""
    clock = FakeClock()
    server = FakeServer(clock, device=device or a_device())
    server.put(*approvals)
    answers, feed = FakeAnswers(server), FakeFeed(clock)
    place = Place(zone=UTC, folder_is_open=folder_is_open)
    app = make_app(server, feed, answers, clock=clock.now, ticks=clock.ticks, place=place)
    return Stage(clock, server, answers, feed, app)


def three() -> list[Approval]:
    """Return the three requests of the pictures."""
    return [
        an_approval("pay"),
        an_approval("deploy", DEPLOY, left=12 * MINUTE + 40_000),
        an_approval("prices", PRICES, left=28 * MINUTE + 5_000),
    ]


def _oddities(terms: Mapping[str, object]) -> list[dict[str, object]] | None:
    """What the server found unusual; only actions are compared with anything."""
    if terms.get("kind", "action") != "action":
        return None
    found = _pairs(terms.get("unusual", []))
    if terms.get("first") and not found:
        found = [("new_agent", f"You never approved anything of {terms['agent']} before.")]
    return [{"code": code, "text": text} for code, text in found]


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
        "user": _ME,
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
        "unusual": _oddities(terms),
        "undo": terms["undo"],
        "why": terms.get("why", "this scope asks for a person"),
        "gives": terms["gives"],
        "agent": {
            "id": agent_id,
            "name": agent,
            "owners": ["bob"],
            "first_request": terms.get("first", False),
        },
        "agent_says": terms["says"],
        "user": {"id": _ME, "name": "alice"},
        "asked_from": "203.0.113.7",
        "asked_at": _rfc3339(NOW - 5 * MINUTE),
        "expires_at": _rfc3339(expires_at),
    }
    texts = json.dumps(action, sort_keys=True), json.dumps(display, sort_keys=True)
    return {
        "id": approval_id,
        "kind": terms.get("kind", "action"),
        "state": terms.get("state", "pending"),
        "reason": None,
        "risk": terms["risk"],
        "ceremony": "confirm" if terms["risk"] in _RISKS else "pin",
        "agent": {"id": agent_id, "name": agent},
        "action": texts[0],
        "display": texts[1],
        "action_digest": digest(texts[0]),
        "display_digest": digest(texts[1]),
        "created_at": _rfc3339(NOW - 5 * MINUTE),
        "expires_at": _rfc3339(expires_at),
        "decided": None,
    }


def _outer(approval: Approval) -> dict[str, object]:
    return {
        "id": approval.id,
        "kind": approval.kind.value,
        "state": ApprovalState.PENDING.value,
        "reason": None,
        "risk": approval.risk.value,
        "ceremony": approval.ceremony.value,
        "agent": {"id": approval.agent.id, "name": approval.agent.name},
        "action": approval.action_text,
        "display": approval.display_text,
        "action_digest": approval.action_digest,
        "display_digest": approval.display_digest,
        "created_at": _rfc3339(approval.created_at),
        "expires_at": _rfc3339(approval.expires_at),
        "decided": None,
    }


def _pairs(given: object) -> list[tuple[str, str]]:
    return list(given) if isinstance(given, list) else []


def _facts(given: object) -> list[dict[str, object]]:
    rows = given if isinstance(given, list) else []
    return [
        {"label": label, "value": value, "material": material} for label, value, material in rows
    ]


def _rfc3339(at: int) -> str:
    moment = datetime.fromtimestamp(at / 1000, tz=UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at % 1000:03d}Z"
