"""`sayso groups`: each verb and its output."""

import pytest


@pytest.fixture
def people(admin_cli):
    """Add the users Ana and Bob."""
    for name in ("ana", "bob"):
        admin_cli("users", "add", name)


@pytest.mark.usefixtures("people")
def test_groups_are_added_listed_shown_changed_and_deleted(admin_cli):
    """Members are given by name, and an update keeps the members it does not name."""
    group = admin_cli("groups", "add", "finance", "--member", "ana", "--json").document
    assert (group["name"], group["members"], group["id"][:9]) == ("finance", ["ana"], "sayso_gr_")
    assert "finance" in admin_cli("groups", "list").out
    assert "finance: ana" in admin_cli("groups", "show", "FINANCE").out
    changed = admin_cli("groups", "update", "finance", "--add", "bob", "--remove", "ana", "--json")
    assert changed.document["members"] == ["bob"]
    renamed = admin_cli("groups", "update", group["id"], "--name", "money", "--json").document
    assert (renamed["name"], renamed["members"]) == ("money", ["bob"])
    assert admin_cli("groups", "delete", "money").out == "Deleted money.\n"
    assert admin_cli("groups", "list", "--json").document == {"items": []}


@pytest.mark.usefixtures("people")
def test_group_errors_state_their_reason(admin_cli):
    """The errors are a taken name, an unknown user, and an update without a change."""
    admin_cli("groups", "add", "finance", "--member", "ana")
    assert admin_cli("groups", "add", "Finance", "--json").error["code"] == "exists"
    assert admin_cli("groups", "add", "finance", "--if-missing", "--json").document["members"] == [
        "ana"
    ]
    assert (
        admin_cli("groups", "add", "other", "--member", "eve", "--json").error["code"]
        == "not_found"
    )
    assert admin_cli("groups", "show", "other", "--json").error["code"] == "not_found"
    assert "--add or --remove" in admin_cli("groups", "update", "finance").err


@pytest.mark.usefixtures("people")
def test_a_group_that_an_agent_asks_cannot_be_deleted(admin_cli):
    """The error names the agent, which has the group in `--asks`."""
    admin_cli("groups", "add", "finance", "--member", "ana")
    admin_cli("agents", "add", "bot", "--owner", "ana", "--asks", "finance", "--asks", "bob")
    agent = admin_cli("agents", "show", "bot", "--json").document
    assert sorted(agent["asks"]) == ["bob", "finance"]
    refused = admin_cli("groups", "delete", "finance")
    assert (refused.code, "bot can ask" in refused.err) == (6, True)
    assert "groups" in admin_cli("agents", "update", "bot", "--asks", "eve").err
