"""The order and the wording of a request's facts."""

from dataclasses import replace
from datetime import UTC

from approver_tui.state.approvals.approvals import (
    ApprovalState,
    AutomaticDecision,
    Execution,
    ReplacedRequest,
)
from approver_tui.state.approvals.decision import Answer, DenyCode
from approver_tui.state.text import SafeText
from approver_tui.widgets.approvals.facts import approval_lines, panel_lines
from approver_tui.widgets.approvals.outcomes import RenderContext, outcome, outcome_lines
from approver_tui.widgets.lines import text_of
from tests.support.builders.multi_approver import a_part, a_shared, a_vote
from tests.support.fakes.fake_approvals import an_approval, with_decision
from tests.support.fakes.fake_clock import NOW
from tests.support.fakes.fake_requests import CONSENT, PAYMENT, PRICES


def _text(lines):
    return "\n".join(text_of(row) for row in lines)


def _assert_in_order(text, parts):
    indexes = [text.index(part) for part in parts]
    assert indexes == sorted(indexes), list(zip(indexes, parts, strict=True))


def test_the_order_of_the_facts():
    """Main facts come before other facts, and the agent's own words come after both."""
    text = _text(approval_lines(an_approval("pay"), RenderContext(NOW, UTC, 80)))
    _assert_in_order(
        text,
        ["HIGH RISK", "Pay EUR", "Amount", "Unusual", "Reference", "Scopes", "Undo", "Agent  ",
         "Owner", "203.0.113.7", "Why you", "Agent says, not verified:", '"INV-2291 is due',
         "If approved", "Expires", "Expiring isn't a denial.", "Fingerprint"],
    )  # fmt: skip


def test_main_facts_are_never_cut():
    """Even at a narrow width, every character of a long account number is shown."""
    account = "DE89 3704 0044 0532 0130 00 " * 20
    approval = an_approval("pay", PAYMENT, facts=[("Account", account, True)])
    for make in (approval_lines, panel_lines):
        text = _text(make(approval, RenderContext(NOW, UTC, 36)))
        assert text.replace(" ", "").replace("\n", "").count("0130") == 20


def test_unusual_signals_follow_the_main_facts():
    """Each unusual signal has its own row; a request that is not compared has none."""
    for make in (approval_lines, panel_lines):
        text = _text(make(an_approval("pay"), RenderContext(NOW, UTC, 80)))
        assert "Unusual      Amount is 12 times the usual amount for invoice-bot, EUR" in text
        assert "\n             First time: “To account”.\n" in text
        assert "\n             Compared with 23 earlier approvals since 3 March 2026.\n" in text
        plain = _text(make(an_approval("prices", PRICES), RenderContext(NOW, UTC, 80)))
        assert "Unusual      Nothing unusual, compared with 23 earlier approvals" in plain
        consent = _text(make(an_approval("consent", CONSENT), RenderContext(NOW, UTC, 80)))
        assert "nusual" not in consent


def test_a_narrowed_approval_does_not_claim_the_full_grant():
    """The full grant is labeled as what the narrowed one is part of."""
    narrowed, full = a_part("pay", a_vote()), an_approval("pay")
    for make in (approval_lines, panel_lines):
        assert "Part of: One access token" in _text(make(narrowed, RenderContext(NOW, UTC, 80)))
        assert "A part of" not in _text(make(full, RenderContext(NOW, UTC, 80)))


def test_an_unknown_undo_is_shown():
    """A missing undo text would look harmless, so the app says that it is unknown."""
    text = _text(approval_lines(an_approval("prices", PRICES), RenderContext(NOW, UTC, 80)))
    assert "Undo         Unknown\n" in text


def test_agent_text_is_behind_a_bar_and_not_in_the_panel():
    """Each row of the agent's message starts with a bar, and the panel omits it."""
    approval = an_approval("pay", PAYMENT, says="Undo  easy. " * 12)
    rows = [text_of(row) for row in approval_lines(approval, RenderContext(NOW, UTC, 40))]
    assert all(row.startswith("| ") for row in rows if "easy" in row)
    assert "easy" not in _text(panel_lines(approval, RenderContext(NOW, UTC, 40)))


def test_each_outcome_has_its_own_sentence():
    """Expired, withdrawn, canceled and denied requests each have their own wording."""
    approval = an_approval("pay")
    assert outcome(approval, NOW, UTC) == ""
    assert outcome(approval, NOW + 10**6, UTC).startswith("Expired at 14:36:19. Not a denial.")
    withdrawn = replace(approval, state=ApprovalState.CANCELLED, reason=SafeText("withdrawn"))
    assert outcome(withdrawn, NOW, UTC).startswith("Withdrawn: ")
    ended = replace(withdrawn, reason=SafeText("user_disabled"))
    assert outcome(ended, NOW, UTC) == "Withdrawn. Its user is disabled."
    denied = with_decision(approval, Answer.DENY, DenyCode.TOO_BROAD)
    assert outcome(denied, NOW, UTC) == ("Denied by alice on phone at 14:32:10. Reason: Too broad.")


