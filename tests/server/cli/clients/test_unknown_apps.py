"""Unregistered apps on the command line: listed, disabled, deleted and invited."""

from server import app
from server.settings import load
from tests.support.builders.unknown_apps import new_unknown_app
from tests.support.fakes.document_host import URL

PAY = "https://pay.example"


def test_unregistered_apps_are_listed_shown_disabled_and_deleted(admin_cli):
    """An unregistered app is given by its host or by its client_id."""
    services = app.build(load())
    new_unknown_app(services.store)
    services.store.close()
    admin_cli("apps", "add", "mine", "--redirect-uri", "https://mine.example/cb")
    (item,) = admin_cli("apps", "list", "--unknown", "--json").document["items"]
    assert (item["client_id"], item["origin"]) == (URL, "document")
    assert len(admin_cli("apps", "list", "--json").document["items"]) == 2
    output = admin_cli("apps", "show", "chat.example").out
    assert "nobody" in output
    assert "Chat" in output
    assert admin_cli("apps", "update", URL, "--disable", "--json").document["state"] == "disabled"
    assert admin_cli("apps", "update", URL, "--name", "x", "--json").error["code"] == "conflict"
    assert admin_cli("apps", "delete", URL, "--json").document["state"] == "deleted"


def test_a_resource_is_opened_to_unregistered_apps_and_closed(admin_cli):
    """A resource is closed to them until an administrator opens it."""
    update = ("resources", "update", PAY)
    assert admin_cli("resources", "show", PAY, "--json").document["unknown_clients"] is False
    assert admin_cli(*update, "--unknown-clients", "--json").document["unknown_clients"] is True
    assert "unregistered apps" in admin_cli(*update, "--scope", "new").out
    assert admin_cli(*update, "--no-unknown-clients", "--json").document["unknown_clients"] is False
    added = ("resources", "add", "https://mcp.example", "--unknown-clients", "--json")
    assert admin_cli(*added).document["unknown_clients"] is True


def test_apps_are_invited(admin_cli):
    """The answer has the token, and the list of invitations has the new one."""
    flags = ("--owner", "admin", "--uses", "3", "--expires", "2d")
    document = admin_cli("apps", "invite", *flags, "--json").document
    assert document["initial_access_token"].startswith("sayso_it_")
    assert "TOKEN=sayso_it_" in admin_cli("apps", "invite", "--owner", "admin").out
    items = admin_cli("agents", "invitations", "--json").document["items"]
    assert document["id"] in {item["id"] for item in items}
