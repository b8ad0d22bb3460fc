"""A person at a browser without a window: real HTTP, a cookie, and a passkey in software.

Owns: what the pages' scripts send. Never: a page; those are for browsers that draw them.
"""

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from server.protocol.devices.passkeys import decoded
from tests.support.builders.passkey import SoftPasskey
from tests.support.servers.server import LiveServer

COOKIE = "sayso-passkey"
_WANTED = re.compile(r'data-(purpose|subject|nonce)="([^"]*)"')


@dataclass(slots=True)
class WebPerson:
    """Somebody who is signed in with a passkey of their own."""

    server: LiveServer
    name: str
    http: httpx.Client
    passkey: SoftPasskey
    me: dict[str, Any] = field(default_factory=dict)
    """What `GET /api/me` says."""

    @property
    def cookie(self) -> str:
        """What its browser brings along."""
        return f"{COOKIE}={self.http.cookies[COOKIE]}"

    def assertion(
        self, approval_id: str, shown: Mapping[str, Any] | None = None, **members: Any
    ) -> str:
        """A yes to this request, signed with the passkey at hand; `members` replace what it says.

        `shown` is what somebody saw of it, where this person sees nothing.
        """
        shown = shown or self.http.get(f"/api/approvals/{approval_id}").json()
        steps = [step for step in shown["ceremony"].split("+") if step != "pin"]
        whole = {
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
        return self.passkey.assertion(json.dumps(whole).encode())

    def decide(self, approval_id: str, assertion: str) -> httpx.Response:
        """Send a signed answer."""
        return self.http.post(
            f"/api/approvals/{approval_id}/decision", json={"decision": assertion}
        )

    def send(self, path: str, form: Mapping[str, str] = {}) -> httpx.Response:
        """A form of one of the pages, as it is sent."""
        sent = {"csrf": self.http.headers["Sayso-Csrf"], **form}
        return self.http.post(path, data=sent, headers={"Origin": "null"})

    def sign(self, path: str, form: Mapping[str, str] = {}) -> httpx.Response:
        """A form, signed with the passkey at hand as the page that answers it says."""
        asked = self.send(path, form)
        assert "Sign with passkey" in asked.text, asked.text
        wanted = {name: html.unescape(value) for name, value in _WANTED.findall(asked.text)}
        return self.send(path, {**form, "statement": self.statement(**wanted)})

    def statement(self, *, purpose: str, subject: str, nonce: str) -> str:
        """The assertion of the passkey about something."""
        whole = {
            "iss": self.me["device"]["id"],
            "sub": self.me["user"]["id"],
            "aud": self.server.url,
            "purpose": purpose,
            "subject": subject,
            "nonce": nonce,
            "at": self.server.clock.now() // 1000,
        }
        return self.passkey.assertion(json.dumps(whole).encode())


def new_web_person(server: LiveServer) -> WebPerson:
    """A new user whose first device is a passkey."""
    return enrolled(server, *server.user())


def enrolled(server: LiveServer, name: str, code: str) -> WebPerson:
    """The user of this name at a browser with a passkey that this code let in."""
    passkey = SoftPasskey(origin=server.url, credential=code.encode()[:64])
    http = server.client()
    http.headers.update({"Origin": server.url, "Sec-Fetch-Site": "same-origin"})
    options = http.post("/api/passkeys/options", json={"code": code}).json()
    made = passkey.made(decoded(options["challenge"]))
    answer = http.post("/api/passkeys", json={"code": code, "name": "phone", **made})
    assert answer.is_success, answer.text
    return _settled(WebPerson(server, name, http, passkey))


def with_cookie_of(one: WebPerson, cookie: str) -> WebPerson:
    """Another client that brings this cookie, and has a passkey that nobody enrolled."""
    http = one.server.client()
    http.headers.update({"Origin": one.server.url, "Sec-Fetch-Site": "same-origin"})
    http.cookies.set(COOKIE, cookie.removeprefix(f"{COOKIE}="))
    stranger = replace(one.passkey, private=SoftPasskey().private)
    return _settled(WebPerson(one.server, one.name, http, stranger))


def _settled(one: WebPerson) -> WebPerson:
    """Set what a page of ours would tell its scripts."""
    page = one.http.get("/").text
    one.http.headers["Sayso-Csrf"] = page.partition('data-csrf="')[2].partition('"')[0]
    one.me = one.http.get("/api/me").json()
    return one
