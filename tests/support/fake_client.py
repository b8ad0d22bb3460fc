"""A server, a person's keys and a feed that only tests and pictures use.

Owns: made-up approvals with true digests, a clock that moves when told, scripted answers.
Never: the network. What a screen gets passes through `client.wire`, as in production.
"""

import json
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from types import MappingProxyType
from typing import Any
from zlib import crc32

from approver_tui.app import ApproverApp, Ring
from approver_tui.attention.caller import Caller
from approver_tui.attention.ringer import Ringer
from approver_tui.client import errors
from approver_tui.client.feed import Listeners
from approver_tui.client.reading import Members
from approver_tui.client.wire import Page, read_approval
from approver_tui.screens.desk import Desk, NoOthers, Others, Place
from approver_tui.screens.guard import InputGuard
from approver_tui.screens.inbox import InboxScreen
from approver_tui.state.acting import Stopped
from approver_tui.state.agents import Owned, Suspended
from approver_tui.state.approvals import Approval, ApprovalState, Retry
from approver_tui.state.attention import ALL_RINGS, SNOOZED, Attention, Hold, Mute, QuietHours
from approver_tui.state.ceremony import NOTHING, Entries, spelled
from approver_tui.state.connection import Connection, Phase
from approver_tui.state.consents import Consent, ConsentState
from approver_tui.state.decision import NOTHING_MORE, Answer, Aside, DenyCode
from approver_tui.state.delegations import Actor, Delegation, DelegationState
from approver_tui.state.devices import Browser, Device, Me, PinState, User
from approver_tui.state.events import Event, EventName
from approver_tui.state.fingerprint import digest
from approver_tui.state.leeway import Leeway, LesserFact, Rule
from approver_tui.state.narrowing import Difference, Granted, Wish
from approver_tui.state.reported import Reported, ReportScope, StoppedAgent
from approver_tui.state.text import SafeText, display_safe
from approver_tui.state.unsent import Unsent
from tests.support.fake_grants import FakeAhead

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
GRANT: Mapping[str, object] = {
    "kind": "standing_grant",
    "details": [{"type": "sayso:standing_grant", "uses": 3}, {"type": "payment.transfer"}],
    "agent": "invoice-bot",
    "risk": "medium",
    "risk_reason": "it covers low risk ahead, and counts as one level more",
    "headline": "Let invoice-bot do this 3 times without asking: Payment",
    "facts": [
        ("Agent", "invoice-bot", True),
        ("At", "https://pay.example", True),
        ("Amount", "up to EUR 20.00", True),
        ("How often", "3 times", True),
    ],
    "scopes": [],
    "resource": "https://pay.example",
    "undo": "You can revoke it at any time (sayso-approver grants revoke).",
    "why": "An answer given ahead stands for many, so it takes your signature.",
    "gives": "Until 2026-12-24 12:00 UTC, and 3 times at most, without asking you.",
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


LEEWAY = Leeway(
    scopes=("payments:read", "payments:transfer"),
    facts=(
        LesserFact(0, "/amount", SafeText("Amount"), SafeText("EUR 4,820.00"), Rule.LOWER),
        LesserFact(
            0,
            "/invoices",
            SafeText("Invoices"),
            SafeText("INV-2291, INV-2292"),
            Rule.DROP,
            (SafeText("INV-2291"), SafeText("INV-2292")),
        ),
        LesserFact(0, "/dry_run", SafeText("Dry run"), SafeText("no"), Rule.TURN_ON),
        LesserFact(0, "/by", SafeText("Due"), SafeText("2026-11-25 14:30 UTC"), Rule.EARLIER),
    ),
    token_seconds=300,
)


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
    **changes: Any,
) -> Approval:
    """Return a pending approval called `name`; `left` milliseconds remain at NOW."""
    terms = {**about, **changes}
    return read_approval(Members.parse(json.dumps(_document(name, terms, NOW + left)), ""))


