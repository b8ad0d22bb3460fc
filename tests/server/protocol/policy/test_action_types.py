"""Valid and invalid documents of action types."""

import copy

import pytest
from jsonschema import Draft202012Validator

from server.protocol.policy import action_types
from server.protocol.policy.action_types import Placeholder
from server.protocol.policy.risks import Risk

MONEY = {
    "type": "object",
    "additionalProperties": False,
    "required": ["minor", "currency"],
    "properties": {"minor": {"type": "integer"}, "currency": {"enum": ["EUR", "JPY"]}},
}
DOCUMENT = {
    "type": "payment.transfer",
    "title": "Payment",
    "schema": {
        "type": "object",
        "additionalProperties": False,
        "required": ["amount", "creditor"],
        "properties": {
            "amount": MONEY,
            "creditor": {
                "type": "object",
                "additionalProperties": False,
                "properties": {"name": {"type": "string"}, "a/b": {"type": "string"}},
            },
            "items": {
                "type": "array",
                "items": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {"amount": MONEY, "count": {"type": "integer"}},
                },
            },
            "urgent": {"type": "boolean"},
        },
    },
    "headline": "Pay {amount|money} to {creditor.name}",
    "material": ["/amount", "/creditor/name", "/items/*/amount"],
    "labels": {"/creditor/name": "Paid to"},
    "risk": "high",
    "undo": "Cannot be undone after 15:00",
}


def document(**changes):
    """Return the document with changed members; a member that is `...` is left out."""
    changed = {**copy.deepcopy(DOCUMENT), **changes}
    return {name: value for name, value in changed.items() if value is not ...}


def test_a_document_becomes_an_action_type():
    """The headline, paths, labels and risk of a document are parsed."""
    action = action_types.read_action_type(document())
    assert action.headline == (
        "Pay ",
        Placeholder(("amount",), "money"),
        " to ",
        Placeholder(("creditor", "name"), None),
    )
    assert action.material == (("amount",), ("creditor", "name"), ("items", "*", "amount"))
    assert action.labels == {("creditor", "name"): "Paid to"}
    assert action.risk is Risk.HIGH
    assert not action.deputies


def test_the_schema_requires_the_type_member():
    """RFC 9396 2: details must have the member `type`, with the name of their type."""
    validator = Draft202012Validator(action_types.read_action_type(document()).schema)
    details = {"amount": {"minor": 1, "currency": "EUR"}, "creditor": {}}
    assert validator.is_valid({"type": "payment.transfer", **details})
    assert not validator.is_valid(details)
    assert not validator.is_valid({"type": "other", **details})
    assert not validator.is_valid({"type": "payment.transfer", **details, "more": 1})


def test_a_type_written_as_a_constant_is_accepted_too():
    """A schema may define the member `type` itself, as a constant with the type's name."""
    changed = document()
    changed["schema"]["properties"]["type"] = {"const": "payment.transfer"}
    changed["schema"]["required"].append("type")
    plain = action_types.read_action_type(document()).schema
    assert action_types.read_action_type(changed).schema["required"] == plain["required"]


def test_reading_leaves_the_document_unchanged():
    """The file is stored as given, so reading must not change the document."""
    original = document()
    action_types.read_action_type(original)
    assert original == DOCUMENT


@pytest.mark.parametrize(
    "name", ["payment.transfer", "a", "x:y/z_1-2", "https://Pay.example/T?v=1"]
)
def test_a_type_is_a_lower_case_name_or_an_https_url(name):
    """RFC 9396 2 defines no form; a URL lets different authors use the same name."""
    assert action_types.read_action_type(document(type=name)).type == name


@pytest.mark.parametrize("name", sorted(set(DOCUMENT) - {"labels", "headline"}))
def test_a_document_without_a_required_member_is_refused(name):
    """The headline and the labels are optional; a type without a headline has no template."""
    with pytest.raises(action_types.InvalidActionType) as refusal:
        action_types.read_action_type(document(**{name: ...}))
    assert refusal.value.pointer == f"/{name}"
    assert action_types.read_action_type(document(labels=...)).labels == {}


