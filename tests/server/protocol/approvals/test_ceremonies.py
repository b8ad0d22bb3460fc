"""Ceremony steps and their text form, and when a type-back matches."""

import pytest

from server.protocol.approvals import ceremonies
from server.protocol.approvals.ceremonies import CONFIRM, Step
from server.protocol.policy.fact_rules import FactToType

EUR = {"minor": 482_000, "currency": "EUR"}
ACCOUNT = "DE89 3704 0044 0532 0130 0a"


def test_every_set_of_steps_has_one_text_form():
    """The text form lists steps alphabetically, and is `confirm` if there are no further steps."""
    assert len(ceremonies.CEREMONY_TEXTS) == 2 ** len(Step)
    for text in ceremonies.CEREMONY_TEXTS:
        assert ceremonies.ceremony_text(ceremonies.parse_ceremony(text)) == text
    assert ceremonies.ceremony_text(frozenset(Step)) == "match+pin+reason+type_back"
    assert ceremonies.parse_ceremony("confirm") == CONFIRM


@pytest.mark.parametrize("text", ["", "none", "pin+match", "pin+pin", "confirm+pin", "PIN", "pin "])
def test_any_other_text_form_of_a_ceremony_is_refused(text):
    """Signed bytes are compared exactly, so a ceremony has only one valid text form."""
    with pytest.raises(ValueError, match="ceremony"):
        ceremonies.parse_ceremony(text)


MATCHING = {
    "4820": ("money", EUR),
    "4,820": ("money", EUR),
    "4820.00": ("money", EUR),
    "4,820.00": ("money", EUR),
    "EUR 4,820.00": ("money", EUR),
    "eur4820": ("money", EUR),
    "4820 EUR": ("money", EUR),
    " 4 820.00 ": ("money", EUR),
    "4820,00": ("money", EUR),
    "4.820,00": ("money", EUR),
    "4 820,00 EUR": ("money", EUR),
    "4\u202f820,00": ("money", EUR),
    "4\u2019820.00": ("money", EUR),
    "4'820": ("money", EUR),
    "4.820,00 €": ("money", EUR),
    "€4,820": ("money", EUR),
    "48,05": ("money", {"minor": 4_805, "currency": "EUR"}),
    "48.05": ("money", {"minor": 4_805, "currency": "EUR"}),
    "4,820 ": ("money", {"minor": 4_820, "currency": "JPY"}),
    "-12.50": ("money", {"minor": -1_250, "currency": "USD"}),
    "1,204": ("number", 1_204),
    "1204": ("number", 1_204),
    "300a": ("last_four", ACCOUNT),
    "30 0A": ("last_four", ACCOUNT),
    "3-00-a": ("last_four", ACCOUNT),
    "production eu": ("text", "Production  EU"),
    "https://pay.example": ("text", "https://pay.example"),
    "straße": ("text", "STRASSE"),
    "2026-11-25 14:30 UTC": ("text", "2026-11-25T15:30:00+01:00"),
}


@pytest.mark.parametrize(("entry", "asked"), MATCHING.items(), ids=MATCHING)
def test_a_type_back_matches_the_value_as_a_person_reads_it(entry, asked):
    """An entry matches regardless of case, spaces, separators, currency and zero decimals."""
    assert ceremonies.matches_value(*asked, entry)


NOT_MATCHING = {
    "48,20": ("money", EUR),
    "4.820": ("money", EUR),
    "4820,0": ("money", EUR),
    "4820,000": ("money", EUR),
    "4821": ("money", EUR),
    "482000": ("money", EUR),
    "USD 4820": ("money", EUR),
    "$4820": ("money", EUR),
    "": ("money", EUR),
    "48": ("money", {"minor": 4_805, "currency": "EUR"}),
    "4,820.00": ("money", {"minor": 4_820, "currency": "JPY"}),
    "12,04": ("number", 1_204),
    ACCOUNT: ("last_four", ACCOUNT),
    "00a": ("last_four", ACCOUNT),
    "productioneu": ("text", "production eu"),
    "----": ("last_four", "----"),
    " ": ("text", ""),
}


@pytest.mark.parametrize(("entry", "asked"), NOT_MATCHING.items(), ids=map(repr, NOT_MATCHING))
def test_any_other_type_back_is_wrong(entry, asked):
    """An entry that differs from the value is wrong, and an empty entry never matches."""
    assert not ceremonies.matches_value(*asked, entry)


def test_a_type_back_with_a_lone_surrogate_is_wrong():
    """An entry that cannot be encoded is wrong and does not cause an error."""
    assert not ceremonies.matches_value("text", "a", "\ud800")


@pytest.mark.parametrize(
    ("part", "value", "kind"),
    [
        ("last_four", "DE89", "last_four"),
        ("whole", EUR, "money"),
        ("whole", 7, "number"),
        ("whole", "x", "text"),
    ],
)
def test_the_type_back_kind_follows_from_the_rule_and_the_value(part, value, kind):
    """Clients get the kind of a type-back, which depends on the rule and the type of the value."""
    assert ceremonies.type_back_kind(FactToType(("a",), part), value) == kind


@pytest.mark.parametrize(
    ("at", "value"),
    [("/resource", "r"), ("/authorization_details/1/a~1b/0/~0", 7)],
)
def test_a_json_pointer_finds_its_value(at, value):
    """Pointers follow RFC 6901, with escapes and list indexes."""
    action = '{"authorization_details": [{}, {"a/b": [{"~": 7}]}], "resource": "r"}'
    assert ceremonies.value_at(action, at) == value


@pytest.mark.parametrize(
    ("entry", "same"),
    [("482", True), (" 4 82 ", True), ("483", False), ("", False), ("0482", False)],
)
def test_a_match_number_matches_exactly(entry, same):
    """A match number has three digits, including leading zeros; only spaces are ignored."""
    assert ceremonies.matches_number("482", entry) is same
