"""Orphan quarantine: an agent without an enabled owner is quarantined after the grace period.

Owns: the rules, tested by moving the clock. `tests/server/storage` tests two workers.
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
from tests.support.builders.installation import (
    BY,
    SERVER_POLICY,
    LocalAdmin,
    add_user,
    open_admin,
    register_agent,
)
from tests.support.inputs.random_cases import cases

GRACE = 3 * DAY
POLICY_HERE = replace(SERVER_POLICY, owner_grace_days=3)


@dataclass(frozen=True, slots=True)
class Owned:
    """An agent with one owner, and an administrator who does not own it."""

    admin_services: LocalAdmin
    agent: Agent
    owner: User
    admin: User

    @property
    def sweeper(self) -> OrphanQuarantine:
        """The job that the server runs."""
        return OrphanQuarantine(self.admin_services.store, self.admin_services.secrets, POLICY_HERE)

    @property
    def state(self) -> str:
        """The state of the agent."""
        return self.admin_services.agents.show(self.agent.id)[0].state

    def alarms(self, user: User) -> list[str]:
        """The alarms about agents in this user's feed."""
        return [
            event for event in self.admin_services.events(user) if event.startswith("alarm.agent_")
        ]


@pytest.fixture
def owned(admin_services: LocalAdmin) -> Owned:
    """The agent and its owner, both enabled."""
    admin = add_user(admin_services, roles=("admin",))
    owner = add_user(admin_services, "olga")
    return Owned(
        admin_services, register_agent(admin_services, owners=("olga",)).agent, owner, admin
    )


def test_an_orphaned_agent_stays_enabled_until_the_grace_period_ends(owned: Owned) -> None:
    """The agent is quarantined to the millisecond, and its tokens stay valid until then."""
    token = owned.admin_services.token(
        owned.agent.id, owned.admin.id, expires_at=owned.admin_services.clock.now() + 9 * DAY
    )
    owned.admin_services.users.disable("olga", by=BY)
    owned.admin_services.clock.forward(GRACE - 1)
    assert (owned.sweeper.round(), owned.state) == (0, "enabled")
    assert not owned.admin_services.revoked(token)
    owned.admin_services.clock.forward(1)
    assert (owned.sweeper.round(), owned.state) == (1, "quarantined")
    assert owned.admin_services.revoked(token)


def test_an_orphaned_agent_is_quarantined_once_and_never_deleted(owned: Owned) -> None:
    """A second round does nothing and does not change the admin version."""
    owned.admin_services.users.disable("olga", by=BY)
    owned.admin_services.clock.forward(GRACE)
    owned.sweeper.round()
    version = owned.admin_services.version()
    assert owned.sweeper.round() == 0
    assert owned.admin_services.version() == version
    assert len(owned.admin_services.entries("agent.quarantined")) == 1
    agent, (owner,) = owned.admin_services.agents.show(owned.agent.id)
    assert (agent.secrets, owner.id) == (owned.agent.secrets, owned.owner.id)


def test_quarantine_writes_entries_an_incident_and_alarms(owned: Owned) -> None:
    """A single round writes all of them and counts the canceled requests."""
    owned.admin_services.approval(
        owned.agent.id, owned.admin.id, expires_at=owned.admin_services.clock.now() + 9 * DAY
    )
    owned.admin_services.users.disable("olga", by=BY)
    (orphaned,) = owned.admin_services.entries("agent.orphaned")
    assert (orphaned["actor"], orphaned["agent_id"]) == (BY, owned.agent.id)
    assert (orphaned["subject"], orphaned["cause"]) == (owned.owner.id, "no_owner")
    assert owned.alarms(owned.admin) == ["alarm.agent_orphaned"]
    owned.admin_services.clock.forward(GRACE)
    owned.sweeper.round()
    (quarantined,), (opened,) = map(
        owned.admin_services.entries, ("agent.quarantined", "incident.opened")
    )
    assert {quarantined["actor"], opened["actor"]} == {SYSTEM}
    assert {quarantined["cause"], opened["cause"]} == {"no_owner"}
    assert quarantined["facts"]["incident"] == opened["facts"]["incident"]
    assert quarantined["facts"]["requests_cancelled"] == 1
    assert owned.alarms(owned.admin) == ["alarm.agent_orphaned", "alarm.agent_quarantined"]
    with owned.admin_services.store.read() as view:
        last_event = view.feed.events_after(0, owned.admin.id, 1_000)[-1]
        (incident,) = view.incidents.search(closed=False, limit=9)
    assert (last_event.agent_id, last_event.incident_id) == (owned.agent.id, incident.id)
    assert (incident.cause, incident.user_id, incident.approval_id) == ("no_owner", None, None)
    assert json.loads(incident.evidence)["agents"][0]["owners"] == [owned.owner.id]


