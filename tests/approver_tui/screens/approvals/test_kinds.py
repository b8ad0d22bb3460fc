"""What is said of a consent and of a sign-in, wherever it is said, is said of what it is."""

import json
from dataclasses import replace
from datetime import UTC

import pytest

from approver_tui.cli import documents, lines
from approver_tui.cli.approvals import listing
from approver_tui.client.errors import WireError
from approver_tui.client.reading import JsonObject
from approver_tui.client.wire import read_approval
from approver_tui.screens.notifications.news import news
from approver_tui.state.approvals.approvals import ApprovalState, AutomaticDecision, Execution
from approver_tui.state.approvals.decision import Answer
from approver_tui.state.approvals.look_alikes import Fold
from approver_tui.state.notifications.events import Event, EventName
from approver_tui.state.text import SafeText
from approver_tui.widgets.approvals.facts import approval_lines, panel_lines
from approver_tui.widgets.approvals.outcomes import RenderContext, outcome
from approver_tui.widgets.approvals.rows import InboxRow, row_lines
from tests.support.fakes.fake_approvals import _outer, an_approval, answered
from tests.support.fakes.fake_clock import NOW
from tests.support.fakes.fake_requests import (
    APP_PAYMENT,
    APP_SIGN_IN,
    CONSENT,
    DEPLOY,
    GRANT,
    SIGN_IN,
)

ABOUT = {
    "action": DEPLOY,
    "consent": CONSENT,
    "device": SIGN_IN,
    "app_device": APP_SIGN_IN,
    "app_action": APP_PAYMENT,
    "standing_grant": GRANT,
}


def _used(kind):
    """The request after a yes that did its work."""
    document = {**_outer(an_approval("x", ABOUT[kind])), "state": "redeemed"}
    decided = answered(an_approval("x", ABOUT[kind]), Answer.APPROVE).decided
    document["decided"] = documents.decided(decided)
    return read_approval(JsonObject.parse(json.dumps(document), ""))


def _text(drawn):
    return "\n".join("".join(piece.text for piece in row) for row in drawn)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("action", "The token was collected."),
        ("consent", "The consent is in force."),
        ("device", "The device has signed in."),
        ("app_device", "The app has signed in."),
        ("app_action", "The token was collected."),
        ("standing_grant", "The standing grant is in force."),
    ],
)
def test_a_record_says_what_came_of_it(kind, words):
    """In the words of its kind."""
    assert words in outcome(_used(kind), NOW, UTC)


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("action", "Redeemed"),
        ("consent", "Created"),
        ("device", "Signed in"),
        ("app_device", "Signed in"),
        ("app_action", "Redeemed"),
        ("standing_grant", "Created"),
    ],
)
def test_the_command_line_says_it_too(kind, word):
    """Nobody redeems a consent."""
    assert lines.outcome(_used(kind))[0].startswith(f"{word}: ")
    row = InboxRow(Fold(_used(kind)), NOW)
    assert word.lower() in _text(row_lines(row, 100))


@pytest.mark.parametrize(
    ("kind", "again"),
    [
        ("action", "release-agent can ask again."),
        ("consent", ""),
        ("device", ""),
        ("app_device", ""),
        ("app_action", ""),
    ],
)
def test_only_an_agent_can_ask_again(kind, again):
    """Whoever wanted a consent or a sign-in begins anew."""
    approval = an_approval("x", ABOUT[kind])
    said = outcome(approval, approval.expires_at, UTC)
    assert "Not a denial." in said
    assert said.endswith(again or "Not a denial.")


