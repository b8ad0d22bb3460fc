"""How details are shown to an approver."""

import pytest

from server.protocol.policy import action_types, rendering
from server.protocol.text import SafeText

MONEY = {
    "type": "object",
    "additionalProperties": False,
    "required": ["minor", "currency"],
    "properties": {"minor": {"type": "integer"}, "currency": {"type": "string"}},
}
ANY = {"type": ["string", "integer", "boolean", "null"]}


def action(headline="Do it", material=(), labels=None, **properties):
    """Return an action type with a closed schema of these properties."""
    schema = {"type": "object", "additionalProperties": False, "properties": properties}
    return action_types.read_action_type(
        {
            "type": "t",
            "title": "T",
            "schema": schema,
            "headline": headline,
            "material": list(material),
            "labels": labels or {},
            "risk": "low",
            "undo": "It can be undone",
        }
    )


def closed(**properties):
    """Return a closed object schema."""
    return {"type": "object", "additionalProperties": False, "properties": properties}


def lines(action_type, details):
    """Return the facts as lines; material facts start with a star."""
    return [
        f"{'*' if fact.material else ''}{fact.label}: {fact.value}"
        for fact in rendering.facts(action_type, details)
    ]


PAYMENT = action(
    "Pay {amount} to {creditor.name}",
    ["/creditor/name", "/amount"],
    amount=MONEY,
    creditor=closed(name=ANY, iban=ANY),
    urgent=ANY,
)


def test_a_payment_has_a_readable_headline_and_facts():
    """Material facts come first in their own order, followed by the others."""
    details = {
        "type": "t",
        "amount": {"minor": 482000, "currency": "EUR"},
        "urgent": True,
        "creditor": {"iban": "DE02 1203", "name": "Nordwind Logistik GmbH"},
    }
    headline = rendering.render_headline(PAYMENT, details)
    assert headline == "Pay EUR 4,820.00 to Nordwind Logistik GmbH"
    assert isinstance(headline, SafeText)
    assert lines(PAYMENT, details) == [
        "*Creditor Name: Nordwind Logistik GmbH",
        "*Amount: EUR 4,820.00",
        "Type: t",
        "Urgent: yes",
        "Creditor Iban: DE02 1203",
    ]


@pytest.mark.parametrize(
    ("minor", "currency", "shown"),
    [
        (0, "EUR", "EUR 0.00"),
        (5, "EUR", "EUR 0.05"),
        (-482000, "USD", "USD -4,820.00"),
        (-5, "USD", "USD -0.05"),
        (2**53 - 1, "EUR", "EUR 90,071,992,547,409.91"),
        (4820, "JPY", "JPY 4,820"),
        (1500, "KRW", "KRW 1,500"),
        (7, "CLP", "CLP 7"),
        (4820, "BHD", "BHD 4.820"),
        (1234567, "KWD", "KWD 1,234.567"),
        (10000, "CLF", "CLF 1.0000"),
        (4820, "eur", "4,820 minor units of eur"),
        (4820, "EURO", "4,820 minor units of EURO"),
        (4820, "\u202eRUE", "4,820 minor units of \\u{202e}RUE"),
        (4820, "EUR\n", "4,820 minor units of EUR\\u{a}"),
        (4820, "", "4,820 minor units of no currency"),
    ],
)
def test_money_is_one_fact_with_the_digits_of_its_currency(minor, currency, shown):
    """Decimal places follow ISO 4217; an unknown currency is shown in minor units."""
    details = {"amount": {"minor": minor, "currency": currency}}
    assert lines(PAYMENT, details) == [f"*Amount: {shown}"]
    assert rendering.render_headline(PAYMENT, details) == f"Pay {shown} to none"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1204, "1,204"),
        (-1204, "-1,204"),
        (0, "0"),
        (True, "yes"),
        (False, "no"),
        (None, "none"),
        ("", "empty"),
        ("1204", "1204"),
        ("2026-11-25T14:30:00Z", "2026-11-25 14:30 UTC"),
        ("2026-11-25t14:30:00z", "2026-11-25 14:30 UTC"),
        ("2026-11-25T15:30:09+01:00", "2026-11-25 14:30:09 UTC"),
        ("2026-01-01T00:30:00+01:00", "2025-12-31 23:30 UTC"),
        ("2026-11-25T14:30:00.5Z", "2026-11-25T14:30:00.5Z"),
        ("2026-11-25T14:30:00", "2026-11-25T14:30:00"),
        ("2026-13-25T14:30:00Z", "2026-13-25T14:30:00Z"),
        ("2026-11-25T14:30:60Z", "2026-11-25T14:30:60Z"),
        ("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00+14:00"),
        ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z"),
        ("2026-11-25T14:30:00+99:99", "2026-11-25T14:30:00+99:99"),
        ("2026-11-25", "2026-11-25"),
        ("\u0662026-11-25T14:30:00Z", "\u0662026-11-25T14:30:00Z"),
    ],
)
def test_a_value_is_formatted_by_its_type(value, shown):
    """A value is formatted by its type only, without loss of information."""
    assert lines(action(v=ANY), {"v": value}) == [f"V: {shown}"]


