"""A person's own pages in a test, and their consents, grants and tokens.

Owns: what such a browser sends, and creating those objects. Never: what the pages show.
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

_STATEMENT_ATTRIBUTE = re.compile(r'data-(purpose|subject|nonce)="([^"]*)"')


@dataclass(slots=True)
class Pages:
    """One person's browser at their pages. It runs no scripts; a passkey signs for it."""

    browser: LocalBrowser

    @property
    def csrf(self) -> str:
        """Return the CSRF token of the pages for this browser."""
        return self.browser.local.site.devices.browsers.csrf(self.browser.cookie)

    def get(self, path: str) -> TestResponse:
        """Get a page."""
        return self._client().get(path, base_url=ISSUER)

    def post(
        self, path: str, form: Mapping[str, Any] = {}, headers: Mapping[str, str] = FROM_HERE
    ) -> TestResponse:
        """Post a form as a page sends it; a field that is None is left out."""
        parameters = {"csrf": self.csrf, **form}
        fields = {name: value for name, value in parameters.items() if value is not None}
        all_headers = {**headers, "Content-Type": CONTENT_TYPE}
        return self._client().post(
            path, data=urlencode(fields), headers=all_headers, base_url=ISSUER
        )

    def signed(self, path: str, form: Mapping[str, Any] = {}) -> TestResponse:
        """Post a form, sign the statement that the page then asks for, and post it again."""
        confirmation = self.post(path, form)
        assert "Sign with passkey" in confirmation.text, confirmation.text
        members = {
            name: html.unescape(value)
            for name, value in _STATEMENT_ATTRIBUTE.findall(confirmation.text)
        }
        return self.post(path, {**form, "statement": self.browser.statement(**members)})

    def _client(self) -> FlaskClient:
        client = self.browser.local.app.test_client()
        if self.browser.cookie:
            client.set_cookie(cookies.name(self.browser.local.server_policy), self.browser.cookie)
        return client


def give_consent(browser: LocalBrowser, agent: LocalAgent, **members: Any) -> str:
    """Create a consent to read for thirty days; return its ID."""
    approval = consents.ask(
        browser.local, consents.consent_request(browser.local, agent, browser, **members)
    )
    assert browser.approve(approval.id).status == 200
    consent = consents.live(browser.local, agent, browser)
    assert consent is not None
    return consent.id


def give_grant(browser: LocalBrowser, agent: LocalAgent, **members: Any) -> str:
    """Create a standing grant for three small payments; return its ID."""
    standing_grants.lower(browser.local)
    example = standing_grants.example(agent, login_hint=browser.user.name)
    opened = browser.send("POST", "/api/grants", standing_grants.wish(example, **members))
    assert opened.status == 201, opened.body
    assert browser.approve(opened.json["id"]).status == 200
    return standing_grants.all_of(browser.local)[0].id


def give_token(browser: LocalBrowser, agent: LocalAgent) -> str:
    """Approve a request whose token the agent collects; return the delegation's ID."""
    handle, approval = agent.request_approval(login_hint=browser.user.name)
    assert browser.approve(approval.id).status == 200
    assert agent.poll(handle).status == 200
    with browser.local.services.store.read() as view:
        rows = view.delegations.search(
            client_id=agent.id, user_id=browser.user.id, resource=None, live_at=None, limit=50
        )
    (delegation_id,) = [row.id for row in rows if row.approval_id == approval.id]
    return delegation_id
