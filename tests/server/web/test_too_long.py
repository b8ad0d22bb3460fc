"""Page forms that are too long are refused with a message instead of an internal error."""

import re

import pytest
from structlog.testing import capture_logs

from server.http import cookies
from tests.support.builders.passkey import new_browser
from tests.support.builders.site import ISSUER
from tests.support.inputs.page_paths import page_forms

FORM = {
    "Accept": "text/html",
    "Content-Type": "application/x-www-form-urlencoded",
    "Origin": ISSUER,
    "Sec-Fetch-Site": "same-origin",
}


@pytest.mark.parametrize("signed_in", [False, True])
def test_a_form_that_is_too_long_is_refused_at_every_address(local, signed_in):
    """The answer is 413 with a message, and nothing is logged as a server error.

    A signed-out user may be asked to sign in first.
    """
    client = local.app.test_client()
    if signed_in:
        client.set_cookie(cookies.name(local.server_policy), new_browser(local).cookie)
    forms = page_forms(local.app)
    assert len(forms) > 50
    with capture_logs() as log:
        for rule in forms:
            path = re.sub("<[^>]+>", "x", rule)
            answer = client.post(path, base_url=ISSUER, headers=FORM, data=b"a=" + b"x" * 200_000)
            refused = answer.status_code == 413 and "send less" in answer.text
            asks_to_sign_in = not signed_in and "Sign in" in answer.text
            assert refused or asks_to_sign_in, (rule, answer.status_code, answer.text)
    assert [line for line in log if line["event"] == "page.failed"] == []
