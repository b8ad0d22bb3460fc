"""What the panel shows where a fact is to be typed: everything but that fact."""

from dataclasses import replace

import pytest

from approver_tui.client.reading import JsonObject
from approver_tui.client.wire import read_approval
from approver_tui.state.approvals.ceremony import FactKind, Step, TypeBack, read_ceremony, spelled
from approver_tui.state.approvals.narrowing import Difference, Granted, Place
from approver_tui.state.approvals.type_back import GAP, could_be, without_typed
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
    ("kind", "label", "what"),
    [
        (
            FactKind.LAST_FOUR,
            "Last 4 characters of To account",
            'the last 4 characters of "To account"',
        ),
        (FactKind.TEXT, "To account", '"To account" as you read it'),
    ],
)
def test_what_is_to_be_typed_is_said_before_the_field_and_in_a_sentence(kind, label, what):
    """Four characters of a long number, or all of it."""
    asked = TypeBack(SafeText("To account"), kind)
    assert (asked.prompt, asked.what) == (label, what)


@pytest.mark.parametrize(
    ("step", "kind", "value", "entries", "others"),
    [
        (Step.MATCH, "text", "x", ["482", " 48 2"], ["", "5", "4821", "4a2", "٤٨٢"]),
        (Step.TYPE_BACK, "last_four", "DE89 3000", ["3000", "30 00"], ["", "300", "93000"]),
        (Step.TYPE_BACK, "last_four", "A--7", ["a7", "--a7"], ["7", "--"]),
        (Step.TYPE_BACK, "money", "EUR 5.00", ["5", "nonsense"], ["", "  "]),
        (Step.REASON, "text", "x", ["ok"], ["", " "]),
    ],
)
def test_what_cannot_be_the_entry_is_known_before_it_costs_a_try(
    step, kind, value, entries, others
):
    """By its length and form alone; what could be is for the server to compare."""
    approval = _approval(value=value, kind=kind)
    assert [could_be(approval, step, each) for each in entries] == [True] * len(entries)
    assert [could_be(approval, step, each) for each in others] == [False] * len(others)


def test_the_fact_has_a_gap_wherever_it_stands_alone():
    """Not where it is a part of something else."""
    shown = without_typed(_approval()).display
    assert shown.headline == f"Pay {GAP} to N"
    assert [fact.value for fact in shown.facts] == [GAP, f"N, for {GAP} of EUR 5.000"]


def test_what_is_unusual_does_not_show_it_either():
    """The amount of an earlier request may be that of this one."""
    signal = {"code": "split_amount", "severity": "warning", "text": "The usual is EUR 5.00."}
    told = {"unusual": [signal], "compared": "Only 1 to compare with, EUR 5.00."}
    display = without_typed(_approval(**told)).display
    assert [one.text for one in display.unusual] == [f"The usual is {GAP}."]
    assert display.compared == f"Only 1 to compare with, {GAP}."


def test_a_headline_that_may_have_cut_it_is_left_out():
    """The title stands in its place."""
    approval = _approval(value=LONG, headline=f"Pay {LONG[:60]}… to N")
    assert without_typed(approval).display.headline == approval.display.title


def test_the_resource_is_hidden_where_it_is_what_is_typed():
    """It is no fact; what a yes gives names it."""
    approval = _approval(label="Resource", kind="text", gives=f"A token for {RESOURCE}, once")
    assert without_typed(approval).display.gives == f"A token for {GAP}, once"


def test_the_part_that_is_granted_does_not_show_it_either():
    """Neither in the two columns nor in the words of the text; other rows stay as they are."""
    rows = (
        Difference(*map(SafeText, ("Amount", "EUR 5.00", "EUR 1.00"))),
        Difference(*map(SafeText, ("Scope", "all", "(not granted)"))),
    )
    places = (Place(*map(SafeText, ("/amount/minor", "500", "100"))),)
    part = without_typed(replace(_approval(), granted=Granted("{}", rows, places))).granted
    assert [(row.asked, row.granted) for row in part.differences] == [
        (GAP, "EUR 1.00"),
        ("all", "(not granted)"),
    ]
    assert [(place.asked, place.granted) for place in part.places] == [("", "100")]


def test_nothing_is_hidden_where_nothing_is_typed():
    """The very same approval."""
    approval = read_approval(JsonObject(wire_approval()))
    assert without_typed(approval) is approval


@pytest.mark.parametrize("text", ["match+pin+reason+type_back", "confirm", "pin"])
def test_a_ceremony_is_read_and_spelled_alike(text):
    """What is signed is the server's own spelling."""
    assert spelled(read_ceremony(text)) == text


@pytest.mark.parametrize("text", ["pin+match", "pin+pin", "dance", "", "confirm+pin"])
def test_another_spelling_or_step_is_refused(text):
    """A server that asks for more than this program knows is not answered."""
    with pytest.raises(ValueError, match=r"Step|alphabet"):
        read_ceremony(text)
