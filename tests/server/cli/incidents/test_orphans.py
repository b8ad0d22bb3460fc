"""`sayso agents orphans`, and what the other verbs say of an agent for which nobody answers."""

import time

import pytest

from server.services.incidents.orphan_quarantine import OrphanQuarantine
from tests.support.builders.clock import DAY
from tests.support.builders.installation import RULES, open_desk


@pytest.fixture
def orphan(begun, folder):
    """An agent whose only owner was disabled, and the desk behind it."""
    begun("users", "add", "olga")
    begun("agents", "add", "invoice-bot", "--owner", "olga")
    begun("users", "disable", "olga")
    desk = open_desk(folder)
    desk.clock.moment = int(time.time() * 1000)
    yield desk
    desk.store.close()


@pytest.mark.usefixtures("orphan")
def test_an_agent_in_its_time_of_grace_is_listed_with_its_end_and_the_remedy(begun):
    """As JSON with every reason and when its owners were seen."""
    (item,) = begun("agents", "orphans", "--json").document["items"]
    assert (item["name"], item["state"], item["why"]) == ("invoice-bot", "enabled", ["no_owner"])
    (owner,) = item["owners"]
    assert (owner["name"], owner["state"], owner["seen_at"]) == ("olga", "disabled", None)
    gone = begun("users", "show", "olga", "--json").document
    assert (gone["state"], gone["disabled_at"] is None) == ("disabled", False)
    shown = begun("agents", "show", "invoice-bot", "--json").document
    assert item["quarantine_at"] == shown["quarantine_at"] is not None
    out = begun("agents", "orphans").out
    assert "no enabled owner" in out
    assert "olga (disabled, never seen)" in out
    assert "sayso agents update invoice-bot --add-owner USER" in out
    assert "no enabled owner: quarantined at" in begun("agents", "show", "invoice-bot").out


@pytest.mark.usefixtures("orphan")
def test_with_an_owner_it_is_an_orphan_no_more(begun):
    """Nor has it an end."""
    begun("agents", "update", "invoice-bot", "--add-owner", "admin")
    assert begun("agents", "orphans").out == "There are none.\n"
    shown = begun("agents", "show", "invoice-bot", "--json").document
    assert shown["quarantine_at"] is None


def test_the_incident_of_its_quarantine_says_how_it_goes_on(begun, orphan):
    """First an owner, then the agent, then the incident."""
    orphan.clock.forward(14 * DAY)
    assert OrphanQuarantine(orphan.store, orphan.secrets, RULES).round() == 1
    (item,) = begun("incidents", "list", "--json").document["items"]
    assert (item["cause"], item["user"], item["approval"]) == ("no_owner", None, None)
    assert (item["signed"], item["agents"][0]["name"]) == (None, "invoice-bot")
    listed = begun("incidents", "list").out
    assert "it had no enabled owner" in listed
    *_, owner, goes_on, close = begun("incidents", "show", item["id"]).out.splitlines()
    assert owner.endswith("sayso agents update invoice-bot --add-owner USER")
    assert goes_on.endswith("sayso agents enable invoice-bot")
    assert close.endswith(f"sayso incidents close {item['id']} --note TEXT")
    assert "An agent was quarantined because it has no owner." in begun("doctor").out
