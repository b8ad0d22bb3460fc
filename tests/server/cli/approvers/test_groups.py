"""`sayso groups`: each verb, and what it answers."""

import pytest


@pytest.fixture
def people(begun):
    """Ana and Bob."""
    for name in ("ana", "bob"):
        begun("users", "add", name)


@pytest.mark.usefixtures("people")
def test_a_group_is_made_listed_shown_changed_and_forgotten(begun):
    """Members by name; what is not named stays."""
    made = begun("groups", "add", "finance", "--member", "ana", "--json").document
    assert (made["name"], made["members"], made["id"][:9]) == ("finance", ["ana"], "sayso_gr_")
    assert "finance" in begun("groups", "list").out
    assert "finance: ana" in begun("groups", "show", "FINANCE").out
    changed = begun("groups", "update", "finance", "--add", "bob", "--remove", "ana", "--json")
    assert changed.document["members"] == ["bob"]
    renamed = begun("groups", "update", made["id"], "--name", "money", "--json").document
    assert (renamed["name"], renamed["members"]) == ("money", ["bob"])
    assert begun("groups", "delete", "money").out == "Deleted money.\n"
    assert begun("groups", "list", "--json").document == {"items": []}


@pytest.mark.usefixtures("people")
def test_what_cannot_be_says_why(begun):
    """A name that is taken, nobody of that name, nothing to change."""
    begun("groups", "add", "finance", "--member", "ana")
    assert begun("groups", "add", "Finance", "--json").error["code"] == "exists"
    assert begun("groups", "add", "finance", "--if-missing", "--json").document["members"] == [
        "ana"
    ]
    assert begun("groups", "add", "other", "--member", "eve", "--json").error["code"] == "not_found"
    assert begun("groups", "show", "other", "--json").error["code"] == "not_found"
    assert "--add or --remove" in begun("groups", "update", "finance").err


@pytest.mark.usefixtures("people")
def test_an_agent_asks_a_group(begun):
    """By its name; while it does, the group stays."""
    begun("groups", "add", "finance", "--member", "ana")
    begun("agents", "add", "bot", "--owner", "ana", "--asks", "finance", "--asks", "bob")
    shown = begun("agents", "show", "bot", "--json").document
    assert sorted(shown["asks"]) == ["bob", "finance"]
    refused = begun("groups", "delete", "finance")
    assert (refused.code, "bot can ask" in refused.err) == (6, True)
    assert "groups" in begun("agents", "update", "bot", "--asks", "eve").err
