"""What a person is shown: every value of the action, its risk, and no word that could mislead."""

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


def _shown(asked):
    return json.loads(display_text(asked))


def _listing(count, *, material=False):
    """An action type with one list, and a detail with so many values in it."""
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


def test_an_action_is_shown_with_its_headline_and_all_its_values():
    """CB-076: material ones are marked and come first."""
    shown = _shown(ASKED)
    assert (shown["v"], shown["title"], shown["undo"]) == (1, "Payment", "Cannot be undone")
    assert shown["headline"] == "Pay EUR 4,820.00 to Nordwind"
    assert [fact["material"] for fact in shown["facts"]] == sorted(
        (fact["material"] for fact in shown["facts"]), reverse=True
    )
    assert "Nordwind" in [fact["value"] for fact in shown["facts"]]
    assert shown["scopes"] == [{"scope": "payments:transfer", "risk": "high"}]


def test_access_without_an_action_says_so():
    """There is nothing to describe, and we do not know whether it can be undone."""
    shown = _shown(READING)
    assert (shown["title"], shown["headline"]) == (
        "Access",
        f"Use payments:read at {PAY}",
    )
    assert shown["facts"] == []
    assert shown["undo"] == "We do not know if this can be undone."
    assert "for anything these scopes allow" in shown["gives"]


def test_access_to_nothing_but_the_name_says_that():
    """An empty list of scopes would read like a mistake."""
    asked = replace(READING, target=replace(TARGET, scope=()))
    assert _shown(asked)["headline"] == f"Use nothing but your name at {PAY}"
    assert "with no scope" in _shown(asked)["gives"]


def test_many_scopes_are_counted_in_a_headline_that_would_be_too_long():
    """Their names stand among the rights, each with its risk."""
    scopes = {f"payments:scope-{n}": Risk.LOW for n in range(4)}
    target = TokenTarget(Resource(PAY, scopes, {}, 0), tuple(scopes))
    shown = _shown(replace(READING, target=target))
    assert shown["headline"] == f"Use 4 scopes at {PAY}"
    assert [scope["scope"] for scope in shown["scopes"]] == list(scopes)
    alone = replace(READING, target=replace(target, scope=("payments:scope-0",)))
    assert _shown(alone)["headline"] == f"Use payments:scope-0 at {PAY}"


def test_a_type_without_a_template_is_shown_by_the_generic_one_and_says_so():
    """Its title on the resource, every field, and that nobody wrote down how it reads."""
    schema = {key: PAYMENT["schema"][key] for key in PAYMENT["schema"]}
    bare = action_types.read_action_type(
        {"type": "payment.transfer", "title": "Move money", "schema": schema}
    )
    shown = _shown(replace(ASKED, actions=(bare,)))
    assert shown["headline"] == f"Move money on {PAY}"
    assert shown["risk_reason"] == (
        "Move money and payments:transfer are high risk; no template for this type"
    )
    assert shown["undo"] == "We do not know if this can be undone."
    assert [(fact["label"], fact["material"]) for fact in shown["facts"]] == [
        ("Amount", True),
        ("Payee", True),
        ("Type", True),
    ]


def test_the_headline_of_several_actions_has_room_for_their_number():
    """72 characters in all."""
    details = ({**DETAIL, "payee": "N" * 70}, DETAIL)
    shown = _shown(replace(ASKED, details=details, actions=(PAYING, PAYING)))
    assert shown["headline"] == f"Pay EUR 4,820.00 to {'N' * 40}… and 1 more"
    assert len(shown["headline"]) == action_types.MAX_HEADLINE


def test_two_actions_are_counted_and_numbered():
    """The headline is that of the first one; no value loses its place."""
    asked = replace(ASKED, details=(DETAIL, {**DETAIL, "payee": "Other"}), actions=(PAYING, PAYING))
    shown = _shown(asked)
    assert shown["headline"].endswith(" and 1 more")
    assert shown["title"] == "Payment"
    labels = {fact["label"].partition(" ")[0] for fact in shown["facts"]}
    assert labels == {"1.", "2."}


def test_material_values_of_every_action_come_before_the_others():
    """Whichever object they are of."""
    noted = {**DETAIL, "type": "payment.transfer"}
    plain = _listing(1)
    asked = replace(
        ASKED,
        details=({"type": "file.delete", "f0": "a.txt"}, noted),
        actions=(plain, PAYING),
    )
    material = [fact["material"] for fact in _shown(asked)["facts"]]
    assert material == sorted(material, reverse=True)
    assert material.count(True) > 0
    assert material.count(False) > 0


