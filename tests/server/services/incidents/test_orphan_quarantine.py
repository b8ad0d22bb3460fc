"""An agent outlives its owners by its time of grace, and then stands still until somebody owns it.

Owns: the rules, with a clock that is moved. Two workers are in `tests/server/storage`.
"""

import json
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    precondition,
    rule,
    run_state_machine_as_test,
)

from server.model.approvers import Deputy
from server.model.clients import Agent
from server.model.users import User
from server.services.audit.audit import SYSTEM
from server.services.clients import owners
from server.services.clients.agent_forms import AgentChanges
from server.services.incidents.orphan_quarantine import OrphanQuarantine
from server.services.refusals import Conflict, Invalid
from server.services.users.users import UserChanges
from tests.support.builders.clock import DAY, HOUR
from tests.support.builders.installation import BY, RULES, Desk, admitted, open_desk, registered

GRACE = 3 * DAY
RULES_HERE = replace(RULES, owner_grace_days=3)


@dataclass(frozen=True, slots=True)
class Owned:
    """An agent with one owner, and an administrator who is none."""

    desk: Desk
    agent: Agent
    owner: User
    admin: User

    @property
    def sweeper(self) -> OrphanQuarantine:
        """What the server's loop does."""
        return OrphanQuarantine(self.desk.store, self.desk.secrets, RULES_HERE)

    @property
    def state(self) -> str:
        """How the agent stands."""
        return self.desk.agents.show(self.agent.id)[0].state

    def told(self, user: User) -> list[str]:
        """The alarms about agents on this user's screens."""
        return [one for one in self.desk.events(user) if one.startswith("alarm.agent_")]


@pytest.fixture
def owned(desk: Desk) -> Owned:
    """As everything begins."""
    admin = admitted(desk, roles=("admin",))
    owner = admitted(desk, "olga")
    return Owned(desk, registered(desk, owners=("olga",)).agent, owner, admin)


def test_an_agent_goes_on_until_its_time_of_grace_is_over(owned: Owned) -> None:
    """Nothing of it ends before; to the millisecond."""
    token = owned.desk.token(
        owned.agent.id, owned.admin.id, expires_at=owned.desk.clock.now() + 9 * DAY
    )
    owned.desk.users.disable("olga", by=BY)
    owned.desk.clock.forward(GRACE - 1)
    assert (owned.sweeper.round(), owned.state) == (0, "enabled")
    assert not owned.desk.revoked(token)
    owned.desk.clock.forward(1)
    assert (owned.sweeper.round(), owned.state) == (1, "quarantined")
    assert owned.desk.revoked(token)


def test_it_is_stopped_once_and_deleted_never(owned: Owned) -> None:
    """Another round finds nothing to do, and changes no version."""
    owned.desk.users.disable("olga", by=BY)
    owned.desk.clock.forward(GRACE)
    owned.sweeper.round()
    version = owned.desk.version()
    assert owned.sweeper.round() == 0
    assert owned.desk.version() == version
    assert len(owned.desk.entries("agent.quarantined")) == 1
    agent, (owner,) = owned.desk.agents.show(owned.agent.id)
    assert (agent.secrets, owner.id) == (owned.agent.secrets, owned.owner.id)


def test_the_log_the_incident_and_the_screens_say_why(owned: Owned) -> None:
    """In one unit of work, with what ended."""
    owned.desk.approval(owned.agent.id, owned.admin.id, expires_at=owned.desk.clock.now() + 9 * DAY)
    owned.desk.users.disable("olga", by=BY)
    (orphaned,) = owned.desk.entries("agent.orphaned")
    assert (orphaned["actor"], orphaned["agent_id"]) == (BY, owned.agent.id)
    assert (orphaned["subject"], orphaned["cause"]) == (owned.owner.id, "no_owner")
    assert owned.told(owned.admin) == ["alarm.agent_orphaned"]
    owned.desk.clock.forward(GRACE)
    owned.sweeper.round()
    (stopped,), (opened,) = map(owned.desk.entries, ("agent.quarantined", "incident.opened"))
    assert {stopped["actor"], opened["actor"]} == {SYSTEM}
    assert {stopped["cause"], opened["cause"]} == {"no_owner"}
    assert stopped["facts"]["incident"] == opened["facts"]["incident"]
    assert stopped["facts"]["requests_cancelled"] == 1
    assert owned.told(owned.admin) == ["alarm.agent_orphaned", "alarm.agent_quarantined"]
    with owned.desk.store.read() as view:
        told = view.feed.after(0, owned.admin.id, 1_000)[-1]
        (incident,) = view.incidents.search(closed=False, limit=9)
    assert (told.agent_id, told.incident_id) == (owned.agent.id, incident.id)
    assert (incident.cause, incident.user_id, incident.approval_id) == ("no_owner", None, None)
    assert json.loads(incident.evidence)["agents"][0]["owners"] == [owned.owner.id]


