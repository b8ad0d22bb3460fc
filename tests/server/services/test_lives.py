"""Whatever agents, people, administrators and the clock do, in whatever order, the model holds.

And it would not hold if the server had one of the faults below: each is planted, and must be found.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import update

from server.protocol.states import State
from server.services import agents, approvals, client_auth, users
from server.services.grants.ciba import CibaGrant
from server.services.rights import Rights
from server.storage.approvals import Approvals
from server.storage.delegations import Delegations
from server.storage.tables import approvals as table
from tests.support.callers import LocalAgent, new_person
from tests.support.installation import registered
from tests.support.lives import Cast, Lives
from tests.support.site import LocalSite

_QUIET = {"deadline": None, "database": None, "derandomize": True}
_CHECKED = tuple(HealthCheck)
_MANY = {"open_per_agent": 100_000, "open_per_user": 100_000, "denials_before_pause": 100_000}


@pytest.fixture
def cast(open_local: Callable[..., LocalSite]) -> Cast:
    """Two agents and two people at a server without the caps that a long play would reach."""
    local = open_local(**_MANY)
    made = [
        registered(local.desk, name, auth_method="client_secret_post") for name in ("one", "two")
    ]
    callers = tuple(LocalAgent(local, given.agent.id, given.secret or "") for given in made)
    return Cast(local, callers, tuple(new_person(local, name) for name in ("cleo", "dan")))


def _play(cast: Cast, examples: int, *, phases: tuple[Phase, ...] = tuple(Phase)) -> None:
    machine = type("Played", (Lives,), {"cast": cast})
    wanted = settings(
        max_examples=examples,
        stateful_step_count=30,
        phases=phases,
        suppress_health_check=_CHECKED,
        **_QUIET,
    )
    run_state_machine_as_test(machine, settings=wanted)


def test_every_life_is_one_of_the_model(cast: Cast) -> None:
    """Requests, answers, tokens: in the answers and in the rows (I1 to I6)."""
    _play(cast, 70)


def _anybodys_handle(patch: pytest.MonkeyPatch) -> None:
    """Whoever knows an auth_req_id is taken for the agent that asked."""
    visit = CibaGrant._visit

    def as_owner(self: CibaGrant, poll: Any, **named: Any) -> Any:
        with self.store.read() as view:
            approval = view.approvals.by_handle(poll.handle_hash)
            owner = None if approval is None else view.directory.agent(approval.agent_id)
        return visit(self, replace(poll, agent=owner or poll.agent), **named)

    patch.setattr(CibaGrant, "_visit", as_owner)


def _two_tokens(patch: pytest.MonkeyPatch) -> None:
    """What was redeemed is redeemed again, and no table says that there can be only one."""
    by_state, add = CibaGrant._by_state, Delegations.add

    def again(self: CibaGrant, tx: Any, approval: Any, poll: Any, *, first: bool) -> Any:
        if approval.state is not State.REDEEMED:
            return by_state(self, tx, approval, poll, first=first)
        decision = tx.decisions.of_approval(approval.id)[-1]
        return self.issuing.for_approval(tx, poll.agent, approval, decision)

    patch.setattr(CibaGrant, "_by_state", again)
    patch.setattr(Delegations, "add", lambda self, row: add(self, replace(row, approval_id=None)))


def _late_answer(patch: pytest.MonkeyPatch) -> None:
    """An answer counts although its time is over."""
    move = Approvals.move
    patch.setattr(approvals, "overdue", lambda *_: False)
    patch.setattr(Approvals, "move", lambda self, *a, **n: move(self, *a, **{**n, "now": 0}))


def _second_thoughts(patch: pytest.MonkeyPatch) -> None:
    """Who has said no may say yes after all."""
    closed, move = approvals._closed, Approvals.move

    def open_again(tx: Any, person: Any, approval: Any, *more: Any) -> Any:
        denied = approval.state is State.DENIED
        return None if denied else closed(tx, person, approval, *more)

    def permissive(self: Approvals, approval_id: str, target: State, **named: Any) -> Any:
        if target is State.APPROVED:
            again = update(table).where(table.c.id == approval_id, table.c.state == "denied")
            self._connection.execute(again.values(state="pending"))
        return move(self, approval_id, target, **named)

    patch.setattr(approvals, "_closed", open_again)
    patch.setattr(Approvals, "move", permissive)


def _stopped_agent_fetches(patch: pytest.MonkeyPatch) -> None:
    """Stopping an agent neither ends its requests nor is looked at when it fetches."""
    patch.setattr(agents, "withdraw", lambda *_, **__: 0)
    patch.setattr(client_auth, "check_enabled", lambda *_: None)
    patch.setattr(Rights, "gone", lambda *_: None)


def _requests_survive(patch: pytest.MonkeyPatch) -> None:
    """Stopping a person forgets what they had approved, and nobody asks again at the end."""
    patch.setattr(users, "withdraw", lambda *_, **__: 0)
    patch.setattr(Rights, "gone", lambda *_: None)


def _tokens_survive(patch: pytest.MonkeyPatch) -> None:
    """Stopping a person leaves the tokens that act for them."""
    patch.setattr(Delegations, "revoke_user", lambda *_: [])


_FAULTS = (
    _anybodys_handle,
    _two_tokens,
    _late_answer,
    _second_thoughts,
    _stopped_agent_fetches,
    _requests_survive,
    _tokens_survive,
)


@pytest.mark.parametrize("plant", _FAULTS, ids=lambda plant: plant.__name__.strip("_"))
def test_a_planted_fault_is_found(
    cast: Cast, plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model that is never wrong proves nothing."""
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        _play(cast, 400, phases=(Phase.generate,))