@pytest.mark.parametrize(
    ("headline", "details", "shown"),
    [
        ("{n|count} rows", {"n": 1204}, "1,204 rows"),
        ("{n|text}", {"n": 2026}, "2026"),
        ("{n}", {"n": 2026}, "2,026"),
        ("{items|count} items", {"items": []}, "0 items"),
        ("{items|count} items", {"items": ["x"] * 1204}, "1,204 items"),
        ("{items|count} items", {}, "none items"),
        ("{items.1}", {"items": ["a", "b"]}, "b"),
        ("{items.2}", {"items": ["a", "b"]}, "none"),
        ("{when|date}", {"when": "2026-11-25T14:30:00Z"}, "2026-11-25 14:30 UTC"),
        ("{when|text}", {"when": "2026-11-25T14:30:00Z"}, "2026-11-25T14:30:00Z"),
        ("{when}", {"when": "{n}"}, "{n}"),
    ],
)
def test_headline_filters_choose_the_format_of_a_value(headline, details, shown):
    """A filter formats a value; braces inside a value are not read as a template."""
    items = {"type": "array", "items": {"type": "string"}}
    number, text = {"type": "integer"}, {"type": "string"}
    assert rendering.render_headline(
        action(headline, n=number, when=text, items=items), details
    ) == (shown)


def test_every_leaf_of_lists_and_objects_is_a_fact():
    """All requested values are shown, including empty lists and objects."""
    items = {"type": "array", "items": closed(amount=MONEY, tags={"type": "array", "items": ANY})}
    order = action(material=["/items/*/amount"], items=items, creditor_name=ANY, shipTo=closed())
    details = {
        "creditor_name": "A",
        "shipTo": {},
        "items": [
            {"amount": {"minor": 100, "currency": "EUR"}, "tags": ["x", 2]},
            {"tags": [], "amount": {"minor": 200, "currency": "EUR"}},
        ],
    }
    assert lines(order, details) == [
        "*Items 1 Amount: EUR 1.00",
        "*Items 2 Amount: EUR 2.00",
        "Creditor name: A",
        "Ship to: none",
        "Items 1 Tags 1: x",
        "Items 1 Tags 2: 2",
        "Items 2 Tags: none",
    ]


def test_a_material_pointer_to_an_object_makes_all_of_it_material():
    """All members of a material object are material facts."""
    order = action(material=["/to"], note=ANY, to=closed(name=ANY, city=ANY))
    details = {"note": "x", "to": {"name": "A", "city": "B"}}
    assert lines(order, details) == ["*To Name: A", "*To City: B", "Note: x"]


