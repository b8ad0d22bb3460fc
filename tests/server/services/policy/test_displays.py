"""The display of a request: every value of the action, its risk, and only safe text."""

import json
from dataclasses import replace

import pytest

from server.model.resources import Resource
from server.model.users import User
from server.protocol import errors
from server.protocol.approvals.ceremonies import CONFIRM
from server.protocol.approvals.unusual import Code, FoundSignal, Severity, Unusual
from server.protocol.policy import action_types
from server.protocol.policy.risks import Risk
from server.protocol.text import SafeText
from server.protocol.times import rfc3339
from server.services.policy.displays import (
    NOTHING_COMPARED,
    DisplayedRequest,
    canonical_display,
    request_display,
)
from server.services.resources.targets import TokenTarget
from tests.server.services.resources.test_targets import AGENT
from tests.support.builders.clock import MINUTE, NOON
from tests.support.builders.installation import PAY, PAY_SCOPES, PAYMENT

PAYMENT_TYPE = action_types.read_action_type(PAYMENT)
DETAIL = {
    "type": "payment.transfer",
    "amount": {"minor": 482_000, "currency": "EUR"},
    "payee": "Nordwind",
}
TARGET = TokenTarget(Resource(PAY, PAY_SCOPES, {}, 0), ("payments:transfer",))
PAYMENT_REQUEST = DisplayedRequest(
    agent=AGENT,
    owners=("admin",),
    user=User("sayso_us_a", "ana", None, (), "enabled", 0),
    target=TARGET,
    details=(DETAIL,),
    actions=(PAYMENT_TYPE,),
    risk=Risk.HIGH,
    because="Every payment is asked.",
    ceremony=CONFIRM,
    binding_message=None,
    first_request=False,
    peer="192.0.2.7",
    token_seconds=300,
)
READ_REQUEST = replace(
    PAYMENT_REQUEST,
    target=replace(TARGET, scope=("payments:read",)),
    details=(),
    actions=(),
    risk=Risk.LOW,
)


def _text(displayed, unusual=NOTHING_COMPARED):
    return canonical_display(
        request_display(displayed, unusual),
        approval_id="sayso_ap_a",
        asked_at=NOON,
        expires_at=NOON + MINUTE,
    )


def _display(displayed):
    return json.loads(_text(displayed))


def _type_with_fields(count, *, material=False):
    """An action type with a note and this number of other fields."""
    document = {
        "type": "file.delete",
        "title": "Deletion",
        "risk": "medium",
        "headline": "Delete files",
        "undo": "Cannot be undone",
        "schema": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"note": {"type": "string"}}
            | {f"f{n}": {"type": "string"} for n in range(count)},
        },
        "material": ["/note"] if material else [],
    }
    return action_types.read_action_type(document)


def test_an_action_is_displayed_with_its_headline_and_all_values():
    """CB-076: material facts are marked and come first."""
    display = _display(PAYMENT_REQUEST)
    assert (display["v"], display["title"], display["undo"]) == (1, "Payment", "Cannot be undone")
    assert display["headline"] == "Pay EUR 4,820.00 to Nordwind"
    assert [fact["material"] for fact in display["facts"]] == sorted(
        (fact["material"] for fact in display["facts"]), reverse=True
    )
    assert "Nordwind" in [fact["value"] for fact in display["facts"]]
    assert display["scopes"] == [{"scope": "payments:transfer", "risk": "high"}]


def test_access_without_an_action_is_displayed_as_access():
    """The display says that it is unknown whether the access can be undone."""
    display = _display(READ_REQUEST)
    assert (display["title"], display["headline"]) == (
        "Access",
        f"Use payments:read at {PAY}",
    )
    assert display["facts"] == []
    assert display["undo"] == "It is unknown whether this can be undone."
    assert "for anything these scopes allow" in display["gives"]


def test_access_without_scopes_says_so():
    """An empty list of scopes would look like an error."""
    displayed = replace(READ_REQUEST, target=replace(TARGET, scope=()))
    assert _display(displayed)["headline"] == f"Use nothing but your name at {PAY}"
    assert "with no scope" in _display(displayed)["gives"]


