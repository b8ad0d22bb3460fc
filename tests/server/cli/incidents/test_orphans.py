"""`sayso agents orphans`, and what other verbs print about an agent without an owner."""

import time

import pytest

from server.services.incidents.orphan_quarantine import OrphanQuarantine
from tests.support.builders.clock import DAY
from tests.support.builders.installation import SERVER_POLICY, open_admin


@pytest.fixture
def orphan(admin_cli, data_folder):
    """The services of an installation with an agent whose only owner was disabled."""
    admin_cli("users", "add", "olga")
    admin_cli("agents", "add", "invoice-bot", "--owner", "olga")
    admin_cli("users", "disable", "olga")
    services = open_admin(data_folder)
    services.clock.moment = int(time.time() * 1000)
    yield services
    services.store.close()


@pytest.mark.usefixtures("orphan")
def test_an_orphan_is_listed_with_its_quarantine_date_and_the_remedy(admin_cli):
    """The JSON has every reason and the time at which each owner was last seen."""
    (item,) = admin_cli("agents", "orphans", "--json").document["items"]
    assert (item["name"], item["state"], item["why"]) == ("invoice-bot", "enabled", ["no_owner"])
    (owner,) = item["owners"]
    assert (owner["name"], owner["state"], owner["seen_at"]) == ("olga", "disabled", None)
    disabled_user = admin_cli("users", "show", "olga", "--json").document
    assert (disabled_user["state"], disabled_user["disabled_at"] is None) == ("disabled", False)
    agent = admin_cli("agents", "show", "invoice-bot", "--json").document
    assert item["quarantine_at"] == agent["quarantine_at"] is not None
    out = admin_cli("agents", "orphans").out
    assert "no enabled owner" in out
    assert "olga (disabled, never seen)" in out
    assert "sayso agents update invoice-bot --add-owner USER" in out
    assert (
        "no enabled owner: will be quarantined at" in admin_cli("agents", "show", "invoice-bot").out
    )


@pytest.mark.usefixtures("orphan")
def test_an_orphan_with_a_new_owner_is_no_longer_listed(admin_cli):
    """The agent no longer has a quarantine date."""
    admin_cli("agents", "update", "invoice-bot", "--add-owner", "admin")
    assert admin_cli("agents", "orphans").out == "No results.\n"
    agent = admin_cli("agents", "show", "invoice-bot", "--json").document
    assert agent["quarantine_at"] is None


def test_the_incident_of_an_orphan_quarantine_lists_the_next_steps(admin_cli, orphan):
    """The commands add an owner, enable the agent, and close the incident, in this order."""
    orphan.clock.forward(14 * DAY)
    assert OrphanQuarantine(orphan.store, orphan.secrets, SERVER_POLICY).round() == 1
    (item,) = admin_cli("incidents", "list", "--json").document["items"]
    assert (item["cause"], item["user"], item["approval"]) == ("no_owner", None, None)
    assert (item["signed"], item["agents"][0]["name"]) == (None, "invoice-bot")
    listing = admin_cli("incidents", "list").out
    assert "it had no enabled owner" in listing
    *_, owner, enable, close = admin_cli("incidents", "show", item["id"]).out.splitlines()
    assert owner.endswith("sayso agents update invoice-bot --add-owner USER")
    assert enable.endswith("sayso agents enable invoice-bot")
    assert close.endswith(f"sayso incidents close {item['id']} --note TEXT")
    assert "An agent was quarantined because it has no owner." in admin_cli("doctor").out