@pytest.mark.parametrize("parent", [None, {}])
def test_an_empty_parent_of_a_material_fact_is_material(parent):
    """If the parent of a material fact is empty, the approver must see that."""
    nullable = {**closed(name=ANY), "type": ["object", "null"]}
    assert lines(action(material=["/to/name"], to=nullable), {"to": parent}) == ["*To: none"]


def test_labels_replace_member_names_and_keep_item_numbers():
    """Item numbers distinguish two items that have the same label."""
    items = {"type": "array", "items": closed(amount=MONEY, account=closed(iban=ANY))}
    labels = {"/items/*/amount": "To pay", "/items/*/account": "Account", "/who": "Payer"}
    order = action(labels=labels, items=items, who=ANY)
    item = {"amount": {"minor": 1, "currency": "EUR"}, "account": {"iban": "X"}}
    assert lines(order, {"items": [item, item], "who": "A"}) == [
        "To pay 1: EUR 0.01",
        "Account 1 Iban: X",
        "To pay 2: EUR 0.01",
        "Account 2 Iban: X",
        "Payer: A",
    ]


def test_hostile_text_is_escaped_in_headline_and_facts():
    """A value cannot imitate another line or hide characters."""
    hostile = "A\x1b[2J\nAmount: EUR 1.00\u202e[red]"
    shown = r"A\u{1b}[2J\u{a}Amount: EUR 1.00\u{202e}[red]"
    details = {"creditor": {"name": hostile}}
    assert lines(PAYMENT, details) == [f"*Creditor Name: {shown}"]
    assert rendering.render_headline(PAYMENT, details) == f"Pay none to {shown}"


def test_long_text_is_cut_visibly_and_material_text_much_later():
    """Material facts have a much higher limit, because approvers must see them."""
    details = {"creditor": {"name": "n" * 4_000, "iban": "i" * 300}, "amount": None}
    shown = lines(PAYMENT, details)
    assert shown[0] == f"*Creditor Name: {'n' * 4_000}"
    assert shown[2] == f"Creditor Iban: {'i' * 280} … +20 chars"
    headline = rendering.render_headline(PAYMENT, details)
    assert headline == f"Pay none to {'n' * 59}…"
    assert len(headline) == action_types.MAX_HEADLINE


@pytest.mark.parametrize(
    ("headline", "details", "shown"),
    [
        # A headline that fits is not changed.
        ("{a} {n}", {"a": "x" * 65, "n": 100_000}, f"{'x' * 63}… 100,000"),
        ("{a} {n}", {"a": "x" * 64, "n": 100_000}, f"{'x' * 64} 100,000"),
        # The longest string is truncated first.
        ("{a} to {b}", {"a": "x" * 40, "b": "y" * 50}, f"{'x' * 40} to {'y' * 27}…"),
        ("{a} to {b}", {"a": "x" * 90, "b": "y" * 70}, f"{'x' * 12}… to {'y' * 54}…"),
        # A number in a string is kept completely or not at all.
        ("{a}", {"a": "x" * 69 + " 1,204.50 EUR"}, f"{'x' * 69}…"),
        ("{a}", {"a": "x" * 66 + " 1204, and more"}, f"{'x' * 66} 1204…"),
        # If nothing may be truncated, the headline stays too long.
        ("{a}", {"a": "1" * 100}, "1" * 100),
        ("{a} {n}", {"a": "x" * 12, "n": int("9" * 60)}, f"{'x' * 12} {int('9' * 60):,}"),
        (
            "x{t} {t} {t}",
            {"t": "2026-11-25T14:30:00Z"},
            "x" + " ".join(["2026-11-25 14:30 UTC"] * 3),
        ),
        # A list is truncated like a string.
        ("{l}", {"l": ["l" * 30] * 9}, f"{'l' * 30}, {'l' * 30}, {'l' * 7}…"),
    ],
)
def test_a_headline_has_72_characters_and_no_number_is_cut(headline, details, shown):
    """Strings in a headline are truncated, because the facts have them in full; numbers are not."""
    texts = {"type": "array", "items": {"type": "string"}}
    order = action(headline, a=ANY, b=ANY, n=ANY, t=ANY, l=texts)
    assert rendering.render_headline(order, details) == shown