def test_an_owner_who_is_left_keeps_it_going(owned: Owned) -> None:
    """Only the last one who is enabled counts, and nobody is told before."""
    owned.desk.agents.update(owned.agent.id, AgentChanges(add_owners=("admin",)), by=BY)
    owned.desk.users.disable("olga", by=BY)
    owned.desk.clock.forward(9 * GRACE)
    assert (owned.sweeper.round(), owned.state) == (0, "enabled")
    assert owned.desk.entries("agent.orphaned") == []
    owned.desk.users.disable("admin", by=BY)
    assert owned.sweeper.round() == 0
    owned.desk.clock.forward(GRACE)
    assert owned.sweeper.round() == 1


@pytest.mark.parametrize("saved", ["another", "the same"])
def test_an_enabled_owner_ends_the_time_of_grace(owned: Owned, saved: str) -> None:
    """Another one, or the old one who comes back; a next one begins anew."""
    owned.desk.users.disable("olga", by=BY)
    owned.desk.clock.forward(GRACE - HOUR)
    if saved == "another":
        owned.desk.agents.update(owned.agent.id, AgentChanges(add_owners=("admin",)), by=BY)
    else:
        owned.desk.users.enable("olga", by=BY)
    (adopted,) = owned.desk.entries("agent.adopted")
    assert (adopted["actor"], adopted["agent_id"]) == (BY, owned.agent.id)
    owned.desk.clock.forward(2 * HOUR)
    assert (owned.sweeper.round(), owned.state) == (0, "enabled")
    owned.desk.users.disable("admin" if saved == "another" else "olga", by=BY)
    owned.desk.clock.forward(GRACE - 1)
    assert owned.sweeper.round() == 0
    owned.desk.clock.forward(1)
    assert owned.sweeper.round() == 1


def test_a_change_that_brings_no_owner_ends_nothing(owned: Owned) -> None:
    """Its description is nobody who answers for it."""
    owned.desk.users.disable("olga", by=BY)
    owned.desk.agents.update(owned.agent.id, AgentChanges(description="Pays"), by=BY)
    assert owned.desk.entries("agent.adopted") == []
    owned.desk.clock.forward(GRACE)
    assert owned.sweeper.round() == 1


def test_lifting_the_quarantine_takes_an_owner(owned: Owned) -> None:
    """An administrator gives it one, then lets it go on; the sweeper leaves it alone."""
    owned.desk.users.disable("olga", by=BY)
    owned.desk.clock.forward(GRACE)
    owned.sweeper.round()
    with pytest.raises(Conflict, match="Add one first"):
        owned.desk.agents.enable(owned.agent.id, by=BY)
    owned.desk.agents.update(owned.agent.id, AgentChanges(add_owners=("admin",)), by=BY)
    owned.desk.agents.enable(owned.agent.id, by=BY)
    owned.desk.clock.forward(9 * GRACE)
    assert (owned.sweeper.round(), owned.state) == (0, "enabled")


def test_what_was_stopped_before_is_left_as_it_is(owned: Owned) -> None:
    """Nobody is told of an agent that does nothing, whoever stopped it."""
    owned.desk.agents.disable(owned.agent.id, by=BY)
    owned.desk.users.disable("olga", by=BY)
    owned.desk.users.enable("olga", by=BY)
    owned.desk.users.disable("olga", by=BY)
    owned.desk.clock.forward(9 * GRACE)
    assert (owned.sweeper.round(), owned.state) == (0, "disabled")
    assert owned.desk.entries("agent.orphaned") == owned.desk.entries("agent.adopted") == []


def test_no_owner_can_be_put_out_who_is_the_last_enabled_one(owned: Owned) -> None:
    """So an agent is left without one only by a person who is stopped."""
    owned.desk.agents.update(owned.agent.id, AgentChanges(add_owners=("admin",)), by=BY)
    owned.desk.users.disable("admin", by=BY)
    with pytest.raises(Invalid, match="owner who is enabled"):
        owned.desk.agents.update(owned.agent.id, AgentChanges(remove_owners=("olga",)), by=BY)


