"""A valid call of every route that takes a JSON body, on one installation.

Owns: the caller, the object and the body. Never: changes of the body.
"""

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from server.http import cookies
from server.http.route import Route
from server.protocol import names
from server.services.clients.agent_forms import AgentChanges
from server.services.clients.app_forms import NewApp
from server.services.clients.apps import Apps
from server.services.clients.invitations import Invitations, NewInvitation
from server.services.users.users import NewUser
from tests.server.http.test_administration import SAMPLES
from tests.support.browsers.browser import CALLBACK
from tests.support.builders.admins import AdminSite
from tests.support.builders.callers import (
    LocalAgent,
    LocalTerminal,
    X,
    another_device,
    new_resource,
    sign_in,
)
from tests.support.builders.installation import BY, PAY, register_agent
from tests.support.builders.passkey import LocalBrowser, new_browser
from tests.support.builders.site import ISSUER, Answer, LocalSite
from tests.support.clients.agent import PAYMENT_DETAILS
from tests.support.inputs.handmade_jwts import Key, new_key
from tests.support.inputs.valid_bodies import ACTION, FULLER, REGISTRATION

_P256DH = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
_STATEMENT = {"statement": "a.b.c"}
"""A statement that is accepted when a test has disabled the check of statements."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call of one route."""

    send: Callable[[bytes], Answer]
    body: Any


