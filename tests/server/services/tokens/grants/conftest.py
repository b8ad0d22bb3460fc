"""Fixtures of the grants for apps.

Owns: a person who signs in and allows the requests of an app.
"""

import pytest

from approver_tui.client.jose import dpop_proof
from tests.support.builders.app_users import give_password, new_app, new_browser
from tests.support.builders.site import ISSUER


@pytest.fixture
def app(local):
    """A chat app with a secret."""
    return new_app(local)


@pytest.fixture
def browser(person, local):
    """Ana's browser; she has a password."""
    give_password(local, person.user.name)
    return new_browser(local)


@pytest.fixture
def code_for(browser, person):
    """Return a function that signs Ana in to an app, allows its request and returns the code."""

    def get(app, **parameters):
        page = browser.authorize(app.id, **parameters)
        if "password" in page.text:
            page = browser.sign_in("ana")
        if page.forms:
            browser.answer("allow")
            for item in person.call("GET", "/api/approvals").json["items"]:
                person.approve(item["id"])
            page = browser.again() if browser.page.forms else browser.page
        return page.answer["code"]

    return get


@pytest.fixture
def proof(local):
    """Return a function that makes current proofs for the token endpoint."""

    def make(key, path="/token"):
        at = local.clock.now() // 1000
        return dpop_proof(key, method="POST", uri=ISSUER + path, at=at)

    return make