NEWS = {
    ("action", EventName.REQUESTED): "new MEDIUM request from release-agent (added below",
    ("consent", EventName.REQUESTED): "new HIGH consent for invoice-bot (added below",
    ("device", EventName.REQUESTED): "new HIGH sign-in of a new device (added below",
    ("action", EventName.REMINDER): "a request of release-agent is still waiting for your answer.",
    ("action", EventName.DIGEST): "requests that were held back are now waiting for you.",
    ("action", EventName.EXTENDED): "a request of release-agent has more time.",
    ("action", EventName.EXPIRED): "a request of release-agent expired.",
    ("consent", EventName.EXPIRED): "a consent for invoice-bot expired.",
    ("device", EventName.CANCELLED): "a sign-in of a new device was withdrawn.",
    ("action", EventName.REDEEMED): "release-agent collected its token.",
    ("device", EventName.REDEEMED): "the new device has signed in.",
    (
        "app_device",
        EventName.REQUESTED,
    ): "new MEDIUM sign-in of television on a device (added below",
    ("app_device", EventName.REDEEMED): "television collected its token.",
    ("standing_grant", EventName.REQUESTED): "new MEDIUM standing grant for invoice-bot (added",
    ("standing_grant", EventName.EXPIRED): "a standing grant for invoice-bot expired.",
    ("app_action", EventName.REQUESTED): "new HIGH request from the app shop (added below",
    ("app_action", EventName.EXPIRED): "a request from the app shop expired.",
    ("app_action", EventName.REDEEMED): "shop collected its token.",
}


@pytest.mark.parametrize(("kind", "name"), NEWS)
def test_the_status_line_names_the_kind(kind, name):
    """When it came, ended, or did its work."""
    event = Event(1, name, NOW, an_approval("x", ABOUT[kind]))
    assert NEWS[kind, name] in news(event, UTC, is_narrow=False)


def test_a_request_that_its_agent_took_back_is_no_longer_needed():
    """Nobody has to wonder who withdrew it."""
    approval = an_approval("x", ABOUT["action"])
    back = replace(approval, state=ApprovalState.CANCELLED, reason=SafeText("withdrawn"))
    said = news(Event(1, EventName.CANCELLED, NOW, back), UTC, is_narrow=True)
    assert "a request of release-agent is no longer needed." in said
    assert "no longer needed" in _text(row_lines(InboxRow(Fold(back), NOW), 100))
    printed = "\n".join(lines.approval_in_full(back, NOW))
    assert "no longer needed: its agent withdrew it" in printed


def test_a_request_that_was_replaced_says_so_in_the_status_line():
    """The newer one has a line of its own."""
    approval = an_approval("x", ABOUT["action"])
    over = replace(approval, state=ApprovalState.CANCELLED, reason=SafeText("superseded"))
    said = news(Event(1, EventName.CANCELLED, NOW, over), UTC, is_narrow=True)
    assert "a request of release-agent was replaced by a newer one." in said


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("consent", "alice approved a consent for invoice-bot"),
        ("device", "alice approved a sign-in of a new device"),
        ("app_device", "alice approved a sign-in of television on a device"),
    ],
)
def test_a_decision_elsewhere_is_told(kind, words):
    """By name of who answered."""
    done = answered(an_approval("x", ABOUT[kind]), Answer.APPROVE)
    assert words in news(Event(1, EventName.DECIDED, NOW, done), UTC, is_narrow=True)


def test_what_went_through_without_a_question_is_told():
    """Nobody's name stands there."""
    given = replace(an_approval("x"), unasked=AutomaticDecision(SafeText("sayso_co_1"), 3))
    said = news(Event(1, EventName.DECIDED, NOW, given), UTC, is_narrow=True)
    assert "a request of invoice-bot was approved without asking you, by your consent." in said
    granted = replace(given, unasked=AutomaticDecision(None, 3, SafeText("sayso_sg_1"), 2))
    said = news(Event(1, EventName.DECIDED, NOW, granted), UTC, is_narrow=True)
    assert "was approved without asking you, by your standing grant." in said


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (EventName.GRANT_GIVEN, "your standing grant is in force."),
        (EventName.GRANT_ENDED, "your standing grant has ended."),
    ],
)
def test_what_was_given_ahead_is_told(name, words):
    """When it begins and when it ends."""
    assert words in news(Event(1, name, NOW), UTC, is_narrow=True)


