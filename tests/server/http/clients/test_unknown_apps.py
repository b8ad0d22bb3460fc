"""An administrator sees and blocks an unregistered app, in the API and the console."""

import pytest

from server.protocol.names import name_id
from tests.support.builders.console import open_console
from tests.support.builders.unknown_apps import new_unknown_app
from tests.support.fakes.document_host import URL

PATH = f"/api/apps/{name_id(URL)}"


@pytest.fixture
def admin(staff):
    """The administrator at their terminal."""
    return staff.people["admin"]


@pytest.fixture
def console(staff):
    """A console in which every staff member has a signed-in browser."""
    return open_console(staff)


@pytest.fixture
def unknown_app(staff):
    """An unregistered app whose client_id is the URL of its metadata document."""
    return new_unknown_app(staff.local.services.store, claimed_name="<i>Chat</i>")


def test_the_api_finds_an_unregistered_app_by_an_id_without_slashes(admin, unknown_app):
    """The client_id is a URL, which cannot be part of a path."""
    (listed,) = [
        item
        for item in admin.call("GET", "/api/apps").json["items"]
        if item["id"] != item["client_id"]
    ]
    assert (listed["id"], listed["client_id"]) == (name_id(URL), unknown_app.id)
    assert (listed["origin"], listed["claimed_name"]) == ("document", "<i>Chat</i>")
    assert admin.call("GET", PATH).json == listed
    version = {"if-match": f'"{listed["version"]}"'}
    more = admin.call("PATCH", PATH, {"scopes": ["payments:read"]}, headers=version)
    assert more.refusal == (409, "conflict")
    blocked = admin.call("PATCH", PATH, {"enabled": False}, headers=version).json
    assert blocked["state"] == "disabled"
    assert admin.call("DELETE", PATH).status == 204
    assert admin.call("GET", PATH).refusal == (404, "not_found")


def test_the_console_shows_that_an_unregistered_app_is_not_verified(console, unknown_app):
    """The page escapes the app's claims and offers no way to change them."""
    assert "not verified" in console.get("admin", "/admin/apps").text
    page = console.get("admin", f"/admin/apps/{name_id(unknown_app.id)}").text
    assert "&lt;i&gt;Chat&lt;/i&gt;" in page
    assert unknown_app.id in page
    assert "/edit" not in page
    assert "/disable" in page