@dataclass(frozen=True, slots=True)
class World:
    """An installation, its callers, and the objects that they call about."""

    staff: AdminSite
    agent: LocalAgent
    key: Key
    """The key of the agent, and of the agent `signer`, which authenticates with it."""
    signer: str
    """The ID of the agent that authenticates with `key`."""
    app: tuple[str, str]
    payment: str
    """A pending high-risk request for which the PIN was entered."""
    small: str
    """A pending low-risk request."""
    pin_nonce: str
    """The nonce that confirms this PIN call."""
    handle: str
    code: str
    fresh: LocalTerminal
    """A terminal that has a session but is not registered as a device yet."""
    device: str
    """The ID of a second device of the person."""
    browser: LocalBrowser
    offer: str
    """The text that a browser signs to sign in."""
    resource: str
    """The `Authorization` header of the resource."""
    tokens: tuple[str, str]
    """Tokens for payments; the first was consumed."""
    consumed: str
    invitation: str
    registered: tuple[str, str]
    """The ID and the token of a client that registered itself."""

    @property
    def local(self) -> LocalSite:
        """Return the server."""
        return self.staff.local

    @property
    def person(self) -> LocalTerminal:
        """Return the user who is asked."""
        return self.staff.people["stranger"]

    def call(self, route: Route) -> Call:
        """Return a valid call of this route."""
        if route.rule is not None:
            return self._administered(route)
        body, about, who = self._bodies()[route.name]
        path = route.path.replace("<id>", about)
        if isinstance(who, LocalTerminal):
            return self._by_terminal(who, route.method, path, body, {})
        headers = {"content-type": "application/json", **(who or {})}
        return Call(lambda raw: self._send(route.method, path, raw, headers), body)

    def _administered(self, route: Route) -> Call:
        sample, admin = SAMPLES[route.name], self.staff.people["admin"]
        path = route.path.replace("<id>", self.staff.ids.get(sample.about, ""))
        headers = {"sayso-statement": "x"}
        if route.rule is not None and route.rule.versioned:
            headers["if-match"] = f'"{self.staff.version(path)}"'
        body = FULLER.get(route.name, sample.body)
        return self._by_terminal(admin, route.method, path, body, headers)

    def _by_terminal(
        self, who: LocalTerminal, method: str, path: str, body: Any, headers: Mapping[str, str]
    ) -> Call:
        """Return a call that reuses one proof, since in these tests no proof is stored as used."""
        members = {"authorization": f"DPoP {who.access_token}", **headers}
        proof = who.proof(method, path)
        return Call(lambda raw: self._send(method, path, raw, members, proof), body)

    def _send(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str], *proofs: str
    ) -> Answer:
        return self.local.send(method, path, headers=headers, proofs=proofs, body=body)

    def _bodies(self) -> Mapping[str, tuple[Any, str, Any]]:
        """Return a valid body, an ID and the caller of every route that is not administration."""
        me = self.person
        return {
            **{name: (body, "", me) for name, body in self._own_bodies().items()},
            **{name: (body, about, me) for name, (body, about) in self._about_bodies().items()},
            **self._other_bodies(),
        }

    def _own_bodies(self) -> Mapping[str, Any]:
        proposal = {
            "approval": self.small,
            "seconds": 60,
            "uses": 3,
            "sum": "30",
            "vary": [{"fact": "/amount", "up_to": "20"}],
            "notify": True,
        }
        deputy = {"deputy": "owner", "from": "2025-10-10T00:00:00Z", "to": "2025-10-20T00:00:00Z"}
        return {
            "POST /api/devices/codes": _STATEMENT,
            "POST /api/devices/self/pin": {"x": X, "for": "session"},
            "POST /api/devices/self/pin/confirmation": _STATEMENT,
            "POST /api/audit/alarms": {"kept": "a", "shown": "b"},
            "POST /api/user-code": {"code": "blue whale 7", **_STATEMENT},
            "POST /api/password": {"password": "correct horse battery", **_STATEMENT},
            "PUT /api/attention/quiet-hours": {
                "days": ["mon", "sun"],
                "from": "22:00",
                "to": "06:00",
                "zone": "Europe/Berlin",
            },
            "POST /api/attention/mutes": {"agent": self.agent.id, "minutes": 60},
            "POST /api/deputies": {**deputy, **_STATEMENT},
            "POST /api/grants": proposal,
            "POST /api/grants/preview": proposal,
        }

    def _about_bodies(self) -> Mapping[str, tuple[Any, str]]:
        me = self.person
        no = {"decision": "deny", "ceremony": "none"}
        later = me.decision(self.payment, me.session, code="wait_until", **no)
        report = me.decision(self.payment, me.session, code="suspicious", **no)
        change = {"place": 0, "fact": "/amount", "to": "1"}
        return {
            "PATCH /api/devices/<id>": ({"name": "desk"}, me.device_id),
            "POST /api/devices/<id>/unlock": (_STATEMENT, self.device),
            "POST /api/devices/<id>/vouch": (_STATEMENT, self.device),
            "POST /api/approvals/<id>/narrowing": (
                {"drop_scopes": [], "changes": [change], "token_seconds": 60},
                self.small,
            ),
            "POST /api/approvals/<id>/decision": (
                {
                    "decision": later,
                    "note": "n",
                    "retry_at": "2025-11-30T00:00:00Z",
                    "private_note": "p",
                },
                self.payment,
            ),
            "POST /api/approvals/<id>/snooze": ({"minutes": 1}, self.small),
            "POST /api/approvals/<id>/report": (
                {"decision": report, "scope": "agent", "note": "n"},
                self.payment,
            ),
        }

    def _other_bodies(self) -> Mapping[str, tuple[Any, str, Any]]:
        keys = {"low": self.fresh.low.jwk, "high": self.fresh.high.jwk}
        credential = {"attestation": "AA", "client_data": "AA"}
        push = {
            "endpoint": "https://fcm.googleapis.com/fcm/send/x",
            "keys": {"p256dh": _P256DH, "auth": "A" * 22},
            "expirationTime": 1,
        }
        client, token = self.registered
        run = {
            "token": self.tokens[1],
            "authorization_details": PAYMENT_DETAILS,
            "execution_id": "run-2",
            "acr_values": ["urn:sayso:acr:signed-pin"],
            "max_age": 60,
        }
        done = {
            "approval": self.consumed,
            "execution_id": "run-1",
            "outcome": "executed",
            "text": "done",
            "authorization_details": PAYMENT_DETAILS,
        }
        poll = {"maxEvents": 1, "ack": ["a"], "setErrs": {"b": {"err": "x", "description": "y"}}}
        assertion = self.browser.passkey.assertion(self.offer.encode())
        resource = {"authorization": self.resource}
        return {
            "POST /api/devices": ({"name": "laptop", "approval_keys": keys}, "", self.fresh),
            "POST /api/passkeys/options": ({"code": self.code}, "", None),
            "POST /api/passkeys": ({"code": self.code, "name": "phone", **credential}, "", None),
            "POST /api/passkeys/sign-in": ({"assertion": assertion}, "", None),
            "POST /api/push-subscriptions": (push, "", self._page),
            "POST /api/approvals/consume": (run, "", resource),
            "POST /api/approvals/outcome": (done, "", resource),
            "POST /ssf/poll": (poll, "", resource),
            "POST /register": (REGISTRATION, "", _bearer(self.invitation)),
            "PUT /register/<id>": (
                {**REGISTRATION, "client_id": client},
                client,
                _bearer(token),
            ),
        }

    @property
    def _page(self) -> Mapping[str, str]:
        """Return the headers that our pages send."""
        cookie = self.browser.cookie
        return {
            "origin": ISSUER,
            "sec-fetch-site": "same-origin",
            "cookie": f"{cookies.name(self.local.server_policy)}={cookie}",
            cookies.CSRF.lower(): self.local.site.devices.browsers.csrf(cookie),
        }


