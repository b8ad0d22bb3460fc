"""What could not be stored or looked up was not done: the caller is told to come back."""

import pytest

from server.model.store import Busy
from server.protocol.approvals.states import State
from server.storage.audit.entries import Audit
from server.storage.tokens.delegations import Delegations
from tests.support.builders.token_chains import Chains


def _away(*_: object) -> None:
    raise Busy("the database is away")


@pytest.fixture
def chains(local, person):
    """Ana, who uses a chat app, and two APIs."""
    chains = Chains(local, person.user.id)
    chains.prepare()
    return chains


def test_a_revocation_that_was_not_stored_is_no_success(
    chains, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RV-11, RV-12, NG-085: 503 with the time to come back, and then it works."""
    bot = chains.agent("desk-bot")
    chains.consent(bot, "bank:read")
    token = chains.exchanged(bot, chains.user_token())
    with monkeypatch.context() as patch:
        patch.setattr(Delegations, "revoke_tree", _away)
        answer = chains.local.post_form("/revoke", {"token": token, **bot.credentials})
    assert answer.refusal == (503, "temporarily_unavailable")
    assert answer.headers["Retry-After"] == "1"
    assert chains.row(token).revoked_at is None
    assert chains.local.post_form("/revoke", {"token": token, **bot.credentials}).status == 200
    assert chains.row(token).revoked_at is not None


@pytest.mark.parametrize("unreadable", ["lock_live", "add"])
def test_what_the_ledger_cannot_say_is_not_exchanged(
    chains, monkeypatch: pytest.MonkeyPatch, unreadable: str
) -> None:
    """TX-037, NG-054: neither while it cannot be read nor while it cannot be written."""
    bot = chains.agent("desk-bot")
    chains.consent(bot, "bank:read")
    token = chains.user_token()
    monkeypatch.setattr(Delegations, unreadable, _away)
    answer = chains.exchange(bot, token)
    assert answer.refusal == (503, "temporarily_unavailable")
    assert "access_token" not in answer.json


def test_an_answer_that_cannot_be_written_down_is_not_given(agent, person, local, monkeypatch):
    """Without its entry in the log a yes does not count; when the log is back it does."""
    handle, approval = agent.asked()
    with monkeypatch.context() as broken:
        broken.setattr(Audit, "add", _away)
        assert person.approve(approval.id).status == 503
    assert local.stored(approval.id).state is State.PENDING
    assert local.desk.entries("approval.approved") == []
    assert person.approve(approval.id).status == 200
    assert agent.poll(handle).status == 200