def test_a_headline_that_is_too_long_counts_the_scopes():
    """The display lists the scopes with their risk below the headline."""
    scopes = {f"payments:scope-{n}": Risk.LOW for n in range(4)}
    target = TokenTarget(Resource(PAY, scopes, {}, 0), tuple(scopes))
    display = _display(replace(READ_REQUEST, target=target))
    assert display["headline"] == f"Use 4 scopes at {PAY}"
    assert [scope["scope"] for scope in display["scopes"]] == list(scopes)
    one_scope = replace(READ_REQUEST, target=replace(target, scope=("payments:scope-0",)))
    assert _display(one_scope)["headline"] == f"Use payments:scope-0 at {PAY}"


def test_a_type_without_a_template_is_displayed_by_the_generic_one():
    """The display has the title, resource and every field and says that no template exists."""
    schema = {key: PAYMENT["schema"][key] for key in PAYMENT["schema"]}
    without_template = action_types.read_action_type(
        {"type": "payment.transfer", "title": "Move money", "schema": schema}
    )
    display = _display(replace(PAYMENT_REQUEST, actions=(without_template,)))
    assert display["headline"] == f"Move money on {PAY}"
    assert display["risk_reason"] == "This type has no template."
    assert display["undo"] == "It is unknown whether this can be undone."
    assert [(fact["label"], fact["material"]) for fact in display["facts"]] == [
        ("Amount", True),
        ("Payee", True),
        ("Type", True),
    ]


def test_a_headline_of_several_actions_is_shortened_for_the_count():
    """The headline has at most 72 characters, including the count."""
    details = ({**DETAIL, "payee": "N" * 70}, DETAIL)
    display = _display(
        replace(PAYMENT_REQUEST, details=details, actions=(PAYMENT_TYPE, PAYMENT_TYPE))
    )
    assert display["headline"] == f"Pay EUR 4,820.00 to {'N' * 40}… and 1 more"
    assert len(display["headline"]) == action_types.MAX_HEADLINE


def test_two_actions_are_counted_and_their_facts_numbered():
    """The headline describes the first action."""
    displayed = replace(
        PAYMENT_REQUEST,
        details=(DETAIL, {**DETAIL, "payee": "Other"}),
        actions=(PAYMENT_TYPE, PAYMENT_TYPE),
    )
    display = _display(displayed)
    assert display["headline"].endswith(" and 1 more")
    assert display["title"] == "Payment"
    labels = {fact["label"].partition(" ")[0] for fact in display["facts"]}
    assert labels == {"1.", "2."}


def test_material_facts_of_all_actions_come_first():
    """The order does not depend on the action that a fact belongs to."""
    payment = {**DETAIL, "type": "payment.transfer"}
    deletion_type = _type_with_fields(1)
    displayed = replace(
        PAYMENT_REQUEST,
        details=({"type": "file.delete", "f0": "a.txt"}, payment),
        actions=(deletion_type, PAYMENT_TYPE),
    )
    material = [fact["material"] for fact in _display(displayed)["facts"]]
    assert material == sorted(material, reverse=True)
    assert material.count(True) > 0
    assert material.count(False) > 0


@pytest.mark.parametrize(("count", "fits"), [(199, True), (200, True), (201, False)])
def test_more_than_two_hundred_values_are_refused(count, fits):
    """A display must not leave out any of the values."""
    detail = {"type": "file.delete", "note": "n"} | {f"f{n}": "x" for n in range(count - 2)}
    displayed = replace(PAYMENT_REQUEST, details=(detail,), actions=(_type_with_fields(count),))
    if fits:
        assert len(_display(displayed)["facts"]) == count
    else:
        with pytest.raises(errors.InvalidAuthorizationDetails, match="200"):
            request_display(displayed)


