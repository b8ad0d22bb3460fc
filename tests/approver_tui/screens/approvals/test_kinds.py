"""Consents, sign-ins and standing grants have their own wording in every place."""

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
from tests.support.fakes.fake_approvals import an_approval, undecided_document, with_decision
from tests.support.fakes.fake_clock import NOW
from tests.support.fakes.fake_requests import (
    APP_PAYMENT,
    APP_SIGN_IN,
    CONSENT,
    DEPLOY,
    GRANT,
    SIGN_IN,
)

TERMS_BY_KIND = {
    "action": DEPLOY,
    "consent": CONSENT,
    "device": SIGN_IN,
    "app_device": APP_SIGN_IN,
    "app_action": APP_PAYMENT,
    "standing_grant": GRANT,
}


def _redeemed(kind):
    """Return a request from this kind that was approved and redeemed."""
    document = {**undecided_document(an_approval("x", TERMS_BY_KIND[kind])), "state": "redeemed"}
    decided = with_decision(an_approval("x", TERMS_BY_KIND[kind]), Answer.APPROVE).decision
    document["decided"] = documents.to_json(decided)
    return read_approval(JsonObject.parse(json.dumps(document), ""))


def _text(drawn):
    return "\n".join("".join(piece.text for piece in row) for row in drawn)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("action", "collected its token."),
        ("consent", "The consent is active."),
        ("device", "The device has signed in."),
        ("app_device", "The app has signed in."),
        ("app_action", "collected its token."),
        ("standing_grant", "The standing grant is active."),
    ],
)
def test_the_outcome_has_the_words_of_its_kind(kind, words):
    """The outcome says what the approval led to: a token, a consent, a sign-in or a grant."""
    assert words in outcome(_redeemed(kind), NOW, UTC)


@pytest.mark.parametrize("kind", TERMS_BY_KIND)
def test_a_redeemed_request_of_each_kind_is_approved(kind):
    """The command line and the row say that it was approved, as the pages do."""
    assert lines.outcome_lines(_redeemed(kind))[0].startswith("Approved: ")
    row = InboxRow(Fold(_redeemed(kind)), NOW)
    assert "approved" in _text(row_lines(row, 100))


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
    """A user starts a consent or a sign-in again, so their outcomes name nobody to ask."""
    approval = an_approval("x", TERMS_BY_KIND[kind])
    outcome_text = outcome(approval, approval.expires_at, UTC)
    assert "Not a denial." in outcome_text
    assert outcome_text.endswith(again or "Not a denial.")


NEWS = {
    ("action", EventName.REQUESTED): "new MEDIUM request from release-agent",
    ("consent", EventName.REQUESTED): "new HIGH consent for invoice-bot",
    ("device", EventName.REQUESTED): "new HIGH sign-in of a new device",
    (
        "action",
        EventName.REMINDER,
    ): "a request from release-agent is still waiting for your answer.",
    ("action", EventName.DIGEST): "requests that were held back are now waiting for you.",
    ("action", EventName.EXTENDED): "a request from release-agent has more time.",
    ("action", EventName.EXPIRED): "a request from release-agent expired.",
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
    """The news about a request, a consent or a sign-in names which of them it is."""
    event = Event(1, name, NOW, an_approval("x", TERMS_BY_KIND[kind]))
    assert NEWS[kind, name] in event_text(event, UTC)


def test_a_withdrawn_request_is_withdrawn():
    """A request that its agent withdrew is called withdrawn, not denied."""
    approval = an_approval("x", TERMS_BY_KIND["action"])
    withdrawn = replace(approval, state=ApprovalState.CANCELLED, reason=SafeText("withdrawn"))
    message = event_text(Event(1, EventName.CANCELLED, NOW, withdrawn), UTC)
    assert "a request from release-agent is no longer needed." in message
    assert "withdrawn" in _text(row_lines(InboxRow(Fold(withdrawn), NOW), 100))
    printed = "\n".join(lines.approval_in_full(withdrawn, NOW))
    assert "withdrawn: Its agent withdrew it" in printed


def test_a_replaced_request_is_announced():
    """The news says that a newer request replaced this one."""
    approval = an_approval("x", TERMS_BY_KIND["action"])
    superseded = replace(approval, state=ApprovalState.CANCELLED, reason=SafeText("superseded"))
    message = event_text(Event(1, EventName.CANCELLED, NOW, superseded), UTC)
    assert "a request from release-agent was replaced by a newer request." in message


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("consent", "alice approved a consent for invoice-bot"),
        ("device", "alice approved a sign-in of a new device"),
        ("app_device", "alice approved a sign-in of television on a device"),
    ],
)
def test_a_decision_elsewhere_names_who_answered(kind, words):
    """The news names the person who answered and the kind of request."""
    decided = with_decision(an_approval("x", TERMS_BY_KIND[kind]), Answer.APPROVE)
    assert words in event_text(Event(1, EventName.DECIDED, NOW, decided), UTC)