@pytest.mark.parametrize("room", [72, 40])
def test_an_amount_after_many_long_texts_is_never_cut_off(room):
    """If strings cannot be truncated further, the headline becomes longer."""
    order = action("{a} {a} {a} {a} {n}", a=ANY, n=MONEY)
    details = {"a": "x" * 500, "n": {"minor": 482000, "currency": "EUR"}}
    headline = rendering.render_headline(order, details, room=room)
    assert headline.endswith("… EUR 4,820.00")
    assert len(headline) == max(room, 4 * 14 + 12)


@pytest.mark.parametrize(
    ("headline", "details", "shown"),
    [
        ("Delete {n|count:record:records}", {"n": 312}, "Delete 312 records"),
        ("Delete {n|count:record:records}", {"n": 1}, "Delete 1 record"),
        ("Delete {n|count:record:records}", {"n": 0}, "Delete 0 records"),
        ("Delete {n|count:record:records}", {"n": 1_204}, "Delete 1,204 records"),
        ("Delete {n|count:record:records}", {}, "Delete no records"),
        ("{l|count:service uses:services use} it", {"l": ["a"]}, "1 service uses it"),
        ("{l|count:service uses:services use} it", {"l": ["a", "b"]}, "2 services use it"),
        ("Tell {l}", {"l": ["a"]}, "Tell a"),
        ("Tell {l}", {"l": ["a", "b", "c"]}, "Tell a, b, c"),
        ("Tell {l}", {"l": ["a", "b", "c", "d"]}, "Tell a, b, c and 1 more"),
        ("Tell {l}", {"l": []}, "Tell none"),
    ],
)
def test_counts_have_units_and_lists_show_their_first_items(headline, details, shown):
    """A count has a singular or plural noun, and a list shows its first three items."""
    texts = {"type": "array", "items": {"type": "string"}}
    order = action(headline, n={"type": "integer"}, l=texts)
    assert rendering.render_headline(order, details) == shown


def test_without_a_template_every_field_is_material_and_sorted():
    """Fields are sorted by name, items keep their order, and long values are shown in full."""
    texts = {"type": "array", "items": {"type": "string"}}
    schema = closed(zone=ANY, alarm=ANY, notes=texts)
    without_template = action_types.read_action_type(
        {"type": "t", "title": "Restart", "schema": schema}
    )
    details = {"zone": "z" * 300, "notes": [str(n) for n in range(11)], "type": "t", "alarm": True}
    shown = lines(without_template, details)
    notes = [f"*Notes {n + 1}: {n}" for n in range(11)]
    assert shown == ["*Alarm: yes", *notes, "*Type: t", f"*Zone: {'z' * 300}"]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (("payee",), [(("payee",), "Nord")]),
        (("total",), [(("total",), {"minor": 5, "currency": "EUR"})]),
        (("items", "*", "n"), [(("items", 0, "n"), 1), (("items", 1, "n"), 2)]),
        (("items", "1", "n"), [(("items", 1, "n"), 2)]),
        (("none",), [(("none",), [])]),
        (("null",), [(("null",), None)]),
        (("items",), []),
        (("missing",), []),
        (("payee", "name"), []),
        (("null", "name"), []),
    ],
)
def test_values_are_found_along_their_path(path, found):
    """Money is one value; non-empty objects and lists, and missing members, have no value."""
    details = {
        "payee": "Nord",
        "total": {"minor": 5, "currency": "EUR"},
        "items": [{"n": 1}, {"n": 2}],
        "none": [],
        "null": None,
    }
    assert list(rendering.values_at(details, path)) == found
