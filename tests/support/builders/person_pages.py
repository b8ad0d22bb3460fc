"""The pages of one person in a test, opened in the browser that has their passkey.

Owns: what such a browser sends. Never: what the pages show.
"""

import html
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from server.http import cookies
from server.protocol.forms import CONTENT_TYPE
from tests.support.builders.console import FROM_HERE
from tests.support.builders.passkey import LocalBrowser
from tests.support.builders.site import ISSUER


def get(browser: LocalBrowser, path: str) -> TestResponse:
    """Get a page as this person sees it."""
    return _client(browser).get(path, base_url=ISSUER)


def post(
    browser: LocalBrowser,
    path: str,
    form: Mapping[str, Any] = {},
    headers: Mapping[str, str] = FROM_HERE,
) -> TestResponse:
    """Post a form as the page for this person sends it; a field that is None is left out."""
    csrf = browser.local.site.devices.browsers.csrf(browser.cookie)
    fields = {name: value for name, value in {"csrf": csrf, **form}.items() if value is not None}
    all_headers = {**headers, "Content-Type": CONTENT_TYPE}
    return _client(browser).post(path, data=urlencode(fields), headers=all_headers, base_url=ISSUER)


def hidden(page: str, name: str) -> str:
    """Return the value of a hidden field."""
    field = re.search(f'<input type="hidden" name="{name}" value="([^"]*)">', page)
    assert field is not None, page
    return html.unescape(field[1])


def _client(browser: LocalBrowser) -> FlaskClient:
    client = browser.local.app.test_client()
    if browser.cookie:
        client.set_cookie(cookies.name(browser.local.server_policy), browser.cookie)
    return client