def test_a_newer_request_names_the_one_it_replaces():
    """The newer request shows the older one's fingerprint; the older one says it was replaced."""
    approval = an_approval("pay")
    assert "Replaces" not in _text(approval_lines(approval, RenderContext(NOW, UTC, 80)))
    newer = replace(approval, supersedes=ReplacedRequest("sayso_ap_1", SafeText("9f3a-71c0")))
    text = _text(approval_lines(newer, RenderContext(NOW, UTC, 80)))
    assert "Replaces     9f3a-71c0, no longer waiting" in text
    over = replace(approval, state=ApprovalState.CANCELLED, reason=SafeText("superseded"))
    assert outcome(over, NOW, UTC) == "Withdrawn. Replaced by a newer request from the same agent."


def test_a_canceled_request_with_too_few_votes_says_how_many_approved():
    """It was answered, but not approved."""
    members = {"state": ApprovalState.CANCELLED, "reason": SafeText("other")}
    voted = replace(a_shared("pay", a_vote()), **members)
    assert outcome(voted, NOW, UTC) == "Withdrawn: other. 1 of 2 approved it."
    unanswered = replace(a_shared("pay"), **members)
    assert outcome(unanswered, NOW, UTC) == "Withdrawn: other. Nobody answered it."


def test_an_automatic_approval_says_so():
    """The outcome names the consent, and says what happened after the approval."""
    automatic_decision = AutomaticDecision(SafeText("sayso_co_1"), 3)
    approved = replace(
        an_approval("pay"), state=ApprovalState.APPROVED, automatic_decision=automatic_decision
    )
    sentence = "Approved under a consent."
    assert outcome(approved, NOW, UTC) == sentence
    redeemed = replace(approved, state=ApprovalState.REDEEMED)
    assert outcome(redeemed, NOW, UTC) == f"{sentence} The agent collected its token."
    expired = replace(approved, state=ApprovalState.EXPIRED, reason=SafeText("not_redeemed"))
    late = "The agent did not collect its token in time."
    assert outcome(expired, NOW, UTC) == f"{sentence} {late}"
    ended = replace(approved, state=ApprovalState.CANCELLED, reason=SafeText("agent_disabled"))
    end = "It was then withdrawn before being used."
    assert outcome(ended, NOW, UTC) == f"{sentence} {end} Its agent was disabled."


def test_the_execution_is_shown():
    """The outcome shows the resource's report, and an alarm if it differs from the grant."""
    asked = an_approval("pay", PAYMENT)
    approved = replace(with_decision(asked, Answer.APPROVE), state=ApprovalState.REDEEMED)

    def outcome_text(**members):
        fields = {"succeeded": None, "text": None, "as_granted": None, **members}
        execution = Execution(id=SafeText("INV-2291"), at=NOW, **fields)
        return _text(
            outcome_lines(replace(approved, execution=execution), RenderContext(NOW, UTC, 100))
        )

    assert "Started at 14:32:07." in outcome_text()
    failed = outcome_text(succeeded=False, text=SafeText("No funds."))
    assert "Failed at 14:32:07." in failed
    assert '| "No funds."' in failed
    assert "ALARM" not in failed
    differed = outcome_text(succeeded=True, as_granted=False)
    assert "Carried out at 14:32:07." in differed
    assert "ALARM: the resource did something other than what was granted." in differed


def test_the_risk_level_is_shown_alone_without_a_reason():
    """Without a reason from the server, the app shows only the risk level."""
    bare = an_approval("pay", {**PAYMENT, "risk_reason": ""})
    first, *_ = approval_lines(bare, RenderContext(NOW, UTC, 80))
    assert _text([first]).strip() == "HIGH RISK"


def test_actors_of_an_agent_are_shown_and_its_credentials_are_not():
    """Calling agents come before the address; key IDs are not shown."""
    approval = an_approval("pay", {**PAYMENT, "keys": ["inv-prod-2"]})
    agent = replace(approval.display.agent, through=(SafeText("front-bot"),))
    chained = replace(approval, display=replace(approval.display, agent=agent))
    text = _text(approval_lines(chained, RenderContext(NOW, UTC, 80)))
    assert text.index("front-bot") < text.index("203.0.113.7")
    assert chained.display.agent.keys == ("inv-prod-2",)
    assert "inv-prod-2" not in text
    assert "Called by" not in _text(approval_lines(approval, RenderContext(NOW, UTC, 80)))