BARE = {name: DOCUMENT[name] for name in ("type", "title", "schema")}


def test_a_type_without_a_headline_is_of_high_risk_with_unknown_undo():
    """Without a headline, the server cannot assume that the action is harmless."""
    action = action_types.read_action_type(BARE)
    assert not action.has_template
    assert (action.headline, action.material, action.labels) == ((), (), {})
    assert (action.risk, action.undo) == (Risk.HIGH, "It is unknown whether this can be undone.")
    assert action_types.read_action_type(document()).has_template


@pytest.mark.parametrize(
    ("stated_risk", "risk"), [("low", Risk.HIGH), ("high", Risk.HIGH), ("critical", Risk.CRITICAL)]
)
def test_a_type_without_a_headline_may_only_raise_the_risk(stated_risk, risk):
    """Without a headline, the risk is at least high, but the undo text still applies."""
    action = action_types.read_action_type(document(headline=..., risk=stated_risk))
    assert (action.risk, action.undo) == (risk, DOCUMENT["undo"])


@pytest.mark.parametrize("name", sorted(BARE))
def test_a_type_without_a_headline_still_needs_its_other_members(name):
    """A type needs at least a name, a title and a schema."""
    with pytest.raises(action_types.InvalidActionType) as refusal:
        action_types.read_action_type({n: value for n, value in BARE.items() if n != name})
    assert refusal.value.pointer == f"/{name}"


@pytest.mark.parametrize("content", [None, [], "x", 1])
def test_a_document_that_is_not_an_object_is_refused(content):
    """The error says that the document must be an object."""
    with pytest.raises(action_types.InvalidActionType, match="must be a JSON object"):
        action_types.read_action_type(content)


@pytest.mark.parametrize("value", [None, 7, True, [7], {"x": 7}, "", "\x1b[2J", "x" * 900])
@pytest.mark.parametrize("name", sorted(DOCUMENT))
def test_a_mistyped_member_is_refused_without_a_crash(name, value):
    """The error has a pointer to the member."""
    with pytest.raises(action_types.InvalidActionType) as refusal:
        action_types.read_action_type(document(**{name: value}))
    assert refusal.value.pointer.startswith(f"/{name}")


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"more": 1}, "/more"),
        ({"type": "Payment"}, "/type"),
        ({"type": "https://pay.example/ x"}, "/type"),
        ({"title": "two\nlines"}, "/title"),
        ({"risk": "HIGH"}, "/risk"),
        ({"risk": "none"}, "/risk"),
        ({"deputies": "yes"}, "/deputies"),
        ({"headline": "Pay {amount"}, "/headline"),
        ({"headline": "Pay amount}"}, "/headline"),
        ({"headline": "Pay {{amount}}"}, "/headline"),
        ({"headline": "Pay {}"}, "/headline"),
        ({"headline": "Pay {amount|upper}"}, "/headline"),
        ({"headline": "Pay {amount|money|text}"}, "/headline"),
        ({"headline": "Pay {amount.__class__}"}, "/headline"),
        ({"headline": "Pay {amount!r}"}, "/headline"),
        ({"headline": "Pay {amount:>99}"}, "/headline"),
        ({"headline": "Pay {none}"}, "/headline"),
        ({"headline": "Pay {creditor.none}"}, "/headline"),
        ({"headline": "Pay {creditor}"}, "/headline"),
        ({"headline": "Pay {items}"}, "/headline"),
        ({"headline": "Pay {urgent|money}"}, "/headline"),
        ({"headline": "Pay {urgent|count}"}, "/headline"),
        ({"headline": "Pay {urgent|date}"}, "/headline"),
        ({"headline": "Pay {amount|text}"}, "/headline"),
        ({"headline": "x" * 73}, "/headline"),
        ({"headline": "x" * 60 + "{items|count:item:much longer words}"}, "/headline"),
        ({"headline": "{items|count:item}"}, "/headline"),
        ({"headline": "{items|count:item:items:more}"}, "/headline"),
        ({"headline": "{items|count::items}"}, "/headline"),
        ({"headline": "{creditor.name|text:name:names}"}, "/headline"),
        ({"headline": "{creditor.name|count:name:names}"}, "/headline"),
        ({"material": ["amount"]}, "/material/0"),
        ({"material": ["/amount", "/none"]}, "/material/1"),
        ({"material": ["/items/amount"]}, "/material/0"),
        ({"material": ["/amount/minor"]}, "/material/0"),
        ({"material": ["/amount", "/amount"]}, "/material"),
        ({"material": [""]}, "/material/0"),
        ({"material": ["/creditor/a~2b"]}, "/material/0"),
        ({"material": [["/amount"]]}, "/material/0"),
        ({"labels": {"/none": "X"}}, "/labels/~1none"),
        ({"labels": {"/amount": "x" * 41}}, "/labels/~1amount"),
        ({"labels": {"/amount": "\u202e"}}, "/labels/~1amount"),
        ({"undo": "x" * 281}, "/undo"),
        ({"schema": {"type": "object"}}, "/schema"),
    ],
)
def test_a_mistake_is_refused_with_its_pointer_and_remedy(changes, pointer):
    """The error tells the author which member to change, and how."""
    with pytest.raises(action_types.InvalidActionType) as refusal:
        action_types.read_action_type(document(**changes))
    assert refusal.value.pointer == pointer
    assert str(refusal.value) == f"{pointer}: {refusal.value.remedy}"


