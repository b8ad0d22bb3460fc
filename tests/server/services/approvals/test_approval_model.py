"""Random sequences of actions by agents, people, administrators and the clock agree with the model.

The planted faults below must each be found by the model.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import delete, update

from server.http import dispatch
from server.http.route import HttpResponse, Route
from server.protocol.approvals.states import State
from server.protocol.tokens import token_exchange as protocol
from server.services.approvals import withdrawals
from server.services.approvals.current_checks import ApprovalChecks
from server.services.approvals.decisions import ApprovalService
from server.services.ciba.grant import CibaGrant
from server.services.clients import client_auth
from server.services.tokens.access_revocation import Revocation
from server.services.tokens.exchange_checks import ExchangeChecks
from server.services.tokens.grants import token_exchange
from server.services.tokens.issuing import TokenOrigin
from server.storage.approvals.approvals import Approvals
from server.storage.approvals.tables import approvals as table
from server.storage.approvals.tables import decisions as votes
from server.storage.tokens.delegations import Delegations
from server.storage.tokens.tables import delegations as ledger
from tests.support.builders.callers import new_local_agent, new_person
from tests.support.builders.clock import DAY
from tests.support.builders.installation import BY, PAY
from tests.support.builders.site import LocalSite
from tests.support.builders.template import Template
from tests.support.checks.approval_model import Cast
from tests.support.checks.token_model import TokenModel
from tests.support.servers.memory import memory_folder

_QUIET = {"deadline": None, "database": None, "derandomize": True, "report_multiple_bugs": False}
_CHECKED = tuple(HealthCheck)
_MANY = {"open_per_agent": 100_000, "open_per_user": 100_000, "denials_before_pause": 100_000}


@pytest.fixture
def cast(template: Template) -> Iterator[Cast]:
    """Two agents and two people at a server without limits that a long run would reach.

    Its database is in memory where possible: thousands of steps, and no crash to survive.
    """
    with TemporaryDirectory(dir=memory_folder()) as folder:
        local = template.copy_to(Path(folder) / "data", **_MANY)
        yield _cast(local)
        local.services.store.close()


def _cast(local: LocalSite) -> Cast:
    callers = tuple(new_local_agent(local, name, serves=(PAY,)) for name in ("one", "two"))
    return Cast(local, callers, tuple(new_person(local, name) for name in ("cleo", "dan")))


def _play(cast: Cast, examples: int) -> None:
    """Run random sequences. Failures are not shrunk, which takes longer than reading them."""
    rotation = cast.local.admin.resources.rotate_secret(PAY, by=BY)
    resource = {"client_id": rotation.resource.client_id, "client_secret": rotation.secret}
    machine = type("Played", (TokenModel,), {"cast": cast, "resource": resource})
    run_settings = settings(
        max_examples=examples,
        stateful_step_count=40,
        phases=(Phase.generate,),
        suppress_health_check=_CHECKED,
        **_QUIET,
    )
    run_state_machine_as_test(machine, settings=run_settings)


def test_every_sequence_agrees_with_the_model(cast: Cast) -> None:
    """I1, I2, I3, I5, I6: after any sequence, responses and rows are those of the model."""
    _play(cast, settings.default.max_examples // 2)


def _another_agents_handle_is_accepted(patch: pytest.MonkeyPatch) -> None:
    """Planted fault: any agent that polls is treated as the one that sent the request."""
    poll_once = CibaGrant._poll_once

    def as_owner(self: CibaGrant, poll: Any, **named: Any) -> Any:
        with self.store.read() as view:
            approval = view.approvals.by_handle(poll.handle_hash)
            owner = None if approval is None else view.directory.agent(approval.agent_id)
        return poll_once(self, replace(poll, agent=owner or poll.agent), **named)

    patch.setattr(CibaGrant, "_poll_once", as_owner)


def _a_second_token_is_issued(patch: pytest.MonkeyPatch) -> None:
    """Planted fault: a redeemed request is redeemed again, and no constraint prevents it."""
    by_state, add = CibaGrant._outcome_by_state, Delegations.add

    def again(self: CibaGrant, tx: Any, agent: Any, approval: Any, poll: Any, **how: bool) -> Any:
        if approval.state is not State.REDEEMED:
            return by_state(self, tx, agent, approval, poll, **how)
        return self.redemption.issuing.for_approval(tx, agent, approval, poll.handle)

    patch.setattr(CibaGrant, "_outcome_by_state", again)
    patch.setattr(Delegations, "add", lambda self, row: add(self, replace(row, approval_id=None)))


def _a_late_decision_counts(patch: pytest.MonkeyPatch) -> None:
    """Planted fault: a decision is accepted after the expiry."""
    move = Approvals.transition
    check_open = ApprovalService._check_open

    def ignore_expiry(self: ApprovalService, tx: Any, approval: Any, *more: Any) -> Any:
        return check_open(self, tx, replace(approval, expires_at=tx.now + 1), *more)

    patch.setattr(ApprovalService, "_check_open", ignore_expiry)
    patch.setattr(Approvals, "transition", lambda self, *a, **n: move(self, *a, **{**n, "now": 0}))


def _a_denial_can_be_changed(patch: pytest.MonkeyPatch) -> None:
    """Planted fault: a denied request can be approved; the denial is deleted."""
    closed, move = ApprovalService._check_open, Approvals.transition

    def open_again(self: ApprovalService, tx: Any, approval: Any, *more: Any) -> Any:
        denied = approval.state is State.DENIED
        return None if denied else closed(self, tx, approval, *more)

    def permissive(self: Approvals, approval: Any, target: State, **named: Any) -> Any:
        if target is State.APPROVED:
            again = update(table).where(table.c.id == approval.id, table.c.state == "denied")
            self._db.execute(again.values(state="pending"))
            self._db.execute(delete(votes).where(votes.c.approval_id == approval.id))
        return move(self, approval, target, **named)

    patch.setattr(ApprovalService, "_check_open", open_again)
    patch.setattr(Approvals, "transition", permissive)


def _a_disabled_agent_can_redeem(patch: pytest.MonkeyPatch) -> None:
    """Planted fault: disabling an agent neither cancels requests nor is checked at redemption."""
    patch.setattr(withdrawals, "withdraw", lambda *_, **__: 0)
    patch.setattr(client_auth, "check_enabled", lambda *_: None)
    patch.setattr(ApprovalChecks, "invalid_reason", lambda *_: None)


def _a_disabled_users_requests_survive(patch: pytest.MonkeyPatch) -> None:
    """Planted fault: a disabled user's requests stay open, and redemption checks nothing."""
    patch.setattr(withdrawals, "withdraw", lambda *_, **__: 0)
    patch.setattr(ApprovalChecks, "invalid_reason", lambda *_: None)


