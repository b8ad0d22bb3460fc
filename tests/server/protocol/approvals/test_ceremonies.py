"""Steps and their spelling, and what counts as having typed a fact."""

import pytest

from server.protocol.approvals import ceremonies
from server.protocol.approvals.ceremonies import CONFIRM, Step
from server.protocol.policy.fact_rules import FactToType

EUR = {"minor": 482_000, "currency": "EUR"}
ACCOUNT = "DE89 3704 0044 0532 0130 0a"


def test_every_set_of_steps_has_one_spelling():
    """In the order of the alphabet; nothing beside the confirmation is called confirm."""
    assert len(ceremonies.CEREMONY_TEXTS) == 2 ** len(Step)
    for text in ceremonies.CEREMONY_TEXTS:
        assert ceremonies.ceremony_text(ceremonies.parse_ceremony(text)) == text
    assert ceremonies.ceremony_text(frozenset(Step)) == "match+pin+reason+type_back"
    assert ceremonies.parse_ceremony("confirm") == CONFIRM


@pytest.mark.parametrize("text", ["", "none", "pin+match", "pin+pin", "confirm+pin", "PIN", "pin "])
def test_another_spelling_is_refused(text):
    """What is signed is compared byte by byte, so there is one way to write it."""
    with pytest.raises(ValueError, match="ceremony"):
        ceremonies.parse_ceremony(text)


RIGHT = {
    "4820": ("money", EUR),
    "4,820": ("money", EUR),
    "4820.00": ("money", EUR),
    "4,820.00": ("money", EUR),
    "EUR 4,820.00": ("money", EUR),
    "eur4820": ("money", EUR),
    "4820 EUR": ("money", EUR),
    " 4 820.00 ": ("money", EUR),
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


@pytest.mark.parametrize(("entry", "asked"), RIGHT.items(), ids=RIGHT)
def test_a_fact_may_be_typed_as_a_person_reads_it(entry, asked):
    """With or without what carries no meaning: case, spaces, commas, a currency, a zero rest."""
    assert ceremonies.matches_value(*asked, entry)


WRONG = {
    "48,20": ("money", EUR),
    "4.820,00": ("money", EUR),
    "4821": ("money", EUR),
    "482000": ("money", EUR),
    "USD 4820": ("money", EUR),
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


@pytest.mark.parametrize(("entry", "asked"), WRONG.items(), ids=map(repr, WRONG))
def test_anything_else_is_wrong(entry, asked):
    """Nothing typed is never right, whatever the value looks like without what is left out."""
    assert not ceremonies.matches_value(*asked, entry)


def test_a_character_that_cannot_be_sent_is_wrong_too():
    """A lone surrogate is no text that anybody reads."""
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
def test_the_kind_follows_from_the_rule_and_the_value(part, value, kind):
    """It is all that a client is told."""
    assert ceremonies.type_back_kind(FactToType(("a",), part), value) == kind


@pytest.mark.parametrize(
    ("at", "value"),
    [("/resource", "r"), ("/authorization_details/1/a~1b/0/~0", 7)],
)
def test_a_pointer_finds_its_value(at, value):
    """By RFC 6901, through lists too."""
    action = '{"authorization_details": [{}, {"a/b": [{"~": 7}]}], "resource": "r"}'
    assert ceremonies.value_at(action, at) == value


@pytest.mark.parametrize(
    ("entry", "same"),
    [("482", True), (" 4 82 ", True), ("483", False), ("", False), ("0482", False)],
)
def test_a_number_is_the_same_or_not(entry, same):
    """Three digits, zeros in front included."""
    assert ceremonies.matches_number("482", entry) is same
