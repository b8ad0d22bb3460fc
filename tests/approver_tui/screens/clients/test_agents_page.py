"""The agents page: agents with access, agents with recent requests, and owned agents."""

from dataclasses import replace

from approver_tui.state.approvals.approvals import ApprovalState
from approver_tui.state.approvals.decision import Answer
from approver_tui.state.clients.agents import OwnedAgent
from approver_tui.state.notifications.events import EventName
from approver_tui.state.text import SafeText
from tests.support.clients.driving import (
    NARROW,
    inbox,
    open_inbox,
    open_stage,
    press,
    screen_text,
    until,
    until_shown,
    wait_for_page,
)
from tests.support.fakes.fake_account import a_consent
from tests.support.fakes.fake_app import make_stage
from tests.support.fakes.fake_approvals import an_approval, with_decision
from tests.support.fakes.fake_requests import DEPLOY, MINUTE, PRICES

WEB = an_approval("web", DEPLOY)
IDLE = OwnedAgent(
    "sayso_ag_idle",
    SafeText("idle-bot"),
    SafeText("disabled"),
    (SafeText("alice"), SafeText("ben")),
)


def _stage():
    stage = make_stage([WEB, with_decision(an_approval("old", DEPLOY), Answer.APPROVE)])
    stage.server.given = [a_consent()]
    stage.server.owned = (IDLE,)
    return stage


async def _agents(pilot, stage):
    await press(pilot, stage, "3")
    await wait_for_page(pilot, stage)


async def test_agents_with_requests_access_or_owners_are_listed():
    """The list shows how their requests ended, and the state of owned agents."""
    stage = _stage()
    async with open_inbox(stage) as pilot:
        await _agents(pilot, stage)
        text = screen_text(stage)
        assert "ACTING FOR YOU (1)" in text
        assert "ASKED RECENTLY (1)" in text
        assert "2 requests, 1 approved, 1 waiting" in text
        assert "YOURS (1)" in text
        assert "disabled" in text
        await press(pilot, stage, "j")
        text = " ".join(screen_text(stage).split())
        assert "z Revoke.." not in text
        assert "LATEST REQUESTS" in text
        await press(pilot, stage, "z")
        assert "Revoke unavailable: it does not act for you." in screen_text(stage)


async def test_old_requests_are_left_out():
    """Agents whose last request is more than seven days old are not listed."""
    old = replace(with_decision(an_approval("old", PRICES), Answer.APPROVE), created_at=0)
    stage = make_stage([])
    stage.server.put(old)
    async with open_inbox(stage) as pilot:
        await _agents(pilot, stage)
        assert "None in 7 days." in screen_text(stage)
        assert "administrator" in screen_text(stage)
        assert "ASKED RECENTLY (0)" in screen_text(stage)


async def test_an_agent_is_muted_and_unmuted_from_its_page():
    """The same key mutes and unmutes an agent; the inbox shows the mute too."""
    async with open_stage([an_approval("web", DEPLOY, expires_in=9 * MINUTE)], size=NARROW) as (
        pilot,
        stage,
    ):
        await _agents(pilot, stage)
        await press(pilot, stage, "M")
        await until_shown(pilot, stage, "release-agent is muted")
        await until_shown(pilot, stage, "M Unmute")
        await press(pilot, stage, "1")
        assert "muted" in screen_text(stage)
        await _agents(pilot, stage)
        await press(pilot, stage, "M")
        await until_shown(pilot, stage, "release-agent is no longer muted.")


async def test_an_owned_agent_is_suspended():
    """Suspending needs a confirmation; for agents of others the key says that it is unavailable."""
    stage = _stage()
    stage.server.owned = (replace(IDLE, state=SafeText("enabled")),)
    async with open_inbox(stage, NARROW) as pilot:
        await _agents(pilot, stage)
        await press(pilot, stage, "K")
        assert "Suspend unavailable: you don't own it" in " ".join(screen_text(stage).split())
        await press(pilot, stage, "G", "K")
        assert "Suspend idle-bot for all users?" in screen_text(stage)
        assert not stage.server.ended
        await press(pilot, stage, "tab", "enter")
        ended = replace(WEB, state=ApprovalState.CANCELLED)
        stage.feed.tell(EventName.CANCELLED, ended)
        await until(pilot, lambda: inbox(stage).state.inbox.find(ended.id).state == ended.state)
        inbox(stage).tick()
        await until(pilot, lambda: "is suspended: 2 tokens" in " ".join(screen_text(stage).split()))
        assert stage.server.ended == [IDLE.id]
        await until_shown(pilot, stage, "disabled")


async def test_a_disabled_agent_cannot_be_suspended():
    """The key says that the agent is already disabled."""
    stage = _stage()
    stage.server.owned = (replace(IDLE, state=SafeText("disabled")),)
    async with open_inbox(stage, NARROW) as pilot:
        await _agents(pilot, stage)
        await press(pilot, stage, "G", "K")
        assert "Suspend unavailable: it is already disabled." in " ".join(
            screen_text(stage).split()
        )
