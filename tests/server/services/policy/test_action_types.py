"""Action types: read strictly, versioned, and not forgotten while somebody needs them."""

import json

import pytest

from server.protocol.names import name_id
from server.protocol.policy.risks import Risk
from server.services.refusals import Conflict, Exists, Invalid, NotFound
from tests.support.builders.installation import BY, PAY, PAYMENT, admitted, registered

FILE = json.dumps(PAYMENT)


def test_a_file_becomes_a_type_in_its_first_version(desk):
    """The document is kept as it was given."""
    row = desk.actions.add(FILE, by=BY)
    assert (row.type, row.version, row.document) == ("payment.transfer", 1, FILE)
    assert desk.actions.show("payment.transfer") == row


def test_adding_a_type_that_exists_says_to_update_it(desk):
    """Add never overwrites."""
    desk.actions.add(FILE, by=BY)
    with pytest.raises(Exists, match="Update it instead"):
        desk.actions.add(FILE, by=BY)


def test_an_update_is_the_next_version_and_the_same_file_is_none(desk):
    """Versions count changes."""
    desk.actions.add(FILE, by=BY)
    assert desk.actions.update(FILE, by=BY).version == 1
    changed = json.dumps({**PAYMENT, "risk": "critical"})
    assert desk.actions.update(changed, by=BY).version == 2
    assert desk.actions.show("payment.transfer").document == changed
    assert len(desk.entries("action.updated")) == 1


@pytest.mark.parametrize(
    ("text", "says"),
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
def test_a_file_that_is_no_action_type_is_refused_with_the_place(desk, text, says):
    """Whoever wrote it finds the line; nothing is stored."""
    with pytest.raises(Invalid, match=says):
        desk.actions.add(text, by=BY)
    assert desk.actions.all() == []


def test_a_type_that_a_scope_needs_is_not_deleted(desk):
    """Without it the scope could never be given again, and nobody would know why."""
    desk.actions.add(FILE, by=BY)
    desk.resources.add(PAY, {"pay": Risk.HIGH}, {"pay": "payment.transfer"}, by=BY)
    with pytest.raises(Conflict, match=f"A scope of {PAY} requires payment.transfer"):
        desk.actions.delete("payment.transfer", by=BY)
    desk.resources.delete(PAY, by=BY)
    desk.actions.delete("payment.transfer", by=BY)
    assert desk.actions.all() == []
    assert len(desk.entries("action.deleted")) == 1


def test_an_unknown_type_is_not_found(desk):
    """By name on show and delete, by the file's type on update."""
    for act in (
        lambda: desk.actions.show("payment.transfer"),
        lambda: desk.actions.update(FILE, by=BY),
        lambda: desk.actions.delete("payment.transfer", by=BY),
    ):
        with pytest.raises(NotFound, match=r"no action type payment\.transfer"):
            act()


def test_other_resources_do_not_keep_a_type(desk):
    """Only a scope that needs it does."""
    desk.actions.add(FILE, by=BY)
    desk.resources.add(PAY, {"pay": Risk.HIGH}, {}, by=BY)
    desk.actions.delete("payment.transfer", by=BY)
    assert desk.actions.all() == []


def test_no_agent_names_a_type_that_is_gone(desk):
    """One that is registered later under the same name has to be allowed again."""
    admitted(desk)
    other = json.loads(FILE) | {"type": "other.type"}
    for document in (FILE, json.dumps(other)):
        desk.actions.add(document, by=BY)
    desk.resources.add(PAY, {"pay": Risk.HIGH}, {}, by=BY)
    limits = (("payment.transfer", "other.type"), ("other.type",), None)
    for place, types in enumerate(limits):
        registered(desk, name=f"bot-{place}", scopes=("pay",), action_types=types)
    desk.actions.delete("payment.transfer", by=BY)
    left = [agent.action_types for agent in desk.agents.all()]
    assert left == [("other.type",), ("other.type",), None]


def test_a_type_is_found_by_what_a_path_calls_it(desk):
    """Whichever of several it is; what nothing is called is not found."""
    for name in ("payment.transfer", "b.type", "a.type"):
        desk.actions.add(json.dumps({**PAYMENT, "type": name}), by=BY)
    assert desk.actions.by_id(name_id("payment.transfer")).type == "payment.transfer"
    with pytest.raises(NotFound):
        desk.actions.by_id("nothing")
    first = desk.actions.page("", 2)
    assert ([row.type for row in first.items], first.next) == (["a.type", "b.type"], "b.type")
