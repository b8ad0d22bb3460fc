"""If a change cannot be stored or a row cannot be read, the response is 503."""

import pytest

from server.model.store import Busy
from server.protocol.approvals.states import State
from server.storage.audit.entries import Audit
from server.storage.tokens.delegations import Delegations


def _raise_busy(*_: object) -> None:
    raise Busy("the database is away")


def test_a_revocation_that_cannot_be_stored_returns_503(
    chains, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RV-11, RV-12, NG-085: 503 with Retry-After, and the same call succeeds later."""
    bot = chains.agent("desk-bot")
    chains.consent(bot, "bank:read")
    token = chains.exchanged(bot, chains.user_token())
    with monkeypatch.context() as patch:
        patch.setattr(Delegations, "revoke_tree", _raise_busy)
        answer = chains.local.post_form("/revoke", {"token": token, **bot.credentials})
    assert answer.refusal == (503, "temporarily_unavailable")
    assert answer.headers["Retry-After"] == "1"
    assert chains.row(token).revoked_at is None
    assert chains.local.post_form("/revoke", {"token": token, **bot.credentials}).status == 200
    assert chains.row(token).revoked_at is not None


@pytest.mark.parametrize("failing_method", ["lock_live", "add"])
def test_token_exchange_returns_503_when_the_ledger_is_unavailable(
    chains, monkeypatch: pytest.MonkeyPatch, failing_method: str
) -> None:
    """TX-037, NG-054: the ledger can be read but not written, or not read at all."""
    bot = chains.agent("desk-bot")
    chains.consent(bot, "bank:read")
    token = chains.user_token()
    monkeypatch.setattr(Delegations, failing_method, _raise_busy)
    answer = chains.exchange(bot, token)
    assert answer.refusal == (503, "temporarily_unavailable")
    assert "access_token" not in answer.json


def test_a_decision_whose_audit_entry_cannot_be_stored_does_not_count(
    agent, person, local, monkeypatch
):
    """The same decision is accepted once the audit log works again."""
    handle, approval = agent.request_approval()
    with monkeypatch.context() as patch:
        patch.setattr(Audit, "add", _raise_busy)
        assert person.approve(approval.id).status == 503
    assert local.stored_approval(approval.id).state is State.PENDING
    assert local.admin.entries("approval.approved") == []
    assert person.approve(approval.id).status == 200
    assert agent.poll(handle).status == 200
