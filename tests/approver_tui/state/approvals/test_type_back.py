"""The fact that the user must type is hidden."""

from dataclasses import replace

import pytest

from approver_tui.client.reading import JsonObject
from approver_tui.client.wire import read_approval
from approver_tui.state.approvals.ceremony import (
    FactKind,
    Step,
    TypeBack,
    ceremony_text,
    read_ceremony,
)
from approver_tui.state.approvals.narrowing import Difference, Granted, Place
from approver_tui.state.approvals.type_back import GAP, hide_typed_fact, is_plausible
from approver_tui.state.text import SafeText
from tests.support.builders.approval_texts import RESOURCE, wire_approval

LONG = "x" * 150


def _approval(label="Amount", value="EUR 5.00", kind="money", **display):
    members = {
        "facts": [
            {"label": "Amount", "value": value, "material": True},
            {"label": "To", "value": f"N, for {value} of EUR 5.000", "material": True},
        ],
        "type_back": {"label": label, "kind": kind, "at": "/resource"},
        "headline": f"Pay {value} to N",
        **display,
    }
    wire = wire_approval(risk="high", display=members, outer={"ceremony": "pin+type_back"})
    return read_approval(JsonObject(wire))


@pytest.mark.parametrize(
    ("kind", "label", "requirement"),
    [
        (
            FactKind.LAST_FOUR,
            "Last 4 characters of To account",
            'the last 4 characters of "To account"',
        ),
        (FactKind.TEXT, "To account", 'the value of "To account"'),
    ],
)
def test_the_fact_to_type_has_a_prompt_and_a_sentence(kind, label, requirement):
    """The user types the last four characters or the whole value."""
    type_back = TypeBack(SafeText("To account"), kind)
    assert (type_back.prompt, type_back.requirement) == (label, requirement)


@pytest.mark.parametrize(
    ("step", "kind", "value", "entries", "impossible_entries"),
    [
        (Step.MATCH, "text", "x", ["482", " 48 2"], ["", "5", "4821", "4a2", "٤٨٢"]),
        (Step.TYPE_BACK, "last_four", "DE89 3000", ["3000", "30 00"], ["", "300", "93000"]),
        (Step.TYPE_BACK, "last_four", "A--7", ["a7", "--a7"], ["7", "--"]),
        (Step.TYPE_BACK, "money", "EUR 5.00", ["5", "nonsense"], ["", "  "]),
        (Step.REASON, "text", "x", ["ok"], ["", " "]),
    ],
)
def test_an_impossible_entry_is_detected(step, kind, value, entries, impossible_entries):
    """The app checks only the length and the form of an entry; the server compares the value."""
    approval = _approval(value=value, kind=kind)
    assert [is_plausible(approval, step, entry) for entry in entries] == [True] * len(entries)
    assert [is_plausible(approval, step, entry) for entry in impossible_entries] == [False] * len(
        impossible_entries
    )


def test_the_fact_is_hidden_only_as_a_whole_word():
    """A longer word or number that contains the fact is not changed."""
    shown = hide_typed_fact(_approval()).display
    assert shown.headline == f"Pay {GAP} to N"
    assert [fact.value for fact in shown.facts] == [GAP, f"N, for {GAP} of EUR 5.000"]


def test_the_fact_is_hidden_in_unusual_signals():
    """An unusual signal may contain the fact, because an earlier request had the same amount."""
    signal = {"code": "split_amount", "severity": "warning", "text": "The usual is EUR 5.00."}
    unusual = {"unusual": [signal], "compared": "Only 1 to compare with, EUR 5.00."}
    display = hide_typed_fact(_approval(**unusual)).display
    assert [signal.text for signal in display.unusual] == [f"The usual is {GAP}."]
    assert display.compared == f"Only 1 to compare with, {GAP}."


def test_a_headline_that_may_be_cut_is_replaced():
    """The fact may be cut in the headline, so the title is shown instead."""
    approval = _approval(value=LONG, headline=f"Pay {LONG[:60]}… to N")
    assert hide_typed_fact(approval).display.headline == approval.display.title


def test_the_resource_is_hidden_if_it_must_be_typed():
    """The resource is hidden in the description of the token."""
    approval = _approval(label="Resource", kind="text", gives=f"A token for {RESOURCE}, once")
    assert hide_typed_fact(approval).display.gives == f"A token for {GAP}, once"


def test_the_fact_is_hidden_in_the_granted_part():
    """The fact is hidden in both columns and in the places of the signed text."""
    rows = (
        Difference(*map(SafeText, ("Amount", "EUR 5.00", "EUR 1.00"))),
        Difference(*map(SafeText, ("Scope", "all", "(not granted)"))),
    )
    places = (Place(*map(SafeText, ("/amount/minor", "500", "100"))),)
    part = hide_typed_fact(replace(_approval(), granted=Granted("{}", rows, places))).granted
    assert [(row.asked, row.granted) for row in part.differences] == [
        (GAP, "EUR 1.00"),
        ("all", "(not granted)"),
    ]
    assert [(place.asked, place.granted) for place in part.places] == [("", "100")]


def test_without_a_fact_to_type_nothing_is_hidden():
    """An approval without a type-back is returned unchanged."""
    approval = read_approval(JsonObject(wire_approval()))
    assert hide_typed_fact(approval) is approval


@pytest.mark.parametrize("text", ["match+pin+reason+type_back", "confirm", "pin"])
def test_a_ceremony_is_read_and_written_alike(text):
    """The app keeps the server's spelling, because the spelling is signed."""
    assert ceremony_text(read_ceremony(text)) == text


@pytest.mark.parametrize("text", ["pin+match", "pin+pin", "dance", "", "confirm+pin"])
def test_any_other_spelling_or_step_is_rejected(text):
    """A request that requires an unknown step cannot be answered."""
    with pytest.raises(ValueError, match=r"Step|alphabet"):
        read_ceremony(text)