def test_deputies_and_backups_of_its_owners_are_told_too(owned: Owned) -> None:
    """Who is stopped themselves, and a deputy whose time is not now, are not."""
    desk, now = owned.desk, owned.desk.clock.now()
    people = {name: admitted(desk, name) for name in ("now", "later", "gone", "backup", "other")}
    desk.users.update("olga", UserChanges(backup="backup"), by=BY)
    times = {"now": (0, 1), "later": (1, 2), "gone": (0, 1)}
    with desk.store.write() as tx:
        for name, (begins, ends) in times.items():
            deputy = Deputy(
                id=f"sayso_dp_{name}",
                user_id=owned.owner.id,
                deputy_id=people[name].id,
                from_at=now + begins * DAY,
                to_at=now + ends * DAY,
                state="named",
                device_id="sayso_dv_1",
                created_at=now,
            )
            tx.deputies.add(deputy)
    desk.users.disable("gone", by=BY)
    desk.users.disable("olga", by=BY)
    told = {name for name, user in people.items() if owned.told(user)}
    assert told == {"now", "backup"}
    assert owned.told(owned.owner) == []


def test_an_agent_whose_owners_are_gone_for_good_counts_as_left_now(owned: Owned) -> None:
    """There is no way to that; if there were, nothing would be stopped at once."""
    stray = replace(owned.agent, owners=("sayso_us_nobody",))
    with owned.desk.store.read() as view:
        assert owners.orphaned_at(view, stray) == view.now


class _Life(RuleBasedStateMachine):
    """People come and go, agents change hands, the clock goes on, and the sweeper looks."""

    PEOPLE = ("ana", "ben", "cleo")
    AGENTS = ("one", "two")

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.desk = open_desk(Path(self.folder.name))
        for name in self.PEOPLE:
            admitted(self.desk, name)
        for name in self.AGENTS:
            registered(self.desk, name, owners=("ana",))
        self.left: dict[str, int] = {}

    def teardown(self) -> None:
        self.desk.store.close()
        self.folder.cleanup()

    def _answered(self, name: str) -> bool:
        return any(owner.enabled for owner in self.desk.agents.show(name)[1])

    def _stopped(self, name: str) -> bool:
        return self.desk.agents.show(name)[0].state == "quarantined"

    def _look(self) -> None:
        """Remember since when nobody answers, in words of the test's own."""
        for name in self.AGENTS:
            if self._answered(name):
                self.left.pop(name, None)
            else:
                self.left.setdefault(name, self.desk.clock.now())

    @rule(name=st.sampled_from(PEOPLE), on=st.booleans())
    def person(self, name: str, on: bool) -> None:  # noqa: FBT001  # drawn
        (self.desk.users.enable if on else self.desk.users.disable)(name, by=BY)
        self._look()

    @rule(agent=st.sampled_from(AGENTS), name=st.sampled_from(PEOPLE), comes=st.booleans())
    def hands(self, agent: str, name: str, comes: bool) -> None:  # noqa: FBT001  # drawn
        changes = AgentChanges(**{"add_owners" if comes else "remove_owners": (name,)})
        with suppress(Conflict, Invalid):  # it would be left without one, or it is none of its
            self.desk.agents.update(agent, changes, by=BY)
        self._look()

    @precondition(lambda self: any(map(self._stopped, self.AGENTS)))
    @rule(agent=st.sampled_from(AGENTS))
    def lift(self, agent: str) -> None:
        try:
            self.desk.agents.enable(agent, by=BY)
        except Conflict:
            assert not self._answered(agent)
        self._look()

    @rule(days=st.integers(1, 5))
    def wait(self, days: int) -> None:
        self.desk.clock.forward(days * DAY)

    @rule()
    def sweep(self) -> None:
        before = {name: self._stopped(name) for name in self.AGENTS}
        OrphanQuarantine(self.desk.store, self.desk.secrets, RULES_HERE).round()
        for name in self.AGENTS:
            since = self.left.get(name)
            over = since is not None and self.desk.clock.now() - since >= GRACE
            assert self._stopped(name) == (before[name] or over), name


def test_an_agent_with_an_enabled_owner_is_never_stopped_for_want_of_one() -> None:
    """Whoever comes and goes, in whatever order; and one without is, after its time, always."""
    wanted = settings(
        max_examples=20,
        stateful_step_count=25,
        deadline=None,
        database=None,
        derandomize=True,
        phases=(Phase.generate,),
        suppress_health_check=tuple(HealthCheck),
    )
    run_state_machine_as_test(_Life, settings=wanted)
