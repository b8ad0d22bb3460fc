"""The console in a test: each of the staff at a browser that is signed in with a passkey.

Owns: what such a browser sends. Never: what the pages say.
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
from tests.support.builders.admins import WHO, Staff
from tests.support.builders.passkey import LocalBrowser, SoftPasskey, code_for
from tests.support.builders.site import ISSUER

NOBODY = "nobody"
FROM_HERE = {"Origin": "null", "Sec-Fetch-Site": "same-origin"}
"""What a browser says of a form of ours, whose page sends no referrer."""
_WANTED = re.compile(r'data-(purpose|subject|nonce)="([^"]*)"')


@dataclass(slots=True)
class Console:
    """The staff's browsers before the pages."""

    staff: Staff
    browsers: dict[str, LocalBrowser] = field(default_factory=dict)

    def get(self, who: str, path: str) -> TestResponse:
        """A page, as this person sees it."""
        return self._client(who).get(path, base_url=ISSUER)

    def post(
        self,
        who: str,
        path: str,
        form: Mapping[str, Any] = {},
        headers: Mapping[str, str] = FROM_HERE,
    ) -> TestResponse:
        """A form as the page for this person sends it; a field that is None is left out."""
        sent = {"csrf": self.csrf(who), **form}
        kept = {name: value for name, value in sent.items() if value is not None}
        body, named = urlencode(kept), {**headers, "Content-Type": CONTENT_TYPE}
        return self._client(who).post(path, data=body, headers=named, base_url=ISSUER)

    def signed(self, who: str, path: str, form: Mapping[str, Any] = {}) -> TestResponse:
        """A form that its passkey signs as the page that answers it says."""
        asked = self.post(who, path, form)
        assert "Sign with passkey" in asked.text, asked.text
        wanted = {name: html.unescape(value) for name, value in _WANTED.findall(asked.text)}
        statement = self.browsers[who].statement(**wanted)
        return self.post(who, path, {**form, "statement": statement})

    def csrf(self, who: str) -> str:
        """What the pages for this person's browser send along."""
        if who == NOBODY:
            return "made up"
        return self.staff.local.site.devices.browsers.csrf(self.browsers[who].cookie)

    def document(self, path: str) -> dict[str, Any]:
        """What the API tells the administrator."""
        found: dict[str, Any] = json.loads(self.browsers["admin"].send("GET", path).body)
        return found

    def _client(self, who: str) -> FlaskClient:
        client = self.staff.local.app.test_client()
        if who != NOBODY:
            named = cookies.name(self.staff.local.server_policy)
            client.set_cookie(named, self.browsers[who].cookie)
        return client


def open_console(staff: Staff) -> Console:
    """Everybody with a passkey for which an older device of theirs has vouched."""
    browsers = {who: _browser(staff, who) for who in WHO}
    with staff.local.services.store.write() as tx:
        for browser in browsers.values():
            tx.devices.vouch(browser.device_id, tx.now)
    return Console(staff, browsers)


def _browser(staff: Staff, who: str) -> LocalBrowser:
    passkey = SoftPasskey(credential=f"passkey of {who}".encode())
    browser = LocalBrowser(staff.local, staff.people[who].user, passkey)
    assert browser.enroll(code_for(staff.local, who)).status == 201
    return browser