def answered(approval: Approval, answer: Answer, code: DenyCode | None = None) -> Approval:
    """Return the approval as the server shows it after an answer from another device."""
    document = _outer(approval)
    is_yes = answer is Answer.APPROVE
    document["state"] = "approved" if is_yes else "denied"
    document["over_at"] = _rfc3339(NOW + 3000)
    document["decided"] = {
        "decision": answer.value,
        "by": {"id": _ME, "name": "alice"},
        "device": {"id": "sayso_dv_bbbbbbbbbbbbbbbb", "name": "phone"},
        "at": _rfc3339(NOW + 3000),
        "channel": "terminal",
        "code": code.value if code else None,
        "note": None,
        "ceremony": "pin" if is_yes else "none",
        "self_approved": False,
    }
    return read_approval(Members.parse(json.dumps(document), ""))


def a_device(*, tries: int = 0, high_from: int = 0, **changes: Any) -> Device:
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
    return replace(device, **changes)


def a_consent(name: str = "invoice-bot", **changes: Any) -> Consent:
    """Return a consent in force for a day."""
    consent = Consent(
        id=SafeText(f"sayso_co_{crc32(name.encode()):016d}"),
        state=ConsentState.LIVE,
        client_id=SafeText(f"sayso_ag_{crc32(name.encode()):016d}"),
        client_name=SafeText(name),
        app_name=None,
        resource=SafeText("https://pay.example"),
        scopes=(SafeText("payments:read"),),
        created_at=NOW - 600 * MINUTE,
        expires_at=NOW + 1440 * MINUTE,
        revoked_at=None,
    )
    return replace(consent, **changes)


def a_token(name: str = "invoice-bot", **changes: Any) -> Delegation:
    """Return a token in force for four minutes."""
    who = Actor(f"sayso_ag_{crc32(name.encode()):016d}", SafeText(name))
    token = Delegation(
        id=f"sayso_at_{crc32(name.encode()):016d}",
        state=DelegationState.LIVE,
        client=who,
        resource=SafeText("https://pay.example"),
        scopes=(SafeText("payments:transfer"),),
        actors=(who,),
        issued_at=NOW - MINUTE,
        expires_at=NOW + 4 * MINUTE,
        last_used_at=NOW - 20_000,
        revoked_at=None,
        approval_id=SafeText("sayso_ap_aaaaaaaaaaaaaaaa"),
    )
    return replace(token, **changes)


