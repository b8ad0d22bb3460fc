"""Registered action types: validation, versions and deletion."""

import json

import pytest

from server.protocol.names import name_id
from server.protocol.policy.risks import Risk
from server.services.refusals import Conflict, Exists, Invalid, NotFound
from tests.support.builders.installation import BY, PAY, PAYMENT, add_user, register_agent

FILE = json.dumps(PAYMENT)


def test_adding_a_file_registers_version_one(admin_services):
    """The document is stored unchanged."""
    row = admin_services.actions.add(FILE, by=BY)
    assert (row.type, row.version, row.document) == ("payment.transfer", 1, FILE)
    assert admin_services.actions.show("payment.transfer") == row


def test_adding_a_type_that_exists_says_to_update_it(admin_services):
    """Adding a type never overwrites one that exists."""
    admin_services.actions.add(FILE, by=BY)
    with pytest.raises(Exists, match="Update it instead"):
        admin_services.actions.add(FILE, by=BY)


def test_an_update_creates_the_next_version_unless_nothing_changed(admin_services):
    """Only an update that changes the document writes an audit entry."""
    admin_services.actions.add(FILE, by=BY)
    assert admin_services.actions.update(FILE, by=BY).version == 1
    changed = json.dumps({**PAYMENT, "risk": "critical"})
    assert admin_services.actions.update(changed, by=BY).version == 2
    assert admin_services.actions.show("payment.transfer").document == changed
    assert len(admin_services.entries("action.updated")) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not JSON"),
        ("[]", "must be a JSON object"),
        ('{"type":"a","type":"b"}', "repeated"),
        (json.dumps({**PAYMENT, "risk": "huge"}), "/risk"),
        (json.dumps({**PAYMENT, "headline": "Pay {nobody}"}), "/headline"),
        (json.dumps({**PAYMENT, "schema": {"type": "object"}}), "closed"),
        (json.dumps({**PAYMENT, "title": "Pay\u202e"}, ensure_ascii=False), "/title"),
    ],
)
def test_an_invalid_file_is_refused_with_the_invalid_member(admin_services, text, message):
    """The error names the invalid member, and nothing is stored."""
    with pytest.raises(Invalid, match=message):
        admin_services.actions.add(text, by=BY)
    assert admin_services.actions.all() == []


def test_a_type_required_by_a_scope_cannot_be_deleted(admin_services):
    """Without the type, the scope could never be granted again."""
    admin_services.actions.add(FILE, by=BY)
    admin_services.resources.add(PAY, {"pay": Risk.HIGH}, {"pay": "payment.transfer"}, by=BY)
    with pytest.raises(Conflict, match=f"A scope of {PAY} requires payment.transfer"):
        admin_services.actions.delete("payment.transfer", by=BY)
    admin_services.resources.delete(PAY, by=BY)
    admin_services.actions.delete("payment.transfer", by=BY)
    assert admin_services.actions.all() == []
    assert len(admin_services.entries("action.deleted")) == 1


def test_an_unknown_type_is_not_found(admin_services):
    """Showing, updating and deleting an unknown type raise `NotFound`."""
    for act in (
        lambda: admin_services.actions.show("payment.transfer"),
        lambda: admin_services.actions.update(FILE, by=BY),
        lambda: admin_services.actions.delete("payment.transfer", by=BY),
    ):
        with pytest.raises(NotFound, match=r"no action type payment\.transfer"):
            act()


def test_a_type_not_required_by_a_scope_can_be_deleted(admin_services):
    """A resource that does not require the type does not prevent its deletion."""
    admin_services.actions.add(FILE, by=BY)
    admin_services.resources.add(PAY, {"pay": Risk.HIGH}, {}, by=BY)
    admin_services.actions.delete("payment.transfer", by=BY)
    assert admin_services.actions.all() == []


def test_deleting_a_type_removes_it_from_agents(admin_services):
    """If a type of the same name is added later, an agent needs permission for it again."""
    add_user(admin_services)
    other = json.loads(FILE) | {"type": "other.type"}
    for document in (FILE, json.dumps(other)):
        admin_services.actions.add(document, by=BY)
    admin_services.resources.add(PAY, {"pay": Risk.HIGH}, {}, by=BY)
    limits = (("payment.transfer", "other.type"), ("other.type",), None)
    for number, types in enumerate(limits):
        register_agent(admin_services, name=f"bot-{number}", scopes=("pay",), action_types=types)
    admin_services.actions.delete("payment.transfer", by=BY)
    allowed_types = [agent.action_types for agent in admin_services.agents.all()]
    assert allowed_types == [("other.type",), ("other.type",), None]


def test_a_type_is_found_by_its_path_id(admin_services):
    """An unknown ID raises `NotFound`; lists are sorted by type and paged."""
    for name in ("payment.transfer", "b.type", "a.type"):
        admin_services.actions.add(json.dumps({**PAYMENT, "type": name}), by=BY)
    assert admin_services.actions.by_id(name_id("payment.transfer")).type == "payment.transfer"
    with pytest.raises(NotFound):
        admin_services.actions.by_id("nothing")
    first = admin_services.actions.page("", 2)
    assert ([row.type for row in first.items], first.next) == (["a.type", "b.type"], "b.type")
