"""Callers of a server inside the test: an agent, a protected API, a person at a terminal.

Owns: what each of them sends, signed with real keys; a test can replace every part of it.
"""

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from approver_tui.client.jose import (
    Signer,
    SigningKey,
    dpop_proof,
    signed_decision,
    signed_statement,
)
from server.model.approvals import Approval
from server.model.devices import Device
from server.model.users import User
from server.protocol.approvals.decisions import ADMINISTER, request_digest
from server.protocol.names import (
    APPROVER_CLIENT,
    GRANT_CIBA,
    GRANT_CLIENT_CREDENTIALS,
    GRANT_ENROLLMENT,
)
from server.services.users.users import NewUser
from tests.support.builders.ceremonies import typed_fact
from tests.support.builders.installation import BY, PAY, register_agent
from tests.support.builders.site import ISSUER, Answer, LocalSite
from tests.support.clients.agent import PAYMENT_DETAILS

X = "A" * 43
"""A device's half of a PIN: 32 bytes."""


@dataclass(frozen=True, slots=True)
class LocalAgent:
    """An agent that authenticates with its secret in the form."""

    local: LocalSite
    id: str
    secret: str

    def ask(self, headers: Mapping[str, str] | None = None, **parameters: Any) -> Answer:
        """POST /bc-authorize; a parameter that is None is left out."""
        form = {
            "login_hint": "ana",
            "scope": "openid payments:read",
            "resource": PAY,
            **self.credentials,
            **parameters,
        }
        return self.local.post_form("/bc-authorize", form, headers)

    def paid(self, person: "LocalTerminal", *proofs: str, **parameters: Any) -> str:
        """Ask for a payment, have the person approve it, and return the access token."""
        handle, approval = self.request_payment(**parameters)
        assert person.approve(approval.id).status == 200
        answer = self.poll(handle, proofs=proofs)
        assert answer.status == 200, answer.body
        token: str = answer.json["access_token"]
        return token

    def ask_payment(self, **parameters: Any) -> Answer:
        """Ask for a payment, which is high risk."""
        request_members = {
            "scope": "openid payments:transfer",
            "authorization_details": json.dumps(PAYMENT_DETAILS),
            **parameters,
        }
        return self.ask(**request_members)

    def request_approval(self, **parameters: Any) -> tuple[str, Approval]:
        """Ask, and return the `auth_req_id` and the stored approval."""
        answer = self.ask(**parameters)
        assert answer.status == 200, answer.body
        handle: str = answer.json["auth_req_id"]
        return handle, self.local.approval_for(handle)

    def request_payment(self, **parameters: Any) -> tuple[str, Approval]:
        """Ask for a payment, and return the `auth_req_id` and the stored approval."""
        answer = self.ask_payment(**parameters)
        assert answer.status == 200, answer.body
        handle: str = answer.json["auth_req_id"]
        return handle, self.local.approval_for(handle)

    def poll(
        self,
        handle: str,
        form: Mapping[str, Any] | None = None,
        proofs: Sequence[str] = (),
        **headers: str,
    ) -> Answer:
        """POST /token; `idempotency_key=…` becomes the header."""
        request_members = {"grant_type": GRANT_CIBA, "auth_req_id": handle}
        members = {**request_members, **self.credentials, **(form or {})}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.local.post_form("/token", members, named, proofs)

    def alone(self, *proofs: str, **parameters: Any) -> Answer:
        """POST /token with the client credentials grant."""
        request_members = {
            "grant_type": GRANT_CLIENT_CREDENTIALS,
            "scope": "payments:read",
            "resource": PAY,
        }
        form = {**request_members, **self.credentials, **parameters}
        return self.local.post_form("/token", form, proofs=proofs)

    @property
    def credentials(self) -> dict[str, str]:
        """Return the form members of `client_secret_post`."""
        return {"client_id": self.id, "client_secret": self.secret}


def new_local_agent(local: LocalSite, name: str = "invoice-bot", **members: Any) -> LocalAgent:
    """Register an agent that authenticates with its secret in the form."""
    members = {"auth_method": "client_secret_post", **members}
    registration = register_agent(local.admin, name, **members)
    return LocalAgent(local, registration.agent.id, registration.secret or "")