@dataclass
class FakeServer:
    """What the screens ask."""

    clock: FakeClock
    approvals: dict[str, Approval] = field(default_factory=dict)
    device: Device = field(default_factory=a_device)
    is_down: bool = False
    failure: errors.ClientError | None = None
    """What every answer raises, if anything."""
    looked_at: list[str] = field(default_factory=list)
    given: list[Consent] = field(default_factory=list)
    tokens: list[Delegation] = field(default_factory=list)
    others: list[Device] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    """Ids of whatever was ended."""
    skew: int = 0
    """How far it is ahead of this machine, in milliseconds."""
    last: Page | None = None
    """What waited when the server last said so, as this machine kept it."""
    owned: tuple[Owned, ...] = ()
    """The agents of the person who looks."""
    called: tuple[Browser, ...] = ()
    """Where she is called by push."""
    less: Leeway = LEEWAY
    """What may be less of any request."""

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

    def last_waiting(self) -> Page | None:
        """Return what the test says was kept."""
        return self.last

    def approval(self, approval_id: str) -> Approval:
        """Return one approval with a nonce."""
        self._answer()
        self.looked_at.append(approval_id)
        if approval_id not in self.approvals:
            raise errors.ApiError("not_found", 404, "There is no such request.")
        return replace(self.approvals[approval_id], nonce="nonce")

    def decided(self, cursor: str | None = None) -> Page:
        """Return what is over in parts of five."""
        self._answer()
        start = int(cursor or 0)
        over = [one for one in self.approvals.values() if not one.is_waiting(self.clock.now())]
        following = str(start + 5) if start + 5 < len(over) else None
        return Page(tuple(over[start : start + 5]), following, 7, self.clock.now())

    def decided_since(self, since: int) -> tuple[Approval, ...]:
        """Return what is over."""
        self._answer()
        every = self.approvals.values()
        over = [each for each in every if not each.is_waiting(self.clock.now())]
        return tuple(each for each in over if each.ended_at >= since)

    def owned_agents(self) -> tuple[Owned, ...]:
        """Return alice's own."""
        self._answer()
        return self.owned

    def suspend_agent(self, agent_id: str) -> Suspended:
        """Stop one of alice's own."""
        self._answer()
        self.ended.append(agent_id)
        stopped = SafeText("disabled")
        self.owned = tuple(
            replace(each, state=stopped) if each.id == agent_id else each for each in self.owned
        )
        return Suspended(2, 1)

    def consents(self) -> tuple[Consent, ...]:
        """Return those in force."""
        self._answer()
        return tuple(each for each in self.given if each.id not in self.ended)

    def revoke_consent(self, consent_id: str) -> tuple[Consent, int]:
        """End one, and two tokens."""
        self._answer()
        self.ended.append(consent_id)
        return next(each for each in self.given if each.id == consent_id), 2

    def stop_acting(self, client_id: str) -> Stopped:
        """End what this client has; grants are remembered by its id."""
        self._answer()
        consents = [each.id for each in self.given if each.client_id == client_id]
        tokens = [each.id for each in self.tokens if each.client.id == client_id]
        self.ended += [*consents, *tokens, client_id]
        return Stopped(0, len(consents), len(tokens))

    def delegations(self) -> tuple[Delegation, ...]:
        """Return those in force."""
        self._answer()
        return tuple(each for each in self.tokens if each.id not in self.ended)

    def revoke_delegation(self, delegation_id: str) -> int:
        """End one."""
        self._answer()
        self.ended.append(delegation_id)
        return 1

    def devices(self) -> tuple[Device, ...]:
        """Return this one and the others."""
        self._answer()
        return tuple(
            replace(each, is_active=each.is_active and each.id not in self.ended)
            for each in (self.device, *self.others)
        )

    def browsers(self) -> tuple[Browser, ...]:
        """Return what the test says."""
        self._answer()
        return self.called

    def rename_device(self, device_id: str, name: str) -> Device:
        """Call it so."""
        self._answer()
        every = {each.id: each for each in (self.device, *self.others)}
        named = replace(every[device_id], name=SafeText(name))
        self.device = named if named.is_this else self.device
        self.others = [named if each.id == device_id else each for each in self.others]
        return named

    def test_browser(self, device_id: str) -> int:
        """One for each browser."""
        self._answer()
        return sum(each.id == device_id and each.kind == "browser" for each in self.others)

    def revoke_device(self, device_id: str) -> None:
        """End one."""
        self._answer()
        self.ended.append(device_id)

    def leeway(self, approval_id: str) -> Leeway:
        """Return the same for every request."""
        self._answer()
        if approval_id not in self.approvals:
            raise errors.ApiError("not_found", 404, "There is no such request.")
        return self.less

    def extend(self, approval_id: str) -> Approval:
        """Let it wait ten minutes from now."""
        self._answer()
        until = self.clock.now() + 10 * MINUTE
        longer = replace(self.approvals[approval_id], extended_to=until)
        self.put(longer)
        return longer

    def ask_again(self, approval_id: str) -> Approval:
        """Remember it; the request has expired by now."""
        self._answer()
        lapsed = replace(self.approvals[approval_id], state=ApprovalState.EXPIRED)
        self.put(replace(lapsed, retry=Retry.ASKED))
        return self.approvals[approval_id]

    def put(self, *approvals: Approval) -> None:
        """Add approvals or change them."""
        for approval in approvals:
            self.approvals[approval.id] = approval

    def _answer(self) -> None:
        if self.failure is not None:
            raise self.failure
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
    wishes: list[Wish] = field(default_factory=list)
    about_devices: list[tuple[str, str]] = field(default_factory=list)
    reported: list[tuple[str, ReportScope, str]] = field(default_factory=list)
    granted: list[Granted | None] = field(default_factory=list)
    """What each yes was for; None for all of it."""
    hold: threading.Event | None = None
    """When set, an answer waits for it."""
    asides: list[Aside] = field(default_factory=list)
    """From when on each denial lets the agent ask again."""
    notes: list[str] = field(default_factory=list)
    """What each denial tells the agent."""
    entered: list[Entries] = field(default_factory=list)
    """What was typed beside the PIN, answer by answer."""

    def unlock(self, pin: str) -> None:
        """Take the right PIN only."""
        self._check(pin)
        self.is_unlocked = True

    def touch(self) -> None:
        """Nothing runs out here."""

    def lock(self) -> None:
        """Forget the key."""
        self.is_unlocked = False

    def approve(
        self,
        approval: Approval,
        *,
        fingerprint: str,
        pin: str | None = None,
        entries: Entries = NOTHING,
    ) -> Approval:
        """Say yes, with the checks of the real thing that screens rely on."""
        self._before()
        current = self.server.approvals[approval.id]
        if current.action_text != approval.action_text or fingerprint != approval.fingerprint:
            raise errors.Changed("changed")
        if pin is None and (approval.needs_pin or not self.is_unlocked):
            raise errors.PinNeeded("PIN")
        if pin is not None:
            self._check(pin)
        self.entered.append(entries)
        self.granted.append(approval.granted)
        return self._done(approval, Answer.APPROVE, pin, None)

    def deny(
        self, approval: Approval, code: DenyCode, note: str = "", aside: Aside = NOTHING_MORE
    ) -> Approval:
        """Say no."""
        self._before()
        self.notes.append(note)
        self.asides.append(aside)
        return self._done(approval, Answer.DENY, code.value, code)

    def narrow(self, approval: Approval, wish: Wish) -> Granted:
        """Grant what is wished; amounts above 4,820 are not less."""
        self._before()
        labels = {fact.pointer: (fact.label, fact.asked) for fact in self.server.less.facts}
        rows = [
            Difference(*labels[change.pointer], display_safe(change.to)) for change in wish.changes
        ]
        if any(row.granted.isdigit() and int(row.granted) > 4820 for row in rows):
            raise errors.ApiError("not_narrower", 422, "/0/amount: is not less than what was asked")
        gone = SafeText("(not granted)")
        rows += [Difference(SafeText("Scope"), display_safe(s), gone) for s in wish.drop_scopes]
        if wish.token_seconds is not None:
            seconds = SafeText(f"{wish.token_seconds} seconds")
            rows.append(Difference(SafeText("Token lives"), SafeText("300 seconds"), seconds))
        self.wishes.append(wish)
        return Granted(f"{approval.action_text} {wish}", tuple(rows))

    def unlock_device(self, device: Device, pin: str) -> Device:
        """Give another device its tries back."""
        return self._about(device, "unlock", pin)

    def vouch_device(self, device: Device, pin: str) -> Device:
        """Let another device approve high risk."""
        return self._about(device, "vouch", pin)

    def _about(self, device: Device, verb: str, pin: str) -> Device:
        self._before()
        self._check(pin)
        self.about_devices.append((device.id, verb))
        pin_state = PinState(tries=0, left=10, locked=False, exhausted=False)
        done = replace(device, high_from=0, pin=pin_state)
        self.server.others = [done if each.id == device.id else each for each in self.server.others]
        return done

    def report(self, approval: Approval, scope: ReportScope, note: str = "") -> Reported:
        """Stop the agent."""
        self._before()
        self.reported.append((approval.id, scope, note))
        done = answered(approval, Answer.DENY, DenyCode.SUSPICIOUS)
        self.server.put(done)
        who = StoppedAgent(approval.agent.id, approval.agent.name, SafeText("quarantined"), 2, 1)
        return Reported(SafeText("sayso_ic_aaaaaaaaaaaaaaaa"), scope, (who,), done)

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
class FakeBell:
    """What is snoozed and muted, as the server would tell it."""

    clock: FakeClock
    server: FakeServer
    attention: Attention = ALL_RINGS
    failure: errors.ClientError | None = None
    """What every change raises, if anything."""

    def settings(self) -> Attention:
        """Return what is set."""
        return self.attention

    def snooze(self, approval_id: str) -> Attention:
        """Snooze for a quarter of an hour."""
        until = self.clock.now() + 15 * MINUTE
        hold = Hold(SafeText(approval_id), until, SafeText(SNOOZED))
        return self._set(holds=(*self.attention.holds, hold))

    def wake(self, approval_id: str) -> Attention:
        """Let it ring."""
        rest = [each for each in self.attention.holds if each.approval != approval_id]
        return self._set(holds=tuple(rest))

    def mute(self, agent_id: str) -> Attention:
        """Mute it for good."""
        every = self.server.approvals.values()
        name = next((each.agent.name for each in every if each.agent.id == agent_id), agent_id)
        mute = Mute(SafeText(agent_id), SafeText(name), self.clock.now(), None)
        return self._set(mutes=(*self.attention.mutes, mute))

    def unmute(self, agent_id: str) -> Attention:
        """Let it ring."""
        rest = [each for each in self.attention.mutes if each.agent_id != agent_id]
        return self._set(mutes=tuple(rest))

    def be_quiet(self, begins: str, ends: str, zone: str, days: tuple[str, ...]) -> Attention:
        """Set hours."""
        named = tuple(map(SafeText, days or ("mon", "tue", "wed", "thu", "fri", "sat", "sun")))
        hours = QuietHours(named, SafeText(begins), SafeText(ends), SafeText(zone))
        return self._set(quiet_hours=hours)

    def be_loud(self) -> Attention:
        """Clear them."""
        return self._set(quiet_hours=None)

    def _set(self, **changes: Any) -> Attention:
        if self.failure is not None:
            raise self.failure
        self.attention = replace(self.attention, **changes)
        return self.attention