def basic(name: str, secret: str) -> str:
    """Return the `Authorization` header of HTTP Basic authentication."""
    return "Basic " + b64encode(f"{name}:{secret}".encode()).decode()


def make_world(staff: AdminSite) -> World:
    """Create every object that a call can be about."""
    local, admin_services, key = staff.local, staff.local.admin, new_key("ES256", "a")
    keys = json.dumps({"keys": [key.jwk]})
    admin_services.agents.update(
        "one", AgentChanges(jwks=keys, takes_user_code=True, serves=(PAY,)), by=BY
    )
    rotated = admin_services.agents.rotate_secret("one", by=BY)
    agent = LocalAgent(local, rotated.agent.id, rotated.secret)
    person, resource = staff.people["stranger"], new_resource(local)
    device = another_device(person).device_id
    paid = [_paid(agent, person) for _ in range(2)]
    assert resource.consume(paid[0][0]).status == 200
    handle, payment = _payment(agent)
    pin_nonce = person.pin(payment).json["nonce"]
    admin_services.actions.update(json.dumps({**ACTION, "risk": "low"}), by=BY)
    _, small = _payment(agent, "openid")
    user, issued = admin_services.users.add(NewUser("fresh"), by=BY)
    return World(
        staff=staff,
        agent=agent,
        key=key,
        signer=register_agent(
            admin_services, "signer", owners=("owner",), auth_method="private_key_jwt", jwks=keys
        ).agent.id,
        pin_nonce=pin_nonce,
        app=_app(local),
        payment=payment,
        small=small,
        handle=handle,
        code=admin_services.users.enroll("owner", by=BY)[1].code,
        fresh=sign_in(local, user, issued.code),
        device=device,
        browser=new_browser(local),
        offer=local.send("POST", "/api/passkeys/offer").json["text"],
        resource=resource.basic,
        tokens=(paid[0][0], paid[1][0]),
        consumed=paid[0][1],
        invitation=_invitation(local),
        registered=_registered(local),
    )


def _bearer(token: str) -> Mapping[str, str]:
    return {"authorization": f"Bearer {token}"}


def _paid(agent: LocalAgent, person: LocalTerminal) -> tuple[str, str]:
    """Return the token of an approved payment, and the ID of its approval."""
    handle, approval = _payment(agent)
    assert person.approve(approval).status == 200
    form = {"grant_type": names.GRANT_CIBA, "auth_req_id": handle}
    return _posted(agent, "/token", form)["access_token"], approval


def _payment(agent: LocalAgent, scope: str = "openid payments:transfer") -> tuple[str, str]:
    """Ask for a payment; return its `auth_req_id` and its approval ID."""
    form = {
        "login_hint": "stranger",
        "scope": scope,
        "resource": PAY,
        "authorization_details": json.dumps(PAYMENT_DETAILS),
    }
    handle = _posted(agent, "/bc-authorize", form)["auth_req_id"]
    return handle, agent.local.approval_for(handle).id


def _posted(agent: LocalAgent, path: str, form: Mapping[str, str]) -> dict[str, Any]:
    headers = {"authorization": basic(agent.id, agent.secret)}
    answer = agent.local.post_form(path, form, headers)
    assert answer.status == 200, answer.body
    return answer.json


def _app(local: LocalSite) -> tuple[str, str]:
    new = NewApp(
        "pushing",
        (CALLBACK,),
        resources=(PAY,),
        scopes=("payments:read",),
        grant_types=names.APP_GRANTS,
    )
    created = Apps(local.admin.store, local.admin.secrets).add(new, by=BY)
    return created.app.id, created.secret or ""


def _invitation(local: LocalSite) -> str:
    ceiling = NewInvitation(
        "owner",
        resources=(PAY,),
        scopes=("payments:read",),
        action_types=("payment.transfer",),
        uses=1_000,
    )
    return Invitations(local.admin.store, local.admin.secrets).issue(ceiling, by=BY).token


def _registered(local: LocalSite) -> tuple[str, str]:
    headers = {"content-type": "application/json", **_bearer(_invitation(local))}
    body = json.dumps({**REGISTRATION, "client_name": "first"}).encode()
    answer = local.send("POST", "/register", headers=headers, body=body)
    assert answer.status == 201, answer.body
    return answer.json["client_id"], answer.json["registration_access_token"]