@dataclass(frozen=True, slots=True)
class LocalResource:
    """A protected API that authenticates with its secret by HTTP Basic."""

    local: LocalSite
    id: str
    secret: str

    def introspect(self, token: str | None, **more: Any) -> Answer:
        """POST /introspect; `accept=…` becomes the header."""
        headers = {"authorization": self.basic}
        if "accept" in more:
            headers["accept"] = more.pop("accept")
        return self.local.post_form("/introspect", {"token": token, **more}, headers)

    def consume(self, token: str, execution: str = "run-1", **members: Any) -> Answer:
        """POST /api/approvals/consume; a member that is None is left out."""
        whole = {
            "token": token,
            "authorization_details": PAYMENT_DETAILS,
            "execution_id": execution,
            **members,
        }
        parameters = {name: value for name, value in whole.items() if value is not None}
        return self.local.send(
            "POST",
            "/api/approvals/consume",
            headers={"authorization": self.basic},
            body=json.dumps(parameters).encode(),
        )

    def report(self, approval: str, execution: str = "run-1", **members: Any) -> Answer:
        """POST /api/approvals/outcome; a member that is None is left out."""
        whole = {
            "approval": approval,
            "execution_id": execution,
            "outcome": "executed",
            **members,
        }
        parameters = {name: value for name, value in whole.items() if value is not None}
        return self.local.send(
            "POST",
            "/api/approvals/outcome",
            headers={"authorization": self.basic},
            body=json.dumps(parameters).encode(),
        )

    @property
    def basic(self) -> str:
        """Return the `Authorization` header of HTTP Basic authentication."""
        return "Basic " + b64encode(f"{self.id}:{self.secret}".encode()).decode()


def new_resource(local: LocalSite, uri: str = PAY) -> LocalResource:
    """Give the payment API, or a different registered resource, a new secret; return the API."""
    rotated = local.admin.resources.rotate_secret(uri, by=BY)
    return LocalResource(local, rotated.resource.client_id, rotated.secret)