@dataclass
class FakeIntents:
    """What is about to be denied."""

    left: tuple[Unsent, ...] = ()
    """What an earlier run did not send."""
    kept: set[str] = field(default_factory=set)
    failure: OSError | None = None

    def unsent(self) -> tuple[Unsent, ...]:
        """Return what was left."""
        return self.left

    def keep(self, approvals: Iterable[Approval]) -> None:
        """Remember them."""
        if self.failure is not None:
            raise self.failure
        self.kept |= {each.id for each in approvals}

    def drop(self, ids: Collection[str]) -> None:
        """Forget them."""
        self.kept -= set(ids)
        self.left = tuple(each for each in self.left if each.approval_id not in ids)


@dataclass
class FakeFeed:
    """A feed that tells what the test tells it."""

    clock: FakeClock
    starts: Phase = Phase.LIVE
    cursor: int | None = None
    seq: int = 7
    listeners: Listeners | None = None
    phase: Phase = Phase.CONNECTING
    is_silent: bool = False
    """Whether the server gives no sign of life although the line stands."""
    last: int | None = None

    @property
    def heard_at(self) -> int | None:
        """Return now while the server is heard, else when it last was."""
        if self.phase is Phase.LIVE and not self.is_silent:
            self.last = self.clock.now()
        return self.last

    def run(self, listeners: Listeners, stop: threading.Event) -> None:
        """Be connected at once, then wait."""
        self.listeners = listeners
        self.connect(self.starts)
        stop.wait(60)

    def connect(self, phase: Phase, reason: str = "") -> None:
        """Change the connection."""
        self.phase = phase
        if self.listeners is not None:
            text = display_safe(reason)
            self.listeners.on_connection(Connection(phase, self.clock.now(), text))

    def tell(
        self,
        name: EventName,
        approval: Approval | None = None,
        device: Device | None = None,
        held: str | None = None,
    ) -> None:
        """Report an event."""
        self.seq += 1
        if self.listeners is not None:
            event = Event(self.seq, name, self.clock.now(), approval, device, held)
            self.listeners.on_event(event)