def test_another_enabled_owner_prevents_the_grace_period(owned: Owned) -> None:
    """The period begins when the last enabled owner is disabled, and nobody is notified before."""
    owned.admin_services.agents.update(owned.agent.id, AgentChanges(add_owners=("admin",)), by=BY)
    owned.admin_services.users.disable("olga", by=BY)
    owned.admin_services.clock.forward(9 * GRACE)
    assert (owned.sweeper.round(), owned.state) == (0, "enabled")
    assert owned.admin_services.entries("agent.orphaned") == []
    owned.admin_services.users.disable("admin", by=BY, force=True)
    assert owned.sweeper.round() == 0
    owned.admin_services.clock.forward(GRACE)
    assert owned.sweeper.round() == 1


@pytest.mark.parametrize("new_owner", ["another", "the same"])
def test_an_enabled_owner_ends_the_grace_period(owned: Owned, new_owner: str) -> None:
    """A new owner or the enabled old owner ends it, and a later period lasts its full time."""
    owned.admin_services.users.disable("olga", by=BY)
    owned.admin_services.clock.forward(GRACE - HOUR)
    if new_owner == "another":
        owned.admin_services.agents.update(
            owned.agent.id, AgentChanges(add_owners=("admin",)), by=BY
        )
    else:
        owned.admin_services.users.enable("olga", by=BY)
    (adopted,) = owned.admin_services.entries("agent.adopted")
    assert (adopted["actor"], adopted["agent_id"]) == (BY, owned.agent.id)
    owned.admin_services.clock.forward(2 * HOUR)
    assert (owned.sweeper.round(), owned.state) == (0, "enabled")
    name = "admin" if new_owner == "another" else "olga"
    owned.admin_services.users.disable(name, by=BY, force=True)
    owned.admin_services.clock.forward(GRACE - 1)
    assert owned.sweeper.round() == 0
    owned.admin_services.clock.forward(1)
    assert owned.sweeper.round() == 1


def test_an_update_without_a_new_owner_does_not_end_the_grace_period(owned: Owned) -> None:
    """A new description is such an update."""
    owned.admin_services.users.disable("olga", by=BY)
    owned.admin_services.agents.update(owned.agent.id, AgentChanges(description="Pays"), by=BY)
    assert owned.admin_services.entries("agent.adopted") == []
    owned.admin_services.clock.forward(GRACE)
    assert owned.sweeper.round() == 1


def test_releasing_an_orphaned_agent_needs_an_owner(owned: Owned) -> None:
    """An administrator must add an owner before they can enable the agent."""
    owned.admin_services.users.disable("olga", by=BY)
    owned.admin_services.clock.forward(GRACE)
    owned.sweeper.round()
    with pytest.raises(Conflict, match="Add one first"):
        owned.admin_services.agents.enable(owned.agent.id, by=BY)
    owned.admin_services.agents.update(owned.agent.id, AgentChanges(add_owners=("admin",)), by=BY)
    owned.admin_services.agents.enable(owned.agent.id, by=BY)
    owned.admin_services.clock.forward(9 * GRACE)
    assert (owned.sweeper.round(), owned.state) == (0, "enabled")


def test_a_disabled_agent_is_not_orphaned(owned: Owned) -> None:
    """A disabled agent gets no audit entry and causes no alarm."""
    owned.admin_services.agents.disable(owned.agent.id, by=BY)
    owned.admin_services.users.disable("olga", by=BY)
    owned.admin_services.users.enable("olga", by=BY)
    owned.admin_services.users.disable("olga", by=BY)
    owned.admin_services.clock.forward(9 * GRACE)
    assert (owned.sweeper.round(), owned.state) == (0, "disabled")
    assert (
        owned.admin_services.entries("agent.orphaned")
        == owned.admin_services.entries("agent.adopted")
        == []
    )


def test_the_last_enabled_owner_cannot_be_removed(owned: Owned) -> None:
    """An agent can be orphaned only by disabling its owners."""
    owned.admin_services.agents.update(owned.agent.id, AgentChanges(add_owners=("admin",)), by=BY)
    owned.admin_services.users.disable("admin", by=BY, force=True)
    with pytest.raises(Invalid, match="enabled owner"):
        owned.admin_services.agents.update(
            owned.agent.id, AgentChanges(remove_owners=("olga",)), by=BY
        )


