"""The rules of an action type determine which facts of a request can be narrowed."""

import pytest

from server.protocol.approvals import narrowable
from server.protocol.policy import action_types

MONEY = {
    "type": "object",
    "additionalProperties": False,
    "required": ["minor", "currency"],
    "properties": {"minor": {"type": "integer"}, "currency": {"type": "string"}},
}
LINE = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"price": MONEY, "name": {"type": "string"}},
}
ORDER = action_types.read_action_type(
    {
        "type": "order",
        "title": "Order",
        "schema": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "total": MONEY,
                "count": {"type": "integer"},
                "by": {"type": "string"},
                "dry/run": {"type": "boolean"},
                "lines": {"type": "array", "items": LINE},
                "shop": {"type": "string"},
            },
        },
        "headline": "Order",
        "material": [],
        "labels": {"/total": "Total"},
        "risk": "low",
        "undo": "No",
        "narrow": {
            "/total": "lower",
            "/count": "lower",
            "/by": "earlier",
            "/dry~1run": "turn_on",
            "/lines": "drop",
            "/lines/*/price": "lower",
        },
    }
)


def narrowable_rows(**members):
    """Return the pointer, label, value, rule and items of each narrowable fact."""
    return [
        (fact.pointer, fact.label, fact.asked, fact.rule, fact.items)
        for fact in narrowable.narrowable_facts(ORDER, {"type": "order", **members})
    ]


def test_each_narrowable_fact_has_its_value_and_rule():
    """Lists with their items and values inside lists are narrowable facts too."""
    lines = [{"price": {"minor": 100, "currency": "EUR"}, "name": "cup"}]
    assert narrowable_rows(total={"minor": 48_200, "currency": "EUR"}, shop="N", lines=lines) == [
        ("/total", "Total", "EUR 482.00", "lower", ()),
        (
            "/lines",
            "Lines",
            "EUR 1.00, cup",
            "drop",
            ("EUR 1.00, cup",),
        ),
        ("/lines/0/price", "Lines 1 Price", "EUR 1.00", "lower", ()),
    ]
    assert narrowable_rows(**{"dry/run": False}) == [("/dry~1run", "Dry/run", "no", "turn_on", ())]
    assert narrowable_rows(by="2026-11-25T14:30:00Z", count=3) == [
        ("/by", "By", "2026-11-25 14:30 UTC", "earlier", ()),
        ("/count", "Count", "3", "lower", ()),
    ]


@pytest.mark.parametrize(
    "members",
    [
        {"count": 0},
        {"count": -1},
        {"total": {"minor": 0, "currency": "EUR"}},
        {"dry/run": True},
        {"lines": []},
        {"by": ""},
        {"count": None},
    ],
)
def test_a_value_that_cannot_be_reduced_is_not_narrowable(members):
    """Examples are zero, an empty list and a missing value."""
    assert narrowable_rows(**members) == []
