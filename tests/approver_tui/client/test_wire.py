"""A document is parsed in full or rejected with an error that names the invalid member."""

import json

import pytest
import rfc8785

from approver_tui.client.errors import WireError
from approver_tui.client.reading import JsonObject, parse_json
from approver_tui.client.wire import read_approval, read_event, read_page
from approver_tui.state.notifications.events import AlarmSubject
from tests.support.builders.approval_texts import NOW, digest, to_rfc3339, wire_approval


def change_and_reseal(wire: dict[str, object], name: str, **changes: object) -> dict[str, object]:
    """Return the approval with some members of one text changed, and a digest that matches."""
    members = json.loads(wire[name]) | changes
    text = rfc8785.dumps({k: v for k, v in members.items() if v is not ...}).decode()
    return wire | {name: text, f"{name}_digest": digest(text)}


def test_an_approval_is_read_from_its_display_text():
    """Headline, facts and expiry come from the signed text."""
    approval = read_approval(JsonObject(wire_approval()))
    assert approval.headline == "Pay EUR 4,820.00 to Nordwind Logistik GmbH"
    assert [fact.label for fact in approval.display.facts] == ["Amount", "Reference"]
    assert approval.expires_at == NOW + 600_000
    assert approval.is_waiting(NOW)


@pytest.mark.parametrize("name", ["action", "display"])
def test_a_text_that_does_not_match_its_digest_is_rejected(name):
    """One changed character is enough for a mismatch."""
    wire = wire_approval()
    wire[name] = wire[name].replace("pay", "Pay", 1)
    with pytest.raises(WireError, match=f"{name}: does not match its digest"):
        read_approval(JsonObject(wire))