def test_an_open_schema_is_refused_with_its_pointer_in_the_document():
    """The pointer is relative to the document, not to the schema."""
    changed = document()
    del changed["schema"]["properties"]["creditor"]["additionalProperties"]
    with pytest.raises(action_types.InvalidActionType) as refusal:
        action_types.read_action_type(changed)
    assert refusal.value.pointer == "/schema/properties/creditor"


def test_a_schema_that_admits_another_type_is_refused_with_the_remedy():
    """Details of one type must never be valid for another type."""
    changed = document()
    changed["schema"]["properties"]["type"] = {"type": "string"}
    with pytest.raises(
        action_types.InvalidActionType, match=r"const.*payment\.transfer"
    ) as refusal:
        action_types.read_action_type(changed)
    assert refusal.value.pointer == "/schema/properties/type"


@pytest.mark.parametrize(
    "headline",
    [
        "Do it",
        "Pay {items|count:item:items} and {items.0.count|count:one:many} more",
        "{amount}",
        "Pay {items.0.amount} first",
        "Pay {items|count} items",
        "{items.0.count|count} of {items.0.count|text}",
        "{creditor.name|date} {creditor.name|text} {urgent}",
        "x" * 72 + "{creditor.name}",
    ],
)
def test_a_headline_may_name_every_displayable_value(headline):
    """Placeholders may have members, indexes, and each of the four filters."""
    action_types.read_action_type(document(headline=headline))


def test_json_pointers_are_read_with_their_escapes():
    """RFC 6901 4: `~1` in a pointer is a slash in a member name."""
    action = action_types.read_action_type(document(material=["/creditor/a~1b"]))
    assert action.material == (("creditor", "a/b"),)


def test_a_list_in_a_headline_must_be_a_list_of_strings():
    """A list of numbers in a headline would be ambiguous."""
    changed = document(headline="Pay {notes}")
    for items, fits in (({"type": "string"}, True), ({"type": "integer"}, False)):
        changed["schema"]["properties"]["notes"] = {"type": "array", "items": items}
        if fits:
            assert action_types.read_action_type(changed).headline[1] == Placeholder(
                ("notes",), None
            )
        else:
            with pytest.raises(action_types.InvalidActionType, match="a list of strings"):
                action_types.read_action_type(changed)


def test_a_count_has_a_singular_and_a_plural_unit():
    """The singular comes before the plural."""
    action = action_types.read_action_type(document(headline="Pay {items|count:item:items}"))
    assert action.headline[1] == Placeholder(("items",), "count", ("item", "items"))