@dataclass
class FakeOthers:
    """Other servers: each look takes the next of `looks`, and the last one for good."""

    looks: list[Mapping[str, int | None]]
    asked: int = 0

    def counts(self) -> Mapping[str, int | None]:
        """Return what this look finds."""
        self.asked += 1
        return self.looks[min(self.asked, len(self.looks)) - 1]


@dataclass
class Stage:
    """One app with all its fakes."""

    clock: FakeClock
    server: FakeServer
    answers: FakeAnswers
    feed: FakeFeed
    bell: FakeBell
    ahead: FakeAhead
    app: ApproverApp
    intents: FakeIntents = field(default_factory=FakeIntents)

    def request(self, approval: Approval) -> None:
        """Let an agent ask."""
        self.server.put(approval)
        self.feed.tell(EventName.REQUESTED, approval)


def a_stage(
    approvals: Iterable[Approval] = (),
    *,
    device: Device | None = None,
    folder_is_open: bool = False,
    place: Mapping[str, Any] = MappingProxyType({}),
    others: Others | None = None,
) -> Stage:
    """Return an app over fakes, in UTC, at NOW; `place` has what else is said of it."""
    clock = FakeClock()
    server = FakeServer(clock, device=device or a_device())
    server.put(*approvals)
    answers, feed = FakeAnswers(server), FakeFeed(clock)
    bell, intents = FakeBell(clock, server), FakeIntents()
    here = replace(Place(zone=UTC, folder_is_open=folder_is_open), **place)
    ahead, guard = FakeAhead(server), InputGuard(clock.ticks)

    def furnish(ring: Ring) -> Callable[[], InboxScreen]:
        desk = Desk(
            server=server,
            answers=answers,
            bell=bell,
            ahead=ahead,
            feed=feed,
            guard=guard,
            now=clock.now,
            ticks=clock.ticks,
            place=here,
            caller=Caller(Ringer(here.preferences, clock.ticks), here.surroundings, ring),
            intents=intents,
            others=others or NoOthers(),
        )
        return partial(InboxScreen, desk)

    app = ApproverApp(furnish, guard=guard, theme=here.theme, keymap=here.keymap)
    return Stage(clock, server, answers, feed, bell, ahead, app, intents)


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
        "user": terms.get("user", _ME),
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
            **{name: terms[name] for name in ("keys", "through") if name in terms},
        },
        "agent_says": terms["says"],
        "user": {"id": terms.get("user", _ME), "name": terms.get("for", "alice")},
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
        "ceremony": terms.get("ceremony", "confirm" if terms["risk"] in _RISKS else "pin"),
        "agent": {"id": agent_id, "name": agent},
        "action": texts[0],
        "display": texts[1],
        "action_digest": digest(texts[0]),
        "display_digest": digest(texts[1]),
        "created_at": _rfc3339(NOW - 5 * MINUTE),
        "expires_at": _rfc3339(expires_at),
        "decided": None,
        **_members(terms.get("outer")),
    }


def _outer(approval: Approval) -> dict[str, object]:
    return {
        "id": approval.id,
        "kind": approval.kind.value,
        "state": ApprovalState.PENDING.value,
        "reason": None,
        "risk": approval.risk.value,
        "ceremony": spelled(approval.ceremony),
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


def _members(given: object) -> dict[str, object]:
    return dict(given) if isinstance(given, Mapping) else {}


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
