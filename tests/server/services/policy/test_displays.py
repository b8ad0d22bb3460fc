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
from server.services.policy.displays import DisplayedRequest, display_text, rfc3339
from server.services.resources.targets import TokenTarget
from tests.server.services.resources.test_targets import AGENT
from tests.support.builders.clock import MINUTE, NOON
from tests.support.builders.installation import PAY, PAY_SCOPES, PAYMENT

PAYING = action_types.read_action_type(PAYMENT)
DETAIL = {
    "type": "payment.transfer",
    "amount": {"minor": 482_000, "currency": "EUR"},
    "payee": "Nordwind",
}
TARGET = TokenTarget(Resource(PAY, PAY_SCOPES, {}, 0), ("payments:transfer",))
ASKED = DisplayedRequest(
    approval_id="sayso_ap_a",
    agent=AGENT,
    owners=("admin",),
    user=User("sayso_us_a", "ana", None, (), "enabled", 0),
    target=TARGET,
    details=(DETAIL,),
    actions=(PAYING,),
    risk=Risk.HIGH,
    because="Every payment is asked.",
    ceremony=CONFIRM,
    binding_message=None,
    first_request=False,
    peer="192.0.2.7",
    asked_at=NOON,
    expires_at=NOON + MINUTE,
    token_seconds=300,
)
READING = replace(
    ASKED, target=replace(TARGET, scope=("payments:read",)), details=(), actions=(), risk=Risk.LOW
)


def _shown(displayed):
    return json.loads(display_text(displayed))


def _type_with_fields(count, *, material=False):
    """An action type with one note and this many other fields."""
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
    shown = _shown(ASKED)
    assert (shown["v"], shown["title"], shown["undo"]) == (1, "Payment", "Cannot be undone")
    assert shown["headline"] == "Pay EUR 4,820.00 to Nordwind"
    assert [fact["material"] for fact in shown["facts"]] == sorted(
        (fact["material"] for fact in shown["facts"]), reverse=True
    )
    assert "Nordwind" in [fact["value"] for fact in shown["facts"]]
    assert shown["scopes"] == [{"scope": "payments:transfer", "risk": "high"}]


def test_access_without_an_action_is_displayed_as_access():
    """It is unknown whether it can be undone."""
    shown = _shown(READING)
    assert (shown["title"], shown["headline"]) == (
        "Access",
        f"Use payments:read at {PAY}",
    )
    assert shown["facts"] == []
    assert shown["undo"] == "We do not know if this can be undone."
    assert "for anything these scopes allow" in shown["gives"]


def test_access_without_scopes_says_so():
    """An empty list of scopes would look like an error."""
    displayed = replace(READING, target=replace(TARGET, scope=()))
    assert _shown(displayed)["headline"] == f"Use nothing but your name at {PAY}"
    assert "with no scope" in _shown(displayed)["gives"]


def test_a_headline_that_is_too_long_counts_the_scopes():
    """They are listed with their risk below."""
    scopes = {f"payments:scope-{n}": Risk.LOW for n in range(4)}
    target = TokenTarget(Resource(PAY, scopes, {}, 0), tuple(scopes))
    shown = _shown(replace(READING, target=target))
    assert shown["headline"] == f"Use 4 scopes at {PAY}"
    assert [scope["scope"] for scope in shown["scopes"]] == list(scopes)
    alone = replace(READING, target=replace(target, scope=("payments:scope-0",)))
    assert _shown(alone)["headline"] == f"Use payments:scope-0 at {PAY}"


def test_a_type_without_a_template_is_displayed_by_the_generic_one():
    """Its title, the resource, every field, and that it has no template."""
    schema = {key: PAYMENT["schema"][key] for key in PAYMENT["schema"]}
    bare = action_types.read_action_type(
        {"type": "payment.transfer", "title": "Move money", "schema": schema}
    )
    shown = _shown(replace(ASKED, actions=(bare,)))
    assert shown["headline"] == f"Move money on {PAY}"
    assert shown["risk_reason"] == "This type has no template."
    assert shown["undo"] == "We do not know if this can be undone."
    assert [(fact["label"], fact["material"]) for fact in shown["facts"]] == [
        ("Amount", True),
        ("Payee", True),
        ("Type", True),
    ]


def test_a_headline_of_several_actions_is_shortened_for_the_count():
    """72 characters in total."""
    details = ({**DETAIL, "payee": "N" * 70}, DETAIL)
    shown = _shown(replace(ASKED, details=details, actions=(PAYING, PAYING)))
    assert shown["headline"] == f"Pay EUR 4,820.00 to {'N' * 40}… and 1 more"
    assert len(shown["headline"]) == action_types.MAX_HEADLINE


def test_two_actions_are_counted_and_their_facts_numbered():
    """The headline is that of the first."""
    displayed = replace(
        ASKED, details=(DETAIL, {**DETAIL, "payee": "Other"}), actions=(PAYING, PAYING)
    )
    shown = _shown(displayed)
    assert shown["headline"].endswith(" and 1 more")
    assert shown["title"] == "Payment"
    labels = {fact["label"].partition(" ")[0] for fact in shown["facts"]}
    assert labels == {"1.", "2."}