def test_a_grant_whose_texts_are_not_about_one_is_not_believed():
    """Its bounds, one example at most, and nothing of another kind."""
    bounds, one = GRANT["details"]
    assert an_approval("x", {**GRANT, "details": [bounds]}).kind.value == "standing_grant"
    for details in ([bounds, one, one], [one], [one, bounds]):
        with pytest.raises(WireError):
            an_approval("x", {**GRANT, "details": details})


def test_a_grant_is_about_to_be_given_in_these_words():
    """Before the PIN, and in the list."""
    drawn = _text(panel_lines(an_approval("x", GRANT), RenderContext(NOW, UTC, 100)))
    assert "You are about to let invoice-bot do this again without asking:" in drawn
    assert "grant for invoice-bot" in _text(
        row_lines(InboxRow(Fold(an_approval("x", GRANT)), NOW), 100)
    )


@pytest.mark.parametrize(
    ("done", "words"),
    [
        (True, "a request of invoice-bot was carried out."),
        (False, "a request of invoice-bot failed at its resource."),
        (None, "invoice-bot collected its token."),
    ],
)
def test_what_came_of_it_at_the_resource_is_told(done, words):
    """As soon as the resource says so."""
    execution = Execution(SafeText("INV-2291"), done, None, None, NOW)
    event = Event(1, EventName.EXECUTED, NOW, replace(an_approval("x"), execution=execution))
    assert words in news(event, UTC, is_narrow=False)


@pytest.mark.parametrize("kind", ["consent", "device", "app_device"])
def test_facts_are_not_said_twice(kind):
    """Rights, resource, agent and owner are among the facts; no agent's log shows the code."""
    drawn = _text(approval_lines(an_approval("x", ABOUT[kind]), RenderContext(NOW, UTC, 100)))
    assert "Rights" not in drawn
    assert drawn.count("Owner") == (kind == "consent")
    assert "the agent's log" not in drawn
    printed = "\n".join(lines.approval_in_full(an_approval("x", ABOUT[kind], first=True), NOW))
    assert "may use:" not in printed
    assert "first request from it" in printed


def test_an_agent_that_never_asked_is_called_new():
    """By its name where the request is a consent."""
    approval = an_approval("x", CONSENT, first=True)
    drawn = _text(approval_lines(approval, RenderContext(NOW, UTC, 100)))
    assert "First request from invoice-bot." in drawn


def test_a_list_of_the_command_line_names_the_device_by_its_address():
    """And the document has the kind."""
    approval = an_approval("x", SIGN_IN)
    assert "a device at 203.0.113.7" in "\n".join(listing.row(approval, NOW))
    assert documents.summary(approval)["kind"] == "device"


def test_an_app_on_a_device_is_named_with_the_address():
    """In lists and on the screen; one is told that it acts in one's name."""
    approval = an_approval("x", APP_SIGN_IN)
    named = "television on a device at 203.0.113.7"
    assert named in "\n".join(listing.row(approval, NOW))
    assert named in _text(row_lines(InboxRow(Fold(approval), NOW), 100))
    drawn = _text(panel_lines(approval, RenderContext(NOW, UTC, 100)))
    assert "You are about to let television on another device act as you:" in drawn


def test_what_an_app_does_once_is_shown_like_an_action():
    """With its rights, and called an app; no agent is told why, and none has owners."""
    approval = an_approval("x", APP_PAYMENT, first=True)
    drawn = _text(approval_lines(approval, RenderContext(NOW, UTC, 100)))
    assert "Rights" in drawn
    assert "App" in drawn
    assert "Owner" not in drawn
    assert "First request from shop." in drawn
    assert "app shop > pay.example" in _text(row_lines(InboxRow(Fold(approval), NOW), 100))
    assert "You are about to let the app shop do this once:" in _text(
        panel_lines(approval, RenderContext(NOW, UTC, 100))
    )
    printed = "\n".join(lines.approval_in_full(approval, NOW))
    assert "payments:transfer (high)" in printed
    assert "first request from it" in printed
    assert "the app shop" in "\n".join(listing.row(approval, NOW))
    assert "agent:" not in printed
