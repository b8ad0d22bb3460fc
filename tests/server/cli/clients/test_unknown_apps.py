"""Apps that nobody registered, on the command line."""

from server import app
from server.settings import load
from tests.support.builders.unknown_apps import new_unknown_app
from tests.support.fakes.document_host import URL

PAY = "https://pay.example"


def test_they_are_listed_shown_blocked_and_deleted(begun):
    """By their host or their client_id."""
    services = app.build(load())
    new_unknown_app(services.store)
    services.store.close()
    begun("apps", "add", "mine", "--redirect-uri", "https://mine.example/cb")
    (listed,) = begun("apps", "list", "--unknown", "--json").document["items"]
    assert (listed["client_id"], listed["origin"]) == (URL, "document")
    assert len(begun("apps", "list", "--json").document["items"]) == 2
    shown = begun("apps", "show", "chat.example").out
    assert "nobody" in shown
    assert "Chat" in shown
    assert begun("apps", "update", URL, "--disable", "--json").document["state"] == "disabled"
    assert begun("apps", "update", URL, "--name", "x", "--json").error["code"] == "conflict"
    assert begun("apps", "delete", URL, "--json").document["state"] == "deleted"


def test_a_resource_is_opened_to_them_and_closed(begun):
    """It is closed until somebody opens it."""
    update = ("resources", "update", PAY)
    assert begun("resources", "show", PAY, "--json").document["unknown_clients"] is False
    assert begun(*update, "--unknown-clients", "--json").document["unknown_clients"] is True
    assert "apps that nobody registered" in begun(*update, "--scope", "new").out
    assert begun(*update, "--no-unknown-clients", "--json").document["unknown_clients"] is False
    added = ("resources", "add", "https://mcp.example", "--unknown-clients", "--json")
    assert begun(*added).document["unknown_clients"] is True


def test_apps_are_invited(begun):
    """The token is shown once; whoever is invited answers to nobody else."""
    flags = ("--owner", "admin", "--uses", "3", "--expires", "2d")
    document = begun("apps", "invite", *flags, "--json").document
    assert document["initial_access_token"].startswith("sayso_it_")
    assert "TOKEN=sayso_it_" in begun("apps", "invite", "--owner", "admin").out
    listed = begun("agents", "invitations", "--json").document["items"]
    assert document["id"] in {item["id"] for item in listed}
