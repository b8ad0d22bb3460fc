"""A person's browser, reduced to HTTP: a real connection, a cookie, and a passkey in software.

Owns: what the pages' scripts send. Never: drawing a page; other modules have real browsers.
"""

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from server.protocol.devices.passkeys import decode_base64url
from tests.support.builders.passkey import SoftPasskey
from tests.support.servers.server import LiveServer

COOKIE = "sayso-passkey"
_STATEMENT_ATTRIBUTE = re.compile(r'data-(purpose|subject|nonce)="([^"]*)"')


@dataclass(slots=True)
class WebPerson:
    """A person who is signed in with a passkey."""

    server: LiveServer
    name: str
    http: httpx.Client
    passkey: SoftPasskey
    me: dict[str, Any] = field(default_factory=dict)
    """The response of `GET /api/me`."""

    @property
    def cookie(self) -> str:
        """Return the `Cookie` header of the browser."""
        return f"{COOKIE}={self.http.cookies[COOKIE]}"

    def assertion(
        self, approval_id: str, shown: Mapping[str, Any] | None = None, **members: Any
    ) -> str:
        """Return an approval of this request, signed with the passkey; `members` replace claims.

        If this person cannot see the request, `shown` is the request as another person sees it.
        """
        shown = shown or self.http.get(f"/api/approvals/{approval_id}").json()
        steps = [step for step in shown["ceremony"].split("+") if step != "pin"]
        claims = {
            "iss": self.me["device"]["id"],
            "sub": self.me["user"]["id"],
            "aud": self.server.url,
            "approval": approval_id,
            "action_digest": shown["action_digest"],
            "display_digest": shown["display_digest"],
            "decision": "approve",
            "granted": None,
            "code": None,
            "ceremony": "+".join(steps) or "confirm",
            "at": self.server.clock.now() // 1000,
            "nonce": shown["nonce"],
            **members,
        }
        return self.passkey.assertion(json.dumps(claims).encode())

    def decide(self, approval_id: str, assertion: str) -> httpx.Response:
        """Send a signed decision."""
        return self.http.post(
            f"/api/approvals/{approval_id}/decision", json={"decision": assertion}
        )

    def send(self, path: str, form: Mapping[str, str] = {}) -> httpx.Response:
        """Send a form as the pages do."""
        parameters = {"csrf": self.http.headers["Sayso-Csrf"], **form}
        return self.http.post(path, data=parameters, headers={"Origin": "null"})

    def sign(self, path: str, form: Mapping[str, str] = {}) -> httpx.Response:
        """Send a form, sign the statement that the page then asks for, and send it again."""
        confirmation = self.send(path, form)
        assert "Sign with passkey" in confirmation.text, confirmation.text
        members = {
            name: html.unescape(value)
            for name, value in _STATEMENT_ATTRIBUTE.findall(confirmation.text)
        }
        return self.send(path, {**form, "statement": self.statement(**members)})

    def statement(self, *, purpose: str, subject: str, nonce: str) -> str:
        """Return a statement signed with the passkey."""
        members = {
            "iss": self.me["device"]["id"],
            "sub": self.me["user"]["id"],
            "aud": self.server.url,
            "purpose": purpose,
            "subject": subject,
            "nonce": nonce,
            "at": self.server.clock.now() // 1000,
        }
        return self.passkey.assertion(json.dumps(members).encode())


def new_web_person(server: LiveServer) -> WebPerson:
    """Add a user whose first device is a passkey."""
    return enrolled(server, *server.user())


def enrolled(server: LiveServer, name: str, code: str) -> WebPerson:
    """Enroll a passkey for this user with this code; return the person."""
    passkey = SoftPasskey(origin=server.url, credential=code.encode()[:64])
    http = server.client()
    http.headers.update({"Origin": server.url, "Sec-Fetch-Site": "same-origin"})
    options = http.post("/api/passkeys/options", json={"code": code}).json()
    credential = passkey.made(decode_base64url(options["challenge"]))
    answer = http.post("/api/passkeys", json={"code": code, "name": "phone", **credential})
    assert answer.is_success, answer.text
    return _load_page(WebPerson(server, name, http, passkey))


def with_cookie_of(victim: WebPerson, cookie: str) -> WebPerson:
    """Return a different client with this cookie and a passkey that is not enrolled."""
    http = victim.server.client()
    http.headers.update({"Origin": victim.server.url, "Sec-Fetch-Site": "same-origin"})
    http.cookies.set(COOKIE, cookie.removeprefix(f"{COOKIE}="))
    stranger = replace(victim.passkey, private=SoftPasskey().private)
    return _load_page(WebPerson(victim.server, victim.name, http, stranger))


def _load_page(person: WebPerson) -> WebPerson:
    """Store what our pages pass to their scripts: the CSRF token and the user."""
    page = person.http.get("/").text
    person.http.headers["Sayso-Csrf"] = page.partition('data-csrf="')[2].partition('"')[0]
    person.me = person.http.get("/api/me").json()
    return person
