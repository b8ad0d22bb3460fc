"""The console in a test: each staff member has a browser that is signed in with a passkey.

Owns: what such a browser sends. Never: what the pages show.
"""

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from server.http import cookies
from server.protocol.forms import CONTENT_TYPE
from tests.support.builders.admins import ROLES, AdminSite
from tests.support.builders.passkey import LocalBrowser, SoftPasskey, enrollment_code
from tests.support.builders.site import ISSUER

NOBODY = "nobody"
FROM_HERE = {"Origin": "null", "Sec-Fetch-Site": "same-origin"}
"""Headers that a browser sends with a form of our pages, which send no referrer."""
_STATEMENT_ATTRIBUTE = re.compile(r'data-(purpose|subject|nonce)="([^"]*)"')


@dataclass(slots=True)
class Console:
    """The browsers of the staff, and what they send."""

    staff: AdminSite
    browsers: dict[str, LocalBrowser] = field(default_factory=dict)

    def get(self, who: str, path: str) -> TestResponse:
        """Get a page as this person sees it."""
        return self._client(who).get(path, base_url=ISSUER)

    def post(
        self,
        who: str,
        path: str,
        form: Mapping[str, Any] = {},
        headers: Mapping[str, str] = FROM_HERE,
    ) -> TestResponse:
        """Post a form as the page for this person sends it; a field that is None is left out."""
        parameters = {"csrf": self.csrf(who), **form}
        fields = {name: value for name, value in parameters.items() if value is not None}
        body, all_headers = urlencode(fields), {**headers, "Content-Type": CONTENT_TYPE}
        return self._client(who).post(path, data=body, headers=all_headers, base_url=ISSUER)

    def signed(self, who: str, path: str, form: Mapping[str, Any] = {}) -> TestResponse:
        """Post a form, sign the statement that the page then asks for, and post it again."""
        confirmation = self.post(who, path, form)
        assert "Sign with passkey" in confirmation.text, confirmation.text
        members = {
            name: html.unescape(value)
            for name, value in _STATEMENT_ATTRIBUTE.findall(confirmation.text)
        }
        statement = self.browsers[who].statement(**members)
        return self.post(who, path, {**form, "statement": statement})

    def csrf(self, who: str) -> str:
        """Return the CSRF token of the pages for this person's browser."""
        if who == NOBODY:
            return "made up"
        return self.staff.local.site.devices.browsers.csrf(self.browsers[who].cookie)

    def document(self, path: str) -> dict[str, Any]:
        """Return what the API answers the administrator at this path."""
        members: dict[str, Any] = json.loads(self.browsers["admin"].send("GET", path).body)
        return members

    def _client(self, who: str) -> FlaskClient:
        client = self.staff.local.app.test_client()
        if who != NOBODY:
            cookie_name = cookies.name(self.staff.local.server_policy)
            client.set_cookie(cookie_name, self.browsers[who].cookie)
        return client


def open_console(staff: AdminSite) -> Console:
    """Give each staff member a passkey for which their older device has vouched."""
    browsers = {role: _browser(staff, role) for role in ROLES}
    with staff.local.services.store.write() as tx:
        for browser in browsers.values():
            tx.devices.vouch(browser.device_id, tx.now)
    return Console(staff, browsers)


def _browser(staff: AdminSite, who: str) -> LocalBrowser:
    passkey = SoftPasskey(credential=f"passkey of {who}".encode())
    browser = LocalBrowser(staff.local, staff.people[who].user, passkey)
    assert browser.enroll(enrollment_code(staff.local, who)).status == 201
    return browser
