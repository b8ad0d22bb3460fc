"""The consents, tokens and standing grants with which each agent can act."""

from approver_tui.state.clients.access import acting_agents
from approver_tui.state.consents.consents import ConsentState
from approver_tui.state.standing_grants.standing_grants import GrantState
from approver_tui.state.text import SafeText
from approver_tui.state.tokens.delegations import DelegationState
from tests.support.fakes.fake_account import a_consent, a_token
from tests.support.fakes.fake_clock import NOW
from tests.support.fakes.fake_grants import a_grant
from tests.support.fakes.fake_requests import MINUTE


def test_each_agent_with_access_is_listed_once():
    """The agents are sorted by name, with their access, last use and expiry."""
    consents = [a_consent("Zoe"), a_consent("bot"), a_consent("bot", id="sayso_co_2")]
    tokens = [a_token("bot", last_used_at=None), a_token("amy", last_used_at=NOW - 5)]
    tokens.append(a_token("amy", id="sayso_at_2", last_used_at=NOW - 2))
    amy, bot, zoe = acting_agents(consents, tokens)
    assert [agent.name for agent in (amy, bot, zoe)] == ["amy", "bot", "Zoe"]
    assert (len(bot.consents), len(bot.delegations)) == (2, 1)
    assert (amy.last_used_at, bot.last_used_at, zoe.last_used_at) == (NOW - 2, None, None)
    assert (amy.until, bot.until) == (NOW + 4 * MINUTE, NOW + 1440 * MINUTE)


def test_a_standing_grant_is_access():
    """A standing grant counts without a consent or token, even if it is used up."""
    grants = [a_grant(NOW, "amy"), a_grant(NOW, "amy", id=SafeText("two"), state=GrantState.FULL)]
    (amy,) = acting_agents([], [], grants)
    assert (amy.name, len(amy.grants)) == ("amy", 2)
    assert amy.until == max(grant.expires_at for grant in grants)


def test_ended_access_is_left_out():
    """Access that expired, ended or was revoked is not listed."""
    consents = [a_consent(state=ConsentState.REVOKED), a_consent(state=ConsentState.EXPIRED)]
    tokens = [a_token(state=DelegationState.REVOKED), a_token(state=DelegationState.EXPIRED)]
    grants = [a_grant(NOW, state=state) for state in (GrantState.ENDED, GrantState.EXPIRED)]
    assert acting_agents(consents, tokens, grants) == ()