def test_a_material_value_that_is_too_long_is_refused():
    """A value that is not material may be cut instead."""
    displayed = replace(PAYMENT_REQUEST, details=({"type": "file.delete", "note": "y" * 4_001},))
    with pytest.raises(errors.InvalidAuthorizationDetails):
        request_display(replace(displayed, actions=(_type_with_fields(0, material=True),)))
    cut = _display(replace(displayed, actions=(_type_with_fields(0),)))["facts"][1]
    assert (cut["material"], cut["value"][-6:]) == (False, " chars")
    fits = replace(PAYMENT_REQUEST, details=({"type": "file.delete", "note": "y" * 4_000},))
    complete = _display(replace(fits, actions=(_type_with_fields(0, material=True),)))["facts"][0]
    assert complete == {"label": "Note", "value": "y" * 4_000, "material": True}


def test_the_risk_reason_names_the_source_of_the_risk():
    """There is no reason if every scope and type has this risk."""
    assert _display(PAYMENT_REQUEST)["risk_reason"] == ""
    assert _display(READ_REQUEST)["risk_reason"] == ""
    low = replace(PAYMENT_REQUEST, target=replace(TARGET, scope=("payments:read",)))
    assert _display(low)["risk_reason"] == "The risk comes from Payment."


def test_unusual_signals_are_displayed_with_the_comparison():
    """Each signal is displayed with its code and severity."""
    display = _display(PAYMENT_REQUEST)
    assert (display["unusual"], display["compared"]) == ([], "No earlier approval to compare with.")
    signal = FoundSignal(Code.NEW_KEY, Severity.WARNING, SafeText("A new key."))
    unusual = Unusual(frozenset({Code.NEW_KEY}), (signal,), SafeText("Compared with 5."))
    display = json.loads(_text(PAYMENT_REQUEST, unusual))
    assert display["unusual"] == [{"code": "new_key", "severity": "warning", "text": "A new key."}]
    assert display["compared"] == "Compared with 5."


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(60, "1 minute"), (300, "5 minutes"), (90, "90 seconds"), (30, "30 seconds")],
)
def test_the_display_says_what_an_approval_grants(seconds, words):
    """An approval grants one token; the display has its lifetime, resource and scopes."""
    gives = _display(replace(PAYMENT_REQUEST, token_seconds=seconds))["gives"]
    assert gives == (
        f"One access token for {PAY}, valid {words}, with payments:transfer, "
        "for this action. No refresh token."
    )


def test_the_binding_message_is_separate_and_display_safe():
    """CB-201: control characters are escaped; without a message it is null."""
    assert _display(PAYMENT_REQUEST)["agent_says"] is None
    agent_says = _display(replace(PAYMENT_REQUEST, binding_message="pay\u202enow"))["agent_says"]
    assert "\u202e" not in agent_says


def test_names_from_the_database_are_display_safe():
    """An administrator may paste control characters into a name."""
    hostile = "bot\x1b[2J"
    displayed = replace(
        PAYMENT_REQUEST,
        agent=replace(AGENT, name=hostile),
        owners=(hostile,),
        user=replace(PAYMENT_REQUEST.user, name=hostile),
        peer=hostile,
    )
    assert "\x1b" not in _text(displayed)
    assert "\\u001b" not in _text(displayed)


def test_the_display_has_the_times_of_the_request_and_its_expiry():
    """Both have the format of RFC 3339."""
    display = _display(PAYMENT_REQUEST)
    assert (display["asked_at"], display["expires_at"]) == (rfc3339(NOON), rfc3339(NOON + MINUTE))


def test_the_reason_of_a_rule_is_displayed():
    """Control characters in it are escaped, although an administrator wrote it."""
    assert _display(PAYMENT_REQUEST)["why"] == "Every payment is asked."
    assert "\u202e" not in _display(replace(PAYMENT_REQUEST, because="a\u202eb"))["why"]


def test_a_risk_raised_by_policy_has_policy_as_its_reason():
    """No scope and no type of the request has that risk."""
    display = _display(replace(PAYMENT_REQUEST, risk=Risk.CRITICAL))
    assert display["risk_reason"] == "Policy or the agent raised the risk."
