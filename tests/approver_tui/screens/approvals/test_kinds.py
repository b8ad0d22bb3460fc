"""Consents and sign-ins have their own words everywhere."""

import json
from dataclasses import replace
from datetime import UTC

import pytest

from approver_tui.cli import documents, lines
from approver_tui.cli.approvals import listing
from approver_tui.client.errors import WireError
from approver_tui.client.reading import JsonObject
from approver_tui.client.wire import read_approval
from approver_tui.screens.notifications.news import event_text
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
def test_the_outcome_has_the_words_of_its_kind(kind, words):
    """Each kind of request has its own words."""
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
def test_the_command_line_has_the_words_of_the_kind(kind, word):
    """A consent is not redeemed."""
    assert lines.outcome_lines(_used(kind))[0].startswith(f"{word}: ")
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
def test_only_an_agent_can_be_asked_to_retry(kind, again):
    """The user starts a consent or a sign-in again."""
    approval = an_approval("x", ABOUT[kind])
    said = outcome(approval, approval.expires_at, UTC)
    assert "Not a denial." in said
    assert said.endswith(again or "Not a denial.")


NEWS = {
    ("action", EventName.REQUESTED): "new MEDIUM request from release-agent",
    ("consent", EventName.REQUESTED): "new HIGH consent for invoice-bot",
    ("device", EventName.REQUESTED): "new HIGH sign-in of a new device",
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
    ): "new MEDIUM sign-in of television on a device",
    ("app_device", EventName.REDEEMED): "television collected its token.",
    ("standing_grant", EventName.REQUESTED): "new MEDIUM standing grant for invoice-bot",
    ("standing_grant", EventName.EXPIRED): "a standing grant for invoice-bot expired.",
    ("app_action", EventName.REQUESTED): "new HIGH request from the app shop",
    ("app_action", EventName.EXPIRED): "a request from the app shop expired.",
    ("app_action", EventName.REDEEMED): "shop collected its token.",
}


@pytest.mark.parametrize(("kind", "name"), NEWS)
def test_the_status_line_names_the_kind(kind, name):
    """It does so when a request arrives, ends and is used."""
    event = Event(1, name, NOW, an_approval("x", ABOUT[kind]))
    assert NEWS[kind, name] in event_text(event, UTC)


def test_a_withdrawn_request_is_no_longer_needed():
    """Its agent withdrew it."""
    approval = an_approval("x", ABOUT["action"])
    back = replace(approval, state=ApprovalState.CANCELLED, reason=SafeText("withdrawn"))
    said = event_text(Event(1, EventName.CANCELLED, NOW, back), UTC)
    assert "a request of release-agent is no longer needed." in said
    assert "no longer needed" in _text(row_lines(InboxRow(Fold(back), NOW), 100))
    printed = "\n".join(lines.approval_in_full(back, NOW))
    assert "no longer needed: its agent withdrew it" in printed


def test_a_replaced_request_is_announced():
    """The newer one has its own message."""
    approval = an_approval("x", ABOUT["action"])
    over = replace(approval, state=ApprovalState.CANCELLED, reason=SafeText("superseded"))
    said = event_text(Event(1, EventName.CANCELLED, NOW, over), UTC)
    assert "a request of release-agent was replaced by a newer one." in said


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("consent", "alice approved a consent for invoice-bot"),
        ("device", "alice approved a sign-in of a new device"),
        ("app_device", "alice approved a sign-in of television on a device"),
    ],
)
def test_a_decision_elsewhere_names_who_answered(kind, words):
    """The name is that of the person who answered."""
    done = answered(an_approval("x", ABOUT[kind]), Answer.APPROVE)
    assert words in event_text(Event(1, EventName.DECIDED, NOW, done), UTC)


def test_an_automatic_approval_is_announced():
    """The announcement has no name of a person."""
    given = replace(
        an_approval("x"), automatic_decision=AutomaticDecision(SafeText("sayso_co_1"), 3)
    )
    said = event_text(Event(1, EventName.DECIDED, NOW, given), UTC)
    assert "a request of invoice-bot was approved without asking you, by your consent." in said
    granted = replace(
        given, automatic_decision=AutomaticDecision(None, 3, SafeText("sayso_sg_1"), 2)
    )
    said = event_text(Event(1, EventName.DECIDED, NOW, granted), UTC)
    assert "was approved without asking you, by your standing grant." in said


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (EventName.GRANT_GIVEN, "your standing grant is in force."),
        (EventName.GRANT_ENDED, "your standing grant has ended."),
    ],
)
def test_a_standing_grant_is_announced(name, words):
    """The start and the end are announced."""
    assert words in event_text(Event(1, name, NOW), UTC)


def test_a_grant_with_foreign_texts_is_rejected():
    """It has its limits, at most one example, and nothing else."""
    bounds, one = GRANT["details"]
    assert an_approval("x", {**GRANT, "details": [bounds]}).kind.value == "standing_grant"
    for details in ([bounds, one, one], [one], [one, bounds]):
        with pytest.raises(WireError):
            an_approval("x", {**GRANT, "details": details})


def test_the_panel_describes_a_standing_grant():
    """The text before the PIN and the list describe it."""
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
def test_the_execution_is_announced(done, words):
    """The announcement comes as soon as the resource reports it."""
    execution = Execution(SafeText("INV-2291"), done, None, None, NOW)
    event = Event(1, EventName.EXECUTED, NOW, replace(an_approval("x"), execution=execution))
    assert words in event_text(event, UTC)


@pytest.mark.parametrize("kind", ["consent", "device", "app_device"])
def test_facts_are_not_repeated(kind):
    """Scopes, resource, agent and owner are among the facts; no agent's log has the fingerprint."""
    drawn = _text(approval_lines(an_approval("x", ABOUT[kind]), RenderContext(NOW, UTC, 100)))
    assert "Rights" not in drawn
    assert drawn.count("Owner") == (kind == "consent")
    assert "the agent's log" not in drawn
    printed = "\n".join(lines.approval_in_full(an_approval("x", ABOUT[kind], first=True), NOW))
    assert "may use:" not in printed
    assert "first request from it" in printed


def test_the_first_request_of_an_agent_is_marked():
    """A consent request names the agent."""
    approval = an_approval("x", CONSENT, first=True)
    drawn = _text(approval_lines(approval, RenderContext(NOW, UTC, 100)))
    assert "First request from invoice-bot." in drawn


def test_the_command_line_names_a_device_by_its_address():
    """The document has the kind."""
    approval = an_approval("x", SIGN_IN)
    assert "a device at 203.0.113.7" in "\n".join(listing.entry_lines(approval, NOW))
    assert documents.summary(approval)["kind"] == "device"


def test_an_app_on_a_device_is_named_with_the_address():
    """Lists and the screen name it; the screen says that it acts as the user."""
    approval = an_approval("x", APP_SIGN_IN)
    named = "television on a device at 203.0.113.7"
    assert named in "\n".join(listing.entry_lines(approval, NOW))
    assert named in _text(row_lines(InboxRow(Fold(approval), NOW), 100))
    drawn = _text(panel_lines(approval, RenderContext(NOW, UTC, 100)))
    assert "You are about to let television on another device act as you:" in drawn


def test_an_app_action_is_shown_like_an_agent_action():
    """It has scopes and is called an app; it has no owners."""
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
    assert "the app shop" in "\n".join(listing.entry_lines(approval, NOW))
    assert "agent:" not in printed
