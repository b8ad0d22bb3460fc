"""Rules of an action type about its facts: type-back, narrowing, target, amount."""

import pytest

from server.protocol.policy import action_types
from server.protocol.policy.fact_rules import FactRules, FactToType, TypeBackRule
from server.protocol.policy.uses import InvalidActionType, as_pointer

MONEY = {
    "type": "object",
    "additionalProperties": False,
    "required": ["minor", "currency"],
    "properties": {"minor": {"type": "integer"}, "currency": {"type": "string"}},
}
LINE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["price"],
    "properties": {"price": MONEY, "note": {"type": "string"}},
}
DOCUMENT = {
    "type": "order.place",
    "title": "Order",
    "risk": "high",
    "headline": "Order from {shop}",
    "undo": "It can be cancelled for an hour",
    "schema": {
        "type": "object",
        "additionalProperties": False,
        "required": ["shop", "account", "total", "lines", "maybe", "either"],
        "properties": {
            "shop": {"type": "string"},
            "account": {"type": "string", "minLength": 4},
            "total": MONEY,
            "count": {"type": "integer"},
            "by": {"type": "string"},
            "gift": {"type": "boolean"},
            "maybe": {"type": ["string", "null"]},
            "either": {"anyOf": [LINE, {"type": "string"}]},
            "lines": {"type": "array", "minItems": 1, "items": LINE},
        },
    },
    "material": ["/shop", "/account", "/total", "/count", "/gift", "/maybe", "/either", "/lines"],
}


def _with_payees():
    """Return the schema with two lists whose items have a payee."""
    line = {**LINE, "properties": {**LINE["properties"], "to": {"type": "string"}}}
    rows = {"type": "array", "minItems": 1, "items": line}
    properties = DOCUMENT["schema"]["properties"]
    return {**DOCUMENT["schema"], "properties": {**properties, "lines": rows, "parts": rows}}


def fact_rules(**members):
    """Read the fact rules of the document with these members."""
    return action_types.read_action_type({**DOCUMENT, **members}).fact_rules


def test_fact_rules_are_optional():
    """A document without fact rules is valid."""
    assert fact_rules() == FactRules(None, {}, None, None)


def test_all_fact_rules_are_read():
    """JSON pointers are read as paths into the details, with their rules."""
    read = fact_rules(
        type_back={"fact": "/total", "new_target": {"fact": "/account", "part": "last_four"}},
        narrow={"/total": "lower", "/count": "lower", "/lines": "drop", "/by": "earlier"},
        target="/account",
        target_name="/shop",
        amount="/total",
    )
    assert read.type_back == TypeBackRule(
        FactToType(("total",), "whole"), FactToType(("account",), "last_four")
    )
    assert read.narrow == {
        ("total",): "lower",
        ("count",): "lower",
        ("lines",): "drop",
        ("by",): "earlier",
    }
    assert (read.target, read.target_name, read.amount) == (("account",), ("shop",), ("total",))


def test_a_target_name_is_in_the_same_list_as_its_target():
    """A name may also be outside all lists; then it is the name of all targets."""
    for name, path in (("/lines/*/note", ("lines", "*", "note")), ("/shop", ("shop",))):
        read = fact_rules(target="/lines/*/to", target_name=name, schema=_with_payees())
        assert read.target_name == path


def test_a_different_fact_is_typed_back_for_a_new_target():
    """Without a rule for new targets, the same fact is typed back."""
    account = {"fact": "/account", "part": "last_four"}
    with_new_target = fact_rules(
        type_back={"fact": "/total", "new_target": account}, target="/shop"
    ).type_back
    assert with_new_target.choose(target_is_new=True) == FactToType(("account",), "last_four")
    assert with_new_target.choose(target_is_new=False) == FactToType(("total",), "whole")
    without_new_target = fact_rules(type_back={"fact": "/shop"}).type_back
    assert without_new_target.choose(target_is_new=True) == without_new_target.choose(
        target_is_new=False
    )


@pytest.mark.parametrize(
    "members",
    [
        {"type_back": {"fact": "/lines/0/price", "part": "whole"}},
        {"narrow": {"/lines/*/price": "lower", "/gift": "turn_on"}},
        {"target": "/lines/*/note"},
        {"target": "/count"},
        {"target": "/maybe"},
        {"amount": "/lines/*/price"},
        {"amount": "/count"},
    ],
)
def test_list_items_are_named_by_index_or_together(members):
    """Type-back uses one item; targets, amounts and narrowing use all items."""
    assert fact_rules(**members) != FactRules()


def test_without_a_headline_every_fact_may_be_typed_back():
    """All facts of a type without a headline are material."""
    without_headline = {name: DOCUMENT[name] for name in ("type", "title", "schema")}
    action = action_types.read_action_type({**without_headline, "type_back": {"fact": "/shop"}})
    assert action.fact_rules.type_back.fact.path == ("shop",)


