"""Approver groups: their members, their names, and what refers to them."""

import pytest

from server.services.approvers import group_members
from server.services.approvers.groups import GroupChanges, Groups
from server.services.policy.documents import InvalidPolicy
from server.services.policy.policies import Policies
from server.services.refusals import Conflict, Exists, Invalid, NotFound
from server.services.users import user_or_group
from tests.support.builders.installation import BY, add_user, register_agent
from tests.support.builders.policies import rule


@pytest.fixture
def finance(admin_services):
    """A group of Ana and Bob."""
    for name in ("ana", "bob", "cleo"):
        add_user(admin_services, name)
    groups_service = Groups(admin_services.store, admin_services.secrets)
    groups_service.add("finance", ["bob", "ana", "bob"], by=BY)
    return groups_service


def _includes(admin_services, name, user_or_group_ids):
    with admin_services.store.read() as view:
        return view.directory.includes(user_or_group_ids, view.directory.find_user(name).id)


def test_a_group_lists_each_member_once(admin_services, finance):
    """Each change writes an audit entry; a change without effect does not."""
    group = finance.show("finance")
    assert len(group.members) == 2
    assert finance.update("finance", GroupChanges(add=("ana",)), by=BY) == group
    finance.update("finance", GroupChanges(members=("cleo",)), by=BY)
    (added,) = admin_services.entries("group.added")
    (updated,) = admin_services.entries("group.updated")
    assert added["facts"] == {
        "group": group.id,
        "name": "finance",
        "members": list(group.members),
    }
    assert len(updated["facts"]["members"]) == 1


def test_group_names_must_not_look_alike(finance):
    """Adding and renaming check the name; a group may change the case of its own."""
    finance.add("legal", (), by=BY)
    with pytest.raises(Exists, match="The group finance already exists"):
        finance.add("Flnance", (), by=BY)
    with pytest.raises(Exists, match="The group finance already exists"):
        finance.update("legal", GroupChanges(name="FINANCE"), by=BY)
    assert finance.update("finance", GroupChanges(name="Finance"), by=BY).name == "Finance"


def test_an_ambiguous_name_must_be_replaced_by_an_id(admin_services, finance):
    """A name that belongs to both a user and a group is refused."""
    finance.add("cleo", [], by=BY)
    with admin_services.store.read() as view:
        assert user_or_group.id_of(view, "finance") == finance.show("finance").id
        assert user_or_group.id_of(view, "ana") == view.directory.find_user("ana").id
        with pytest.raises(Invalid, match="Use the ID"):
            user_or_group.id_of(view, "cleo")
        with pytest.raises(NotFound):
            user_or_group.id_of(view, "eve")
    with pytest.raises(InvalidPolicy, match="Use the ID"):
        Policies(admin_services.store).set(rule("ask", 'ask.who = ["cleo"]'), by=BY)
    with pytest.raises(InvalidPolicy, match="no user or group eve"):
        Policies(admin_services.store).set(rule("ask", 'ask.who = ["eve"]'), by=BY)


def test_a_group_includes_its_current_members(admin_services, finance):
    """A person counts as a member from when they join until they leave."""
    group = finance.show("finance")
    assert [_includes(admin_services, name, [group.id]) for name in ("ana", "cleo")] == [
        True,
        False,
    ]
    finance.update("finance", GroupChanges(add=("cleo",), remove=("ana",)), by=BY)
    assert [_includes(admin_services, name, [group.id]) for name in ("ana", "cleo")] == [
        False,
        True,
    ]


def test_a_group_in_use_cannot_be_deleted(admin_services, finance):
    """An agent that can ask the group, or the policy in force, prevents the deletion."""
    register_agent(admin_services, owners=("ana",), asks=("finance",))
    with pytest.raises(Conflict, match="invoice-bot can ask"):
        finance.delete("finance", by=BY)
    admin_services.agents.delete("invoice-bot", by=BY)
    Policies(admin_services.store).set(rule("ask", 'ask.who = ["finance"]'), by=BY)
    with pytest.raises(Conflict, match="current policy"):
        finance.delete("finance", by=BY)
    Policies(admin_services.store).set(rule("ask"), by=BY)
    finance.delete("finance", by=BY)
    assert finance.all() == []


def test_the_number_of_group_members_is_limited(finance, monkeypatch):
    """Every member of a group is asked, so a group must not be too large."""
    monkeypatch.setattr(group_members, "MAX_MEMBERS", 2)
    with pytest.raises(Invalid, match="at most 2"):
        finance.update("finance", GroupChanges(add=("cleo",)), by=BY)