def test_material_facts_of_all_actions_come_first():
    """Whichever action they belong to."""
    noted = {**DETAIL, "type": "payment.transfer"}
    plain = _type_with_fields(1)
    displayed = replace(
        ASKED,
        details=({"type": "file.delete", "f0": "a.txt"}, noted),
        actions=(plain, PAYING),
    )
    material = [fact["material"] for fact in _shown(displayed)["facts"]]
    assert material == sorted(material, reverse=True)
    assert material.count(True) > 0
    assert material.count(False) > 0


@pytest.mark.parametrize(("count", "fits"), [(199, True), (200, True), (201, False)])
def test_more_than_two_hundred_values_are_refused(count, fits):
    """They are not displayed in part."""
    detail = {"type": "file.delete", "note": "n"} | {f"f{n}": "x" for n in range(count - 2)}
    displayed = replace(ASKED, details=(detail,), actions=(_type_with_fields(count),))
    if fits:
        assert len(_shown(displayed)["facts"]) == count
    else:
        with pytest.raises(errors.InvalidAuthorizationDetails, match="200"):
            display_text(displayed)


def test_a_material_value_that_is_too_long_is_refused():
    """Others may be cut."""
    displayed = replace(ASKED, details=({"type": "file.delete", "note": "y" * 4_001},))
    with pytest.raises(errors.InvalidAuthorizationDetails):
        display_text(replace(displayed, actions=(_type_with_fields(0, material=True),)))
    cut = _shown(replace(displayed, actions=(_type_with_fields(0),)))["facts"][1]
    assert (cut["material"], cut["value"][-6:]) == (False, " chars")
    fits = replace(ASKED, details=({"type": "file.delete", "note": "y" * 4_000},))
    whole = _shown(replace(fits, actions=(_type_with_fields(0, material=True),)))["facts"][0]
    assert whole == {"label": "Note", "value": "y" * 4_000, "material": True}


def test_the_risk_reason_names_what_has_the_risk():
    """Nothing of lower risk; and nothing if all of it has the risk, which the level says."""
    assert _shown(ASKED)["risk_reason"] == ""
    assert _shown(READING)["risk_reason"] == ""
    low = replace(ASKED, target=replace(TARGET, scope=("payments:read",)))
    assert _shown(low)["risk_reason"] == "The risk comes from Payment."


def test_unusual_signals_are_displayed_with_the_comparison():
    """Each with its code and severity."""
    shown = _shown(ASKED)
    assert (shown["unusual"], shown["compared"]) == ([], "No earlier approval to compare with.")
    oddity = FoundSignal(Code.NEW_KEY, Severity.WARNING, SafeText("A new key."))
    found = Unusual(frozenset({Code.NEW_KEY}), (oddity,), SafeText("Compared with 5."))
    shown = json.loads(display_text(ASKED, found))
    assert shown["unusual"] == [{"code": "new_key", "severity": "warning", "text": "A new key."}]
    assert shown["compared"] == "Compared with 5."


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(60, "1 minute"), (300, "5 minutes"), (90, "90 seconds"), (30, "30 seconds")],
)
def test_the_display_says_what_an_approval_gives(seconds, words):
    """One token, its lifetime and its use."""
    gives = _shown(replace(ASKED, token_seconds=seconds))["gives"]
    assert gives == (
        f"One access token for {PAY}, valid {words}, with payments:transfer, "
        "for exactly this action. No refresh token."
    )


def test_the_binding_message_is_separate_and_display_safe():
    """CB-201: control characters are escaped; without a message it is null."""
    assert _shown(ASKED)["agent_says"] is None
    agent_says = _shown(replace(ASKED, binding_message="pay\u202enow"))["agent_says"]
    assert "\u202e" not in agent_says


def test_names_from_the_database_are_display_safe():
    """An administrator may paste anything."""
    hostile = "bot\x1b[2J"
    displayed = replace(
        ASKED,
        agent=replace(AGENT, name=hostile),
        owners=(hostile,),
        user=replace(ASKED.user, name=hostile),
        peer=hostile,
    )
    assert "\x1b" not in display_text(displayed)
    assert "\\u001b" not in display_text(displayed)


def test_times_are_rfc_3339_in_utc_with_milliseconds():
    """RFC 3339."""
    assert rfc3339(0) == "1970-01-01T00:00:00.000Z"
    assert rfc3339(1_760_000_000_007) == "2025-10-09T08:53:20.007Z"
    shown = _shown(ASKED)
    assert (shown["asked_at"], shown["expires_at"]) == (rfc3339(NOON), rfc3339(NOON + MINUTE))


def test_the_reason_of_a_rule_is_displayed():
    """Display-safe, although an administrator wrote it."""
    assert _shown(ASKED)["why"] == "Every payment is asked."
    assert "\u202e" not in _shown(replace(ASKED, because="a\u202eb"))["why"]


def test_a_risk_raised_by_policy_has_policy_as_its_reason():
    """None of the scopes and types has that risk."""
    shown = _shown(replace(ASKED, risk=Risk.CRITICAL))
    assert shown["risk_reason"] == "Policy or the agent raised the risk."
