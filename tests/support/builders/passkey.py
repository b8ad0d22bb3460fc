"""A passkey in software, and the browser of the person who has it, inside the test.

Owns: what an authenticator and our pages send; a test can replace every part of it.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from server.http import cookies
from server.model.devices import Device
from server.model.users import User
from server.protocol.devices.passkeys import challenge, decode_base64url, encode_base64url
from server.services.users.users import NewUser
from tests.support.builders.ceremonies import typed_fact
from tests.support.builders.installation import BY
from tests.support.builders.site import ISSUER, Answer, LocalSite

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


@dataclass(slots=True)
class SoftPasskey:
    """An ES256 passkey that signs whatever it is asked to."""

    rp_id: str = "localhost"
    origin: str = ISSUER
    flags: int = PRESENT | VERIFIED
    signs: int = 0
    credential: bytes = b"a credential of a test"
    private: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    @property
    def public_key(self) -> bytes:
        """Return the public key as a COSE_Key."""
        numbers = self.private.public_key().public_numbers()
        x, y = (value.to_bytes(32) for value in (numbers.x, numbers.y))
        return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})

    def made(self, asked: bytes) -> dict[str, str]:
        """Return what `navigator.credentials.create` returns for this challenge."""
        size = len(self.credential).to_bytes(2)
        attested = b"\x01" * 16 + size + self.credential + self.public_key
        data = self._data(self.flags | ATTESTED) + attested
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return {
            "attestation": encode_base64url(attestation),
            "client_data": encode_base64url(self._client_data("webauthn.create", asked)),
        }

    def assertion(self, payload: bytes, /, **changes: bytes) -> str:
        """Return its assertion for this payload; `changes` replace parts after signing."""
        self.signs += 1
        client_data = self._client_data("webauthn.get", challenge(payload))
        data = self._data(self.flags)
        signature = self.private.sign(
            data + hashlib.sha256(client_data).digest(), ec.ECDSA(SHA256())
        )
        parts = {
            "credential": self.credential,
            "payload": payload,
            "authenticator_data": data,
            "client_data": client_data,
            "signature": signature,
            **changes,
        }
        return ".".join(encode_base64url(part) for part in parts.values())

    def _data(self, flags: int) -> bytes:
        hashed = hashlib.sha256(self.rp_id.encode()).digest()
        return hashed + bytes([flags]) + self.signs.to_bytes(4)

    def _client_data(self, kind: str, asked: bytes) -> bytes:
        members = {"type": kind, "challenge": encode_base64url(asked), "origin": self.origin}
        return json.dumps({**members, "crossOrigin": False}).encode()


@dataclass(slots=True)
class LocalBrowser:
    """A person's browser: its cookie, its passkey, and what its pages send."""

    local: LocalSite
    user: User
    passkey: SoftPasskey
    cookie: str = ""
    device_id: str = ""

    @property
    def device(self) -> Device:
        """Return the stored device."""
        return self.local.device(self.device_id)

    def send(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str | None] = {}
    ) -> Answer:
        """Send a request as our pages do; a header that is None is left out."""
        policy = self.local.server_policy
        own: dict[str, str | None] = {"origin": ISSUER, "sec-fetch-site": "same-origin"}
        if self.cookie:
            own["cookie"] = f"{cookies.name(policy)}={self.cookie}"
            own[cookies.CSRF.lower()] = self.local.site.devices.browsers.csrf(self.cookie)
        all_headers = {
            name: value for name, value in {**own, **headers}.items() if value is not None
        }
        raw_body = b"" if body is None else json.dumps(body).encode()
        answer = self.local.send(method, path, headers=all_headers, body=raw_body)
        if (set_cookie := answer.headers.get("Set-Cookie")) is not None:
            self.cookie = set_cookie.partition("=")[2].partition(";")[0]
        return answer

    def enroll(self, code: str, **members: Any) -> Answer:
        """Enroll the passkey with this code; `members` replace members of the request."""
        options = self.send("POST", "/api/passkeys/options", {"code": code})
        created = (
            {}
            if options.status != 200
            else self.passkey.made(decode_base64url(options.json["challenge"]))
        )
        empty = {"attestation": "AA", "client_data": "AA"}
        body = {"code": code, "name": "phone", **empty, **created, **members}
        answer = self.send("POST", "/api/passkeys", body)
        if answer.status == 201:
            self.device_id = answer.json["device"]["id"]
        return answer

    def sign_in(self, offer: str | None = None, **changes: bytes) -> Answer:
        """Sign in with this offer, or with a fresh one by default."""
        text = offer or self.send("POST", "/api/passkeys/offer").json["text"]
        assertion = self.passkey.assertion(text.encode(), **changes)
        return self.send("POST", "/api/passkeys/sign-in", {"assertion": assertion})

    def decision(self, approval_id: str, **members: Any) -> str:
        """Return a signed approval with the ceremony of the request; `members` replace claims."""
        approval = self.send("GET", f"/api/approvals/{approval_id}").json
        steps = [step for step in approval["ceremony"].split("+") if step != "pin"]
        whole: dict[str, Any] = {
            "iss": self.device_id,
            "sub": self.user.id,
            "aud": ISSUER,
            "approval": approval_id,
            "action_digest": approval["action_digest"],
            "display_digest": approval["display_digest"],
            "decision": "approve",
            "granted": None,
            "code": None,
            "ceremony": "+".join(steps) or "confirm",
            "at": self.local.clock.now() // 1000,
            "nonce": approval["nonce"],
            **members,
        }
        return self.passkey.assertion(json.dumps(whole).encode())

    def administer(self, method: str, path: str, body: object = None, **said: Any) -> Answer:
        """Send an administrative request, signed with the statement that its first answer asks for.

        `said` replaces members of the statement.
        """
        required_statement = self.send(method, path, body).json["wanted"]
        assertion = self.statement(**{**required_statement, **said})
        return self.send(method, path, body, {"sayso-statement": assertion})

    def statement(self, *, purpose: str, subject: str, nonce: str) -> str:
        """Return a statement signed with its passkey."""
        members = {
            "iss": self.device_id,
            "sub": self.user.id,
            "aud": ISSUER,
            "purpose": purpose,
            "subject": subject,
            "nonce": nonce,
            "at": self.local.clock.now() // 1000,
        }
        return self.passkey.assertion(json.dumps(members).encode())

    def answer(self, approval_id: str, assertion: str, **members: Any) -> Answer:
        """Send a signed decision."""
        path = f"/api/approvals/{approval_id}/decision"
        return self.send("POST", path, {"decision": assertion, **members})

    def approve(self, approval_id: str) -> Answer:
        """Approve with the ceremony that the request requires."""
        stored = self.local.stored_approval(approval_id)
        fact = typed_fact(stored.action, stored.display)
        typed = {} if fact is None else {"fact": fact}
        return self.answer(approval_id, self.decision(approval_id), **typed)

    def deny(self, approval_id: str, code: str = "not_needed", **members: Any) -> Answer:
        """Deny."""
        claims = {"decision": "deny", "code": code, "ceremony": "none"}
        return self.answer(approval_id, self.decision(approval_id, **claims), **members)


def enrollment_code(local: LocalSite, name: str) -> str:
    """Issue an enrollment code for this user."""
    return local.admin.users.enroll(name, by=BY)[1].code


def new_browser(local: LocalSite, name: str = "eva", **members: Any) -> LocalBrowser:
    """Add a user whose first device is a passkey."""
    user, issued = local.admin.users.add(NewUser(name), by=BY)
    browser = LocalBrowser(local, user, SoftPasskey(**members))
    assert browser.enroll(issued.code).status == 201
    return browser