def test_an_automatic_approval_is_announced():
    """The news names the consent or standing grant that approved the request, not a person."""
    by_consent = replace(
        an_approval("x"), automatic_decision=AutomaticDecision(SafeText("sayso_co_1"), 3)
    )
    message = event_text(Event(1, EventName.DECIDED, NOW, by_consent), UTC)
    assert (
        "a request from invoice-bot was approved under your consent, without asking you." in message
    )
    by_grant = replace(
        by_consent, automatic_decision=AutomaticDecision(None, 3, SafeText("sayso_sg_1"), 2)
    )
    message = event_text(Event(1, EventName.DECIDED, NOW, by_grant), UTC)
    assert "was approved under your standing grant, without asking you." in message


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (EventName.GRANT_GIVEN, "your standing grant is active."),
        (EventName.GRANT_ENDED, "your standing grant has ended."),
    ],
)
def test_a_standing_grant_is_announced(name, words):
    """The news says when a standing grant starts and when it ends."""
    assert words in event_text(Event(1, name, NOW), UTC)


def test_a_grant_with_unexpected_details_is_rejected():
    """A standing grant contains its bounds, at most one example, and nothing else."""
    bounds, example = GRANT["details"]
    assert an_approval("x", {**GRANT, "details": [bounds]}).kind.value == "standing_grant"
    for details in ([bounds, example, example], [example], [example, bounds]):
        with pytest.raises(WireError):
            an_approval("x", {**GRANT, "details": details})


def test_the_panel_describes_a_standing_grant():
    """The approve panel and the list say that the request creates a standing grant."""
    drawn = _text(panel_lines(an_approval("x", GRANT), RenderContext(NOW, UTC, 100)))
    assert "You are about to let invoice-bot do this again without asking:" in drawn
    assert "grant for invoice-bot" in _text(
        row_lines(InboxRow(Fold(an_approval("x", GRANT)), NOW), 100)
    )


@pytest.mark.parametrize(
    ("done", "words"),
    [
        (True, "a request from invoice-bot was carried out."),
        (False, "a request from invoice-bot failed at the resource."),
        (None, "invoice-bot collected its token."),
    ],
)
def test_the_execution_is_announced(done, words):
    """The news says whether the resource carried out the request."""
    execution = Execution(SafeText("INV-2291"), done, None, None, NOW)
    event = Event(1, EventName.EXECUTED, NOW, replace(an_approval("x"), execution=execution))
    assert words in event_text(event, UTC)


@pytest.mark.parametrize("kind", ["consent", "device", "app_device"])
def test_facts_are_not_repeated(kind):
    """Scopes and owner appear only as facts, and no fingerprint of an agent's log is shown."""
    drawn = _text(
        approval_lines(an_approval("x", TERMS_BY_KIND[kind]), RenderContext(NOW, UTC, 100))
    )
    assert "Scopes" not in drawn
    assert drawn.count("Owner") == (kind == "consent")
    assert "the agent's log" not in drawn
    printed = "\n".join(
        lines.approval_in_full(an_approval("x", TERMS_BY_KIND[kind], first=True), NOW)
    )
    assert "scopes:" not in printed
    assert "(first request)" in printed


def test_the_first_request_of_an_agent_is_marked():
    """A first consent request is marked with the name of its agent."""
    approval = an_approval("x", CONSENT, first=True)
    drawn = _text(approval_lines(approval, RenderContext(NOW, UTC, 100)))
    assert "First request from invoice-bot." in drawn


def test_the_command_line_names_a_device_by_its_address():
    """A sign-in is listed by the device's address, and its JSON has the kind `device`."""
    approval = an_approval("x", SIGN_IN)
    assert "a device at 203.0.113.7" in "\n".join(listing.entry_lines(approval, NOW))
    assert documents.summary(approval)["kind"] == "device"


def test_an_app_on_a_device_is_named_with_the_address():
    """Lists name the app and the address; the panel says that the app will act as you."""
    approval = an_approval("x", APP_SIGN_IN)
    label = "television on a device at 203.0.113.7"
    assert label in "\n".join(listing.entry_lines(approval, NOW))
    assert label in _text(row_lines(InboxRow(Fold(approval), NOW), 100))
    drawn = _text(panel_lines(approval, RenderContext(NOW, UTC, 100)))
    assert "You are about to let television on a different device act as you:" in drawn


def test_an_app_action_is_shown_like_an_agent_action():
    """An app's request has scopes like an agent's, is labeled as an app, and has no owner."""
    approval = an_approval("x", APP_PAYMENT, first=True)
    drawn = _text(approval_lines(approval, RenderContext(NOW, UTC, 100)))
    assert "Scopes" in drawn
    assert "App" in drawn
    assert "Owner" not in drawn
    assert "First request from shop." in drawn
    assert "app shop > pay.example" in _text(row_lines(InboxRow(Fold(approval), NOW), 100))
    assert "You are about to let the app shop do this once:" in _text(
        panel_lines(approval, RenderContext(NOW, UTC, 100))
    )
    printed = "\n".join(lines.approval_in_full(approval, NOW))
    assert "payments:transfer (high)" in printed
    assert "(first request)" in printed
    assert "the app shop" in "\n".join(listing.entry_lines(approval, NOW))
    assert "agent:" not in printed