@pytest.mark.parametrize(
    ("members", "pointer", "remedy"),
    [
        ({"target": "shop"}, "/target", "JSON pointer"),
        ({"target": "/none"}, "/target", "not in the schema"),
        ({"target": "/total"}, "/target", "must point to a string or an integer"),
        ({"target": "/gift"}, "/target", "must point to a string or an integer"),
        ({"target": None}, "/target", "JSON pointer"),
        ({"target_name": "/shop"}, "/target_name", "requires the member target"),
        (
            {"target": "/shop", "target_name": "/shop"},
            "/target_name",
            "a string next to the target",
        ),
        (
            {"target": "/shop", "target_name": "/total"},
            "/target_name",
            "a string next to the target",
        ),
        ({"target": "/shop", "target_name": "/none"}, "/target_name", "not in the schema"),
        (
            {"target": "/shop", "target_name": "/lines/*/note"},
            "/target_name",
            "in the same list as the target",
        ),
        (
            {
                "target": "/parts/*/to",
                "target_name": "/lines/*/note",
                "schema": _with_payees(),
            },
            "/target_name",
            "in the same list as the target",
        ),
        ({"amount": "/shop"}, "/amount", "must point to money, or to an integer"),
        ({"amount": "/total/minor"}, "/amount", "the whole money object"),
        ({"amount": 7}, "/amount", "JSON pointer"),
        ({"narrow": ["/total"]}, "/narrow", "must be an object"),
        ({"narrow": {"/none": "lower"}}, "/narrow/~1none", "not in the schema"),
        ({"narrow": {"/total": "smaller"}}, "/narrow/~1total", "lower, drop, earlier, turn_on"),
        ({"narrow": {"/total": ["lower"]}}, "/narrow/~1total", "lower, drop, earlier, turn_on"),
        ({"narrow": {"/shop": "lower"}}, "/narrow/~1shop", "integer or money"),
        ({"narrow": {"/shop": "drop"}}, "/narrow/~1shop", "requires a list"),
        ({"narrow": {"/count": "earlier"}}, "/narrow/~1count", "requires a time"),
        ({"narrow": {"/shop": "turn_on"}}, "/narrow/~1shop", "boolean, such as dry_run"),
        ({"type_back": "/total"}, "/type_back", "must be an object"),
        ({"type_back": {}}, "/type_back", "must be an object"),
        ({"type_back": {"fact": "/total", "x": 1}}, "/type_back", "must be an object"),
        ({"type_back": {"fact": "/none"}}, "/type_back/fact", "not in the schema"),
        ({"type_back": {"fact": "/by"}}, "/type_back/fact", "must be a material fact"),
        (
            {"type_back": {"fact": "/gift"}},
            "/type_back/fact",
            "must point to a string, an integer or money",
        ),
        ({"type_back": {"fact": "/count"}}, "/type_back/fact", "must be required"),
        ({"type_back": {"fact": "/lines/*/price"}}, "/type_back/fact", "must be required"),
        ({"type_back": {"fact": "/lines/1/price"}}, "/type_back/fact", "must be required"),
        ({"type_back": {"fact": "/lines/0/note"}}, "/type_back/fact", "must be required"),
        ({"type_back": {"fact": "/maybe"}}, "/type_back/fact", "must point to a string"),
        ({"type_back": {"fact": "/either/price"}}, "/type_back/fact", "must be required"),
        ({"type_back": {"fact": "/shop", "part": "first"}}, "/type_back/part", "whole or last"),
        ({"type_back": {"fact": "/shop", "part": ["whole"]}}, "/type_back/part", "whole or last"),
        ({"type_back": {"fact": "/shop", "part": "last_four"}}, "/type_back/part", "minLength"),
        ({"type_back": {"fact": "/total", "part": "last_four"}}, "/type_back/part", "minLength"),
        (
            {"type_back": {"fact": "/total", "new_target": {"fact": "/account"}}},
            "/type_back/new_target",
            "requires the member target",
        ),
        (
            {"type_back": {"fact": "/total", "new_target": "/account"}, "target": "/shop"},
            "/type_back/new_target",
            "must be an object",
        ),
        (
            {
                "type_back": {"fact": "/total", "new_target": {"fact": "/shop", "new_target": {}}},
                "target": "/shop",
            },
            "/type_back/new_target",
            "must be an object",
        ),
    ],
)
def test_an_invalid_fact_rule_is_refused_with_its_pointer_and_remedy(members, pointer, remedy):
    """The error tells the author which member to change, and how."""
    with pytest.raises(InvalidActionType) as refusal:
        fact_rules(**members)
    assert refusal.value.pointer == pointer
    assert remedy in refusal.value.remedy


def test_nullable_money_cannot_be_typed_back():
    """If the money is null, there is nothing to type."""
    schema = {**DOCUMENT["schema"], "required": ["total"]}
    nullable = {**MONEY, "type": ["object", "null"]}
    schema["properties"] = {**schema["properties"], "total": nullable}
    with pytest.raises(InvalidActionType, match="must be required"):
        fact_rules(schema=schema, type_back={"fact": "/total"})


@pytest.mark.parametrize("path", [("total",), ("lines", "*", "price"), ("a/b", "c~d")])
def test_a_path_is_written_as_a_json_pointer(path):
    """RFC 6901 4: slashes and tildes in member names are escaped."""
    pointer = as_pointer(path)
    assert pointer.count("/") == len(path)
    unescaped = [part.replace("~1", "/").replace("~0", "~") for part in pointer[1:].split("/")]
    assert tuple(unescaped) == path


def test_an_optional_fact_may_be_typed_back_when_present():
    """An optional fact must also be material and of a type that can be typed."""
    read = fact_rules(type_back={"fact": "/shop", "if_there": {"fact": "/count"}}).type_back
    assert read == TypeBackRule(
        FactToType(("shop",), "whole"), None, FactToType(("count",), "whole")
    )
    for other, remedy in (
        ({"fact": "/by"}, "material"),
        ({"fact": "/gift"}, "must point to a string"),
    ):
        with pytest.raises(InvalidActionType, match=remedy) as refused:
            fact_rules(type_back={"fact": "/shop", "if_there": other})
        assert refused.value.pointer == "/type_back/if_there/fact"
