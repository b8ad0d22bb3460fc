"""Groups of approvers: their members, their names, and what names them."""

import pytest

from server.services.approvers import group_members
from server.services.approvers.groups import GroupChanges, Groups
from server.services.policy.documents import InvalidPolicy
from server.services.policy.policies import Policies
from server.services.refusals import Conflict, Exists, Invalid, NotFound
from server.services.users import user_or_group
from tests.support.builders.installation import BY, admitted, registered
from tests.support.builders.policies import rule


@pytest.fixture
def finance(desk):
    """A group of Ana and Bob."""
    for name in ("ana", "bob", "cleo"):
        admitted(desk, name)
    found = Groups(desk.store, desk.secrets)
    found.add("finance", ["bob", "ana", "bob"], by=BY)
    return found


def _among(desk, name, named):
    with desk.store.read() as view:
        return user_or_group.includes(view, view.directory.user_called(name).id, named)


def test_each_member_is_one_once(desk, finance):
    """Every change is an entry, and one that changes nothing is none."""
    group = finance.show("finance")
    assert len(group.members) == 2
    assert finance.update("finance", GroupChanges(add=("ana",)), by=BY) == group
    finance.update("finance", GroupChanges(members=("cleo",)), by=BY)
    (added,) = desk.entries("group.added")
    (updated,) = desk.entries("group.updated")
    assert added["facts"] == {
        "group": group.id,
        "name": "finance",
        "members": list(group.members),
    }
    assert len(updated["facts"]["members"]) == 1


def test_no_two_groups_look_alike(finance):
    """When one is made and when one is renamed; its own name may be spelt anew."""
    finance.add("legal", (), by=BY)
    with pytest.raises(Exists, match="The group finance already exists"):
        finance.add("Flnance", (), by=BY)
    with pytest.raises(Exists, match="The group finance already exists"):
        finance.update("legal", GroupChanges(name="FINANCE"), by=BY)
    assert finance.update("finance", GroupChanges(name="Finance"), by=BY).name == "Finance"


def test_a_name_means_a_user_or_a_group_and_never_both(desk, finance):
    """Who has the same name is told apart by the id."""
    finance.add("cleo", [], by=BY)
    with desk.store.read() as view:
        assert user_or_group.id_of(view, "finance") == finance.show("finance").id
        assert user_or_group.id_of(view, "ana") == view.directory.user_called("ana").id
        with pytest.raises(Invalid, match="by its id"):
            user_or_group.id_of(view, "cleo")
        with pytest.raises(NotFound):
            user_or_group.id_of(view, "eve")
    with pytest.raises(InvalidPolicy, match="by its id"):
        Policies(desk.store).set(rule("ask", 'ask.who = ["cleo"]'), by=BY)
    with pytest.raises(InvalidPolicy, match="no user or group eve"):
        Policies(desk.store).set(rule("ask", 'ask.who = ["eve"]'), by=BY)


def test_who_is_in_a_group_is_meant_by_it(desk, finance):
    """From the moment at which they join until they leave."""
    group = finance.show("finance")
    assert [_among(desk, name, [group.id]) for name in ("ana", "cleo")] == [True, False]
    finance.update("finance", GroupChanges(add=("cleo",), remove=("ana",)), by=BY)
    assert [_among(desk, name, [group.id]) for name in ("ana", "cleo")] == [False, True]


def test_a_group_that_something_names_is_not_deleted(desk, finance):
    """Neither policy nor an agent is left with a name that means nobody."""
    registered(desk, owners=("ana",), asks=("finance",))
    with pytest.raises(Conflict, match="invoice-bot can ask"):
        finance.delete("finance", by=BY)
    desk.agents.delete("invoice-bot", by=BY)
    Policies(desk.store).set(rule("ask", 'ask.who = ["finance"]'), by=BY)
    with pytest.raises(Conflict, match="policy in force"):
        finance.delete("finance", by=BY)
    Policies(desk.store).set(rule("ask"), by=BY)
    finance.delete("finance", by=BY)
    assert finance.all() == []


def test_a_group_has_so_many_members_at_the_most(finance, monkeypatch):
    """Everybody of them is asked."""
    monkeypatch.setattr(group_members, "MAX_MEMBERS", 2)
    with pytest.raises(Invalid, match="at most 2"):
        finance.update("finance", GroupChanges(add=("cleo",)), by=BY)