def test_deputies_and_backups_of_the_owners_get_the_alarm(owned: Owned) -> None:
    """Disabled people get no alarm, and neither do deputies outside their period."""
    admin, now = owned.admin_services, owned.admin_services.clock.now()
    people = {name: add_user(admin, name) for name in ("now", "later", "gone", "backup", "other")}
    admin.users.update("olga", UserChanges(backup="backup"), by=BY)
    times = {"now": (0, 1), "later": (1, 2), "gone": (0, 1)}
    with admin.store.write() as tx:
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
    admin.users.disable("gone", by=BY)
    admin.users.disable("olga", by=BY)
    notified = {name for name, user in people.items() if owned.alarms(user)}
    assert notified == {"now", "backup"}
    assert owned.alarms(owned.owner) == []


def test_an_agent_with_unknown_owners_counts_as_orphaned_from_now(owned: Owned) -> None:
    """Such a record cannot occur; if it did, the agent would still get the whole grace period."""
    orphan = replace(owned.agent, owners=("sayso_us_nobody",))
    with owned.admin_services.store.read() as view:
        assert owners.orphaned_at(view, orphan) == view.now


class _OrphanMachine(RuleBasedStateMachine):
    """Enables and disables users, changes owners, lets time pass, and runs the job."""

    PEOPLE = ("ana", "ben", "cleo")
    AGENTS = ("one", "two")

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.admin_services = open_admin(Path(self.folder.name))
        for name in self.PEOPLE:
            add_user(self.admin_services, name)
        for name in self.AGENTS:
            register_agent(self.admin_services, name, owners=("ana",))
        self.orphaned_since: dict[str, int] = {}

    def teardown(self) -> None:
        self.admin_services.store.close()
        self.folder.cleanup()

    def _has_owner(self, name: str) -> bool:
        return any(owner.enabled for owner in self.admin_services.agents.show(name)[1])

    def _is_quarantined(self, name: str) -> bool:
        return self.admin_services.agents.show(name)[0].state == "quarantined"

    def _track_owners(self) -> None:
        """Record since when an agent has had no enabled owner, without asking the server."""
        for name in self.AGENTS:
            if self._has_owner(name):
                self.orphaned_since.pop(name, None)
            else:
                self.orphaned_since.setdefault(name, self.admin_services.clock.now())

    @rule(name=st.sampled_from(PEOPLE), enable=st.booleans())
    def change_user(self, name: str, enable: bool) -> None:  # noqa: FBT001  # drawn
        (self.admin_services.users.enable if enable else self.admin_services.users.disable)(
            name, by=BY
        )
        self._track_owners()

    @rule(agent=st.sampled_from(AGENTS), name=st.sampled_from(PEOPLE), add=st.booleans())
    def change_owner(self, agent: str, name: str, add: bool) -> None:  # noqa: FBT001  # drawn
        changes = AgentChanges(**{"add_owners" if add else "remove_owners": (name,)})
        with suppress(Conflict, Invalid):  # the last owner, or not an owner
            self.admin_services.agents.update(agent, changes, by=BY)
        self._track_owners()

    @precondition(lambda self: any(map(self._is_quarantined, self.AGENTS)))
    @rule(agent=st.sampled_from(AGENTS))
    def release(self, agent: str) -> None:
        try:
            self.admin_services.agents.enable(agent, by=BY)
        except Conflict:
            assert not self._has_owner(agent)
        self._track_owners()

    @rule(days=st.integers(1, 5))
    def wait(self, days: int) -> None:
        self.admin_services.clock.forward(days * DAY)

    @rule()
    def sweep(self) -> None:
        before = {name: self._is_quarantined(name) for name in self.AGENTS}
        OrphanQuarantine(
            self.admin_services.store, self.admin_services.secrets, POLICY_HERE
        ).round()
        for name in self.AGENTS:
            since = self.orphaned_since.get(name)
            grace_is_over = since is not None and self.admin_services.clock.now() - since >= GRACE
            assert self._is_quarantined(name) == (before[name] or grace_is_over), name


def test_only_agents_without_an_enabled_owner_are_quarantined() -> None:
    """The rule holds for any order of events."""
    machine_settings = settings(
        max_examples=cases(8),
        stateful_step_count=25,
        deadline=None,
        database=None,
        derandomize=True,
        phases=(Phase.generate,),
        suppress_health_check=tuple(HealthCheck),
    )
    run_state_machine_as_test(_OrphanMachine, settings=machine_settings)