def _a_disabled_users_tokens_survive(patch: pytest.MonkeyPatch) -> None:
    """Planted fault: disabling a user does not revoke the tokens that act for them."""
    patch.setattr(Delegations, "revoke_user", lambda *_: [])


def _descendants_survive_a_revocation(patch: pytest.MonkeyPatch) -> None:
    """Planted fault: revoking a token keeps its descendants."""

    def revoke_one(self: Delegations, jti: str, now: int) -> list[str]:
        row = update(ledger).where(ledger.c.id == jti, ledger.c.revoked_at.is_(None))
        self._db.execute(row.values(revoked_at=now))
        return [jti]

    patch.setattr(Delegations, "revoke_tree", revoke_one)


def _descendants_survive_a_disabled_agent(patch: pytest.MonkeyPatch) -> None:
    """Planted fault: disabling an agent keeps tokens that were exchanged for its tokens."""
    revoke = Delegations.revoke_client

    def revoke_own_only(self: Delegations, of: str, now: int) -> Any:
        revoked = revoke(self, of, now)
        others = update(ledger).where(ledger.c.client_id != of, ledger.c.revoked_at == now)
        self._db.execute(others.values(revoked_at=None))
        return revoked

    patch.setattr(Delegations, "revoke_client", revoke_own_only)


def _descendants_outlive_their_parents(patch: pytest.MonkeyPatch) -> None:
    """Planted fault: a token from an exchange gets a full lifetime."""

    def endless(*, parent: Any, **members: Any) -> TokenOrigin:
        return TokenOrigin(parent=replace(parent, expires_at=parent.expires_at + DAY), **members)

    patch.setattr(token_exchange, "TokenOrigin", endless)


def _any_client_can_revoke(patch: pytest.MonkeyPatch) -> None:
    """Planted fault: a client can revoke tokens of other clients."""
    revoke = Revocation.revoke

    def as_holder(self: Revocation, client: Any, token: str) -> None:
        with self.store.read() as view:
            claims = self.tokens.read(view, token)
            holder = None if claims is None else view.directory.agent(str(claims["client_id"]))
        revoke(self, holder or client, token)

    patch.setattr(Revocation, "revoke", as_holder)


def _chains_have_no_limit(patch: pytest.MonkeyPatch) -> None:
    """Planted fault: the depth of a chain is not checked."""
    patch.setattr(ExchangeChecks, "_check_chain", lambda *_: None)
    patch.setattr(protocol, "MAX_DEPTH", 100)


_FAULTS = (
    _descendants_survive_a_revocation,
    _descendants_survive_a_disabled_agent,
    _descendants_outlive_their_parents,
    _any_client_can_revoke,
    _chains_have_no_limit,
    _another_agents_handle_is_accepted,
    _a_second_token_is_issued,
    _a_late_decision_counts,
    _a_denial_can_be_changed,
    _a_disabled_agent_can_redeem,
    _a_disabled_users_requests_survive,
    _a_disabled_users_tokens_survive,
)


@pytest.mark.parametrize("plant", _FAULTS, ids=lambda plant: plant.__name__.strip("_"))
def test_a_planted_fault_is_found(
    cast: Cast, plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """I3, I5, I6: the model detects a planted fault, and the server itself does not crash."""
    broken: list[str] = []
    fault = dispatch._server_error

    def noted(route: Route) -> HttpResponse:
        broken.append(route.name)
        return fault(route)

    monkeypatch.setattr(dispatch, "_server_error", noted)
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        _play(cast, 400)
    assert broken == []