@pytest.mark.parametrize(("count", "fits"), [(199, True), (200, True), (201, False)])
def test_more_values_than_a_person_reads_are_refused_not_shown_in_part(count, fits):
    """Two hundred."""
    detail = {"type": "file.delete", "note": "n"} | {f"f{n}": "x" for n in range(count - 2)}
    asked = replace(ASKED, details=(detail,), actions=(_listing(count),))
    if fits:
        assert len(_shown(asked)["facts"]) == count
    else:
        with pytest.raises(errors.InvalidAuthorizationDetails, match="200"):
            display_text(asked)


def test_a_material_value_that_does_not_fit_is_refused():
    """A cut amount or payee is worse than none; others may be cut."""
    asked = replace(ASKED, details=({"type": "file.delete", "note": "y" * 4_001},))
    with pytest.raises(errors.InvalidAuthorizationDetails):
        display_text(replace(asked, actions=(_listing(0, material=True),)))
    cut = _shown(replace(asked, actions=(_listing(0),)))["facts"][1]
    assert (cut["material"], cut["value"][-6:]) == (False, " chars")
    fits = replace(ASKED, details=({"type": "file.delete", "note": "y" * 4_000},))
    whole = _shown(replace(fits, actions=(_listing(0, material=True),)))["facts"][0]
    assert whole == {"label": "Note", "value": "y" * 4_000, "material": True}


def test_the_risk_is_explained_by_what_has_it():
    """The action, the scopes, each once; nothing of lower risk is named."""
    assert _shown(ASKED)["risk_reason"] == "Payment and payments:transfer are high risk"
    assert _shown(READING)["risk_reason"] == "payments:read is low risk"
    low = replace(ASKED, target=replace(TARGET, scope=("payments:read",)))
    assert _shown(low)["risk_reason"] == "Payment is high risk"


def test_what_is_unusual_is_shown_and_that_nothing_is():
    """Each with its code and severity; beside them, what was compared."""
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
def test_what_a_yes_gives_is_said_in_words(seconds, words):
    """One token, how long, for what, and that there is no other."""
    gives = _shown(replace(ASKED, token_seconds=seconds))["gives"]
    assert gives == (
        f"One access token for {PAY}, valid {words}, with payments:transfer, "
        "for exactly this action. No refresh token."
    )


def test_what_the_agent_says_is_kept_apart_and_made_safe():
    """CB-201: A control character is shown, never obeyed; without a message there is none."""
    assert _shown(ASKED)["agent_says"] is None
    said = _shown(replace(ASKED, binding_message="pay\u202enow"))["agent_says"]
    assert "\u202e" not in said


def test_names_from_the_database_are_made_safe_too():
    """An administrator may paste anything."""
    hostile = "bot\x1b[2J"
    asked = replace(
        ASKED,
        agent=replace(AGENT, name=hostile),
        owners=(hostile,),
        user=replace(ASKED.user, name=hostile),
        peer=hostile,
    )
    assert "\x1b" not in display_text(asked)
    assert "\\u001b" not in display_text(asked)


def test_times_are_told_in_utc_to_the_millisecond():
    """RFC 3339."""
    assert rfc3339(0) == "1970-01-01T00:00:00.000Z"
    assert rfc3339(1_760_000_000_007) == "2025-10-09T08:53:20.007Z"
    shown = _shown(ASKED)
    assert (shown["asked_at"], shown["expires_at"]) == (rfc3339(NOON), rfc3339(NOON + MINUTE))


def test_why_it_is_asked_is_the_rules_word():
    """Whoever wrote the rule is an administrator; what is shown is made safe all the same."""
    assert _shown(ASKED)["why"] == f"Every payment is asked. This one is {ASKED.risk} risk."
    assert "\u202e" not in _shown(replace(ASKED, because="a\u202eb"))["why"]


def test_a_risk_that_a_rule_raised_has_the_rule_for_its_reason():
    """None of the scopes and types is of that risk by itself."""
    shown = _shown(replace(ASKED, risk=Risk.CRITICAL))
    assert shown["risk_reason"] == "what policy or the agent makes of this is critical risk"
