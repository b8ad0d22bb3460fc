"""A person at their own pages in a test, and something for them to look after.

Owns: what such a browser sends, and who acts for its person. Never: what the pages say.
"""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from server.http import cookies
from server.protocol.forms import CONTENT_TYPE
from tests.support.builders import consents, standing_grants
from tests.support.builders.callers import LocalAgent
from tests.support.builders.console import FROM_HERE
from tests.support.builders.passkey import LocalBrowser
from tests.support.builders.site import ISSUER

_WANTED = re.compile(r'data-(purpose|subject|nonce)="([^"]*)"')


@dataclass(slots=True)
class Pages:
    """One person's browser before the pages; without scripts, but for what a passkey signs."""

    browser: LocalBrowser

    @property
    def csrf(self) -> str:
        """What the pages for this browser send along."""
        return self.browser.local.site.devices.browsers.csrf(self.browser.cookie)

    def get(self, path: str) -> TestResponse:
        """A page."""
        return self._client().get(path, base_url=ISSUER)

    def post(
        self, path: str, form: Mapping[str, Any] = {}, headers: Mapping[str, str] = FROM_HERE
    ) -> TestResponse:
        """A form as a page sends it; a field that is None is left out."""
        sent = {"csrf": self.csrf, **form}
        kept = {name: value for name, value in sent.items() if value is not None}
        named = {**headers, "Content-Type": CONTENT_TYPE}
        return self._client().post(path, data=urlencode(kept), headers=named, base_url=ISSUER)

    def signed(self, path: str, form: Mapping[str, Any] = {}) -> TestResponse:
        """A form that the passkey signs as the page that answers it says."""
        asked = self.post(path, form)
        assert "Sign with passkey" in asked.text, asked.text
        wanted = {name: html.unescape(value) for name, value in _WANTED.findall(asked.text)}
        return self.post(path, {**form, "statement": self.browser.statement(**wanted)})

    def _client(self) -> FlaskClient:
        client = self.browser.local.app.test_client()
        if self.browser.cookie:
            client.set_cookie(cookies.name(self.browser.local.server_policy), self.browser.cookie)
        return client


def give_consent(browser: LocalBrowser, agent: LocalAgent, **members: Any) -> str:
    """The person lets the agent read for thirty days; the consent's id."""
    approval = consents.ask(
        browser.local, consents.wanted(browser.local, agent, browser, **members)
    )
    assert browser.approve(approval.id).status == 200
    found = consents.live(browser.local, agent, browser)
    assert found is not None
    return found.id


def give_grant(browser: LocalBrowser, agent: LocalAgent, **members: Any) -> str:
    """The person approves three small payments ahead; the grant's id."""
    standing_grants.lower(browser.local)
    example = standing_grants.example(agent, login_hint=browser.user.name)
    opened = browser.send("POST", "/api/grants", standing_grants.wish(example, **members))
    assert opened.status == 201, opened.body
    assert browser.approve(opened.json["id"]).status == 200
    return standing_grants.all_of(browser.local)[0].id


def give_token(browser: LocalBrowser, agent: LocalAgent) -> str:
    """The person approves a request, and the agent has its token; the delegation's id."""
    handle, approval = agent.asked(login_hint=browser.user.name)
    assert browser.approve(approval.id).status == 200
    assert agent.poll(handle).status == 200
    with browser.local.services.store.read() as view:
        rows = view.delegations.search(
            client_id=agent.id, user_id=browser.user.id, resource=None, live_at=None, limit=50
        )
    (made,) = [row.id for row in rows if row.approval_id == approval.id]
    return made