@dataclass(slots=True)
class LocalTerminal:
    """A person's terminal: its keys, its session, and what it sends."""

    local: LocalSite
    user: User
    session: SigningKey
    low: SigningKey
    high: SigningKey
    access_token: str
    refresh_token: str
    device_id: str = ""

    @property
    def now(self) -> int:
        """Return the server's time in seconds."""
        return self.local.clock.now() // 1000

    @property
    def signer(self) -> Signer:
        """Return the device, user and issuer that its signatures name."""
        return Signer(self.device_id, self.user.id, ISSUER)

    @property
    def device(self) -> Device:
        """Return the stored device."""
        return self.local.device(self.device_id)

    def proof(
        self, method: str, path: str, *, key: SigningKey | None = None, **changes: Any
    ) -> str:
        """Return a fresh DPoP proof for a request with its token; `changes` replace members."""
        members = {
            "access_token": self.access_token,
            "at": self.now,
            "uri": ISSUER + path,
            **changes,
        }
        return dpop_proof(key or self.session, method=method, **members)

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request to the API."""
        return self.local.send(
            method,
            path,
            query=query,
            headers={"authorization": f"DPoP {self.access_token}", **(headers or {})},
            proofs=[self.proof(method, path)],
            body=b"" if body is None else json.dumps(body).encode(),
        )

    def administer(
        self, method: str, path: str, body: object = None, *, version: str | None = None
    ) -> Answer:
        """Send one request to the administration API, signed after a PIN call for this request."""
        raw_body = b"" if body is None else json.dumps(body).encode()
        digest = request_digest(method, path, raw_body)
        self.pin(digest)
        nonce = self.call("GET", "/api/me").json["device"]["nonce"]
        statement = self.statement(ADMINISTER, nonce, self.high, subject=digest)
        if_match = {} if version is None else {"if-match": f'"{version}"'}
        return self.call(method, path, body, headers={"sayso-statement": statement, **if_match})

    def refresh(self, refresh_token: str = "", key: SigningKey | None = None) -> Answer:
        """POST /token for new tokens of the session; if they are issued, use them from now on."""
        form = {
            "grant_type": "refresh_token",
            "client_id": APPROVER_CLIENT,
            "refresh_token": refresh_token or self.refresh_token,
        }
        answer = self.local.post_form("/token", form, proofs=[self.token_proof(key)])
        if answer.status == 200:
            self.access_token = answer.json["access_token"]
            self.refresh_token = answer.json["refresh_token"]
        return answer

    def token_proof(self, key: SigningKey | None = None) -> str:
        """Return a fresh DPoP proof for the token endpoint."""
        return dpop_proof(key or self.session, method="POST", uri=f"{ISSUER}/token", at=self.now)

    def register(self, name: str = "laptop") -> Answer:
        """POST /api/devices; if that succeeds, the terminal is this device from now on."""
        public = {"low": self.low.jwk, "high": self.high.jwk}
        answer = self.call("POST", "/api/devices", {"name": name, "approval_keys": public})
        if answer.status == 201:
            self.device_id = answer.json["id"]
        return answer

    def show(self, approval_id: str) -> dict[str, Any]:
        """Return the approval with its nonce, as the API shows it."""
        answer = self.call("GET", f"/api/approvals/{approval_id}")
        assert answer.status == 200, answer.body
        return answer.json

    def pin(self, purpose: str = "session") -> Answer:
        """Make one PIN call for this purpose."""
        return self.call("POST", "/api/devices/self/pin", {"x": X, "for": purpose})

    def decision(self, approval_id: str, key: SigningKey | None = None, **members: Any) -> str:
        """Return an approval signed by the low key, by confirmation; `members` replace claims."""
        approval = self.show(approval_id)
        whole: dict[str, Any] = {
            "approval": approval_id,
            "action_digest": approval["action_digest"],
            "display_digest": approval["display_digest"],
            "decision": "approve",
            "code": None,
            "ceremony": "confirm",
            "at": self.now,
            "nonce": approval["nonce"],
            **members,
        }
        return signed_decision(key or self.low, self.signer, whole)

    def send_decision(self, approval_id: str, jws: str, **members: Any) -> Answer:
        """POST the signed decision."""
        return self.call(
            "POST", f"/api/approvals/{approval_id}/decision", {"decision": jws, **members}
        )

    def approve(self, approval_id: str) -> Answer:
        """Approve with the ceremony that the request requires."""
        stored = self.local.stored_approval(approval_id)
        if stored.ceremony == "confirm":
            return self.send_decision(approval_id, self.decision(approval_id))
        typed = self.entries(approval_id)
        key = self.low
        if "pin" in stored.ceremony:
            self.pin(approval_id)
            key = self.high
        jws = self.decision(approval_id, key, ceremony=stored.ceremony)
        return self.send_decision(approval_id, jws, **typed)

    def entries(self, approval_id: str) -> dict[str, str]:
        """Return the correct entries that this request requires in addition to the signature."""
        stored = self.local.stored_approval(approval_id)
        steps = stored.ceremony.split("+")
        correct = {
            "fact": typed_fact(stored.action, stored.display),
            "match": self.local.site.ciba.requests.match_number(stored),
            "reason": "It is on the list." if "reason" in steps else None,
        }
        return {name: entry for name, entry in correct.items() if entry is not None}

    def deny(self, approval_id: str, code: str = "not_needed", **members: Any) -> Answer:
        """Deny with the session key."""
        claims = {"decision": "deny", "code": code, "ceremony": "none"}
        jws = self.decision(approval_id, self.session, **claims)
        return self.send_decision(approval_id, jws, **members)

    def statement(
        self, purpose: str, nonce: str, key: SigningKey | None = None, **members: Any
    ) -> str:
        """Return a signed statement about a device: this one, unless `subject` names another."""
        whole = {"subject": self.device_id, "at": self.now, **members}
        return signed_statement(key or self.low, self.signer, purpose=purpose, nonce=nonce, **whole)


def new_person(local: LocalSite, name: str) -> LocalTerminal:
    """Add a user and enroll their first device."""
    user, issued = local.admin.users.add(NewUser(name), by=BY)
    terminal = sign_in(local, user, issued.code)
    assert terminal.register().status == 201
    return terminal


def another_device(person: LocalTerminal, name: str = "desktop") -> LocalTerminal:
    """Enroll one more device of the same person."""
    user, issued = person.local.admin.users.enroll(person.user.name, by=BY)
    terminal = sign_in(person.local, user, issued.code)
    assert terminal.register(name).status == 201
    return terminal


def sign_in(local: LocalSite, user: User, code: str) -> LocalTerminal:
    """Return a terminal that has a session but is not registered as a device yet."""
    session, low, high = (SigningKey.generate() for _ in range(3))
    terminal = LocalTerminal(local, user, session, low, high, access_token="", refresh_token="")
    answer = enroll(local, code, terminal.token_proof())
    assert answer.status == 200, answer.body
    terminal.access_token = answer.json["access_token"]
    terminal.refresh_token = answer.json["refresh_token"]
    return terminal


def enroll(local: LocalSite, code: str | None, *proofs: str, **parameters: Any) -> Answer:
    """POST /token with an enrollment code."""
    form = {
        "grant_type": GRANT_ENROLLMENT,
        "client_id": APPROVER_CLIENT,
        "code": code,
        **parameters,
    }
    return local.post_form("/token", form, proofs=proofs)