@pytest.mark.parametrize(
    ("name", "changes", "member"),
    [
        ("display", {"approval": "sayso_ap_other"}, "display.approval"),
        ("display", {"resource": "https://other.example"}, "display.resource"),
        ("display", {"scopes": []}, "display.scopes"),
        ("display", {"v": 2}, "display.v"),
        ("display", {"facts": ...}, "display.facts"),
        ("display", {"unusual": ...}, "display.unusual"),
        ("display", {"unusual": "nothing"}, "display.unusual"),
        ("display", {"unusual": [{"code": "new_agent"}]}, "display.unusual[0].text"),
        ("action", {"user": "sayso_us_other"}, "display.user.id"),
        ("action", {"agent": "sayso_ag_other"}, "display.agent.id"),
        ("action", {"extra": 1}, "action"),
        ("action", {"salt": ...}, "action"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_contradictory_texts_are_rejected(name, changes, member):
    """Texts that contradict each other are rejected even if both match their digests."""
    with pytest.raises(WireError) as caught:
        read_approval(JsonObject(change_and_reseal(wire_approval(), name, **changes)))
    assert caught.value.member == member


@pytest.mark.parametrize(
    ("changes", "member"),
    [
        ({"risk": "low"}, "risk"),
        ({"agent": {"id": "sayso_ag_other", "name": "x"}}, "agent.id"),
        ({"state": "done"}, "state"),
        ({"created_at": "yesterday"}, "created_at"),
        ({"created_at": "2026-11-25T00:00:00"}, "created_at"),
        ({"display": 7}, "display"),
        ({"action": "[]", "action_digest": digest("[]")}, "action"),
        ({"decided": {"decision": "approve"}}, "decided.by"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_an_invalid_member_is_named(changes, member):
    """The error has the path of the invalid member."""
    with pytest.raises(WireError) as caught:
        read_approval(JsonObject(wire_approval() | changes))
    assert caught.value.member == member


def test_agent_text_is_made_safe():
    """Control characters are escaped even if the server lets them through."""
    hostile = {"headline": "Pay\x1b[2J", "agent_says": "\u202eevil\x1b]52;c;x\x07", "why": "a\nb"}
    approval = read_approval(JsonObject(wire_approval(display=hostile)))
    assert approval.headline == r"Pay\u{1b}[2J"
    assert approval.agent_says == r"\u{202e}evil\u{1b}]52;c;x\u{7}"
    assert approval.display.why == "a\nb"


@pytest.mark.parametrize(
    "text",
    ['{"a":1,"a":2}', '{"a":NaN}', "[" * 100_000, "{", "", b"\xff"],
    ids=["twins", "nan", "deep", "open", "empty", "bytes"],
)
def test_invalid_json_is_rejected(text):
    """JSON that two parsers could read differently is rejected too."""
    with pytest.raises(WireError, match="is not valid JSON"):
        parse_json(text)


@pytest.mark.parametrize(
    ("changes", "name", "problem"),
    [
        ({"display_digest": "x"}, ..., "display: does not match its digest"),
        ({"risk": "low"}, ..., "risk: contradicts the signed texts"),
        ({"id": 7}, "a request without an ID", "id: is not a string"),
        ({"id": "x\x1b[2J"}, r"x\u{1b}[2J", "display.approval: contradicts the signed texts"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_rejected_row_does_not_hide_the_others(changes, name, problem):
    """The page has the ID and the problem of the rejected row, both safe to draw."""
    good, bad = wire_approval(number=1), wire_approval(number=10) | changes
    outer = {"next": None, "feed_cursor": 3, "server_time": to_rfc3339(NOW)}
    page = read_page(JsonObject(outer | {"items": [bad, good]}))
    assert [approval.id for approval in page.items] == [good["id"]]
    (rejected,) = page.unverified
    assert rejected.id == (bad["id"] if name is ... else name)
    assert rejected.problem == problem


def test_unknown_members_are_ignored():
    """A newer server may add members."""
    page = {
        "items": [wire_approval() | {"new": 1}],
        "next": None,
        "feed_cursor": 3,
        "server_time": to_rfc3339(NOW),
        "new": 1,
    }
    assert read_page(JsonObject(page)).feed_cursor == 3


def test_an_unknown_event_is_rejected_by_name():
    """An event with an unknown name raises an error that names the member."""
    with pytest.raises(WireError) as caught:
        read_event(JsonObject({"seq": 1, "event": "moon.full", "at": to_rfc3339(NOW)}))
    assert caught.value.member == "event"


def test_an_alarm_names_its_agent():
    """The agent's name is safe to draw. An event that is not an alarm has no subject."""
    alarm = {"seq": 1, "event": "alarm.incident_opened", "at": to_rfc3339(NOW), "held": None}
    agent = {"id": "sayso_ag_1", "name": "bot\x1b[31m"}
    subject = read_event(JsonObject({**alarm, "agent": agent, "incident": "sayso_in_1"})).about
    assert subject == AlarmSubject("sayso_ag_1", "bot\\u{1b}[31m", "sayso_in_1")
    assert read_event(JsonObject({**alarm, "agent": agent})).about == AlarmSubject(
        "sayso_ag_1", "bot\\u{1b}[31m", None
    )
    assert read_event(JsonObject(alarm)).about is None


SIGN_IN = {"type": "sayso:device", "name": "desktop"}
APP_ACTION = {"type": "sayso:app_action"}
PAY_ONCE = {"type": "payment"}
APP_SIGN_IN = {"type": "sayso:app_device", "code": "BCDF-GHJK"}
CONSENT = {"type": "sayso:consent", "until": "2026-12-24T12:00:00.000Z"}


@pytest.mark.parametrize(
    ("kind", "details"),
    [
        ("action", [SIGN_IN]),
        ("action", [{"type": "payment"}, CONSENT]),
        ("consent", []),
        ("consent", [SIGN_IN]),
        ("consent", [CONSENT, CONSENT]),
        ("consent", [CONSENT, {"type": "payment"}]),
        ("device", [CONSENT]),
        ("device", [{"type": "payment"}]),
        ("device", [APP_SIGN_IN]),
        ("app_device", [SIGN_IN]),
        ("app_device", [CONSENT]),
        ("action", [APP_SIGN_IN]),
        ("action", [APP_ACTION, PAY_ONCE]),
        ("app_action", []),
        ("app_action", [PAY_ONCE]),
        ("app_action", [APP_ACTION]),
        ("app_action", [PAY_ONCE, APP_ACTION]),
        ("app_action", [APP_ACTION, PAY_ONCE, CONSENT]),
        ("consent", [APP_ACTION, PAY_ONCE]),
    ],
    ids=lambda value: (
        value if isinstance(value, str) else "+".join(detail["type"] for detail in value)
    ),
)
def test_a_kind_cannot_be_signed_as_another(kind, details):
    """The reserved type in the action must match the kind in the display text."""
    wire = wire_approval(display={"kind": kind}, outer={"kind": kind})
    with pytest.raises(WireError, match="kind: does not match the action"):
        read_approval(JsonObject(change_and_reseal(wire, "action", authorization_details=details)))


@pytest.mark.parametrize(
    ("kind", "details"),
    [
        ("consent", [CONSENT]),
        ("device", [SIGN_IN]),
        ("app_device", [APP_SIGN_IN]),
        ("app_action", [APP_ACTION, PAY_ONCE]),
    ],
)
def test_the_kind_comes_from_the_display(kind, details):
    """A response whose kind differs from the signed one is rejected."""
    wire = wire_approval(display={"kind": kind}, outer={"kind": kind})
    sealed = change_and_reseal(wire, "action", authorization_details=details)
    assert read_approval(JsonObject(sealed)).kind.value == kind
    with pytest.raises(WireError, match="kind: contradicts"):
        read_approval(JsonObject(sealed | {"kind": "action"}))


def test_an_empty_list_of_signals_differs_from_null():
    """An empty list means that nothing is unusual; null means that nothing was compared."""
    text = "You never approved this before.\x1b[2J"
    signal = {"code": "new_target", "severity": "notice", "text": text}
    for sent, count in (([signal], 1), ([], 0), (None, None)):
        unusual = read_approval(
            JsonObject(wire_approval(display={"unusual": sent}))
        ).display.unusual
        assert count == (None if unusual is None else len(unusual))
        for read_signal in unusual or ():
            assert read_signal.code == "new_target"
            assert read_signal.text == "You never approved this before.\\u{1b}[2J"
            assert not read_signal.warns


def test_a_signal_of_an_older_server_is_a_warning():
    """Documents of older servers have no severity."""
    display = {"unusual": [{"code": "new_target", "text": "First time: IBAN"}]}
    (signal,) = read_approval(JsonObject(wire_approval(display=display))).display.unusual
    assert signal.warns


def test_current_signals_replace_the_signed_ones():
    """The display text is unchanged. If the current signals are null, the signed ones are shown."""
    wire = wire_approval()
    original = read_approval(JsonObject(wire))
    assert read_approval(JsonObject({**wire, "unusual": None})) == original
    signal = {"code": "burst", "severity": "warning", "text": "9 requests in this hour."}
    current = {"signals": [signal], "compared": "Compared with 9."}
    updated = read_approval(JsonObject({**wire, "unusual": current}))
    assert [(shown.code, shown.warns) for shown in updated.display.unusual] == [("burst", True)]
    assert updated.display.compared == "Compared with 9."
    assert (updated.display_text, updated.look_key) == (original.display_text, original.look_key)
