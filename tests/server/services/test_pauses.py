"""What is paused can be seen, and whoever is refused is told until when."""

import pytest

from server.services.agent_forms import AgentChanges
from server.services.pauses import PAUSE_MS, Pauses
from server.services.records import User
from server.services.refusals import NotFound
from server.services.users import UserChanges
from tests.support.callers import LocalAgent, LocalTerminal, new_person
from tests.support.clock import MINUTE
from tests.support.installation import BY
from tests.support.site import LocalSite


@pytest.fixture
def pauses(local: LocalSite) -> Pauses:
    """As an administrator has them."""
    return Pauses(local.services.store, local.services.rules)


def _deny(agent: LocalAgent, person: LocalTerminal, times: int = 3) -> None:
    for _ in range(times):
        _, approval = agent.asked(login_hint=person.user.name)
        assert person.deny(approval.id).status == 200


def test_the_agent_is_told_until_when_it_must_wait(
    agent: LocalAgent, person: LocalTerminal, local: LocalSite
) -> None:
    """In members that a program reads; the person is not asked."""
    _deny(agent, person)
    before = len(local.desk.events(person.user))
    refused = agent.ask()
    assert refused.refusal == (403, "access_denied")
    told = {name: refused.json[name] for name in ("reason", "retry", "retry_at")}
    assert told == {
        "reason": "denied_repeatedly",
        "retry": "not_before",
        "retry_at": "2025-10-09T09:23:20.000Z",
    }
    assert len(local.desk.events(person.user)) == before
    assert agent.ask(login_hint="ana").status == 403


def test_of_several_types_the_longest_pause_counts(
    agent: LocalAgent, person: LocalTerminal, local: LocalSite
) -> None:
    """A fourth denial was of a request that was asked before the pause; it begins anew."""
    asked = [agent.asked()[1] for _ in range(4)]
    for approval in asked[:3]:
        person.deny(approval.id)
    local.clock.forward(MINUTE)
    person.deny(asked[3].id)
    assert agent.ask().json["retry_at"] == "2025-10-09T09:24:20.000Z"


def test_a_pause_is_seen_while_it_goes_on(
    agent: LocalAgent, person: LocalTerminal, local: LocalSite, pauses: Pauses
) -> None:
    """With whom, for what and until when; fewer denials make none."""
    ben = new_person(local, "ben")
    _deny(agent, ben, 2)
    assert pauses.of(agent.id) == []
    _deny(agent, person)
    (pause,) = pauses.of("invoice-bot")
    assert (pause.user_name, pause.type) == ("ana", "")
    assert pause.until == local.clock.now() + PAUSE_MS
    _deny(agent, ben, 1)
    assert [one.user_name for one in pauses.of(agent.id)] == ["ana", "ben"]
    local.clock.forward(PAUSE_MS - 1)
    assert len(pauses.of(agent.id)) == 2
    local.clock.forward(1)
    assert pauses.of(agent.id) == []
    with pytest.raises(NotFound):
        pauses.of("nobody")


def test_a_type_that_is_paused_is_named(
    agent: LocalAgent, person: LocalTerminal, pauses: Pauses
) -> None:
    """As it was asked for."""
    for _ in range(3):
        person.deny(agent.asked_payment()[1].id)
    (pause,) = pauses.of(agent.id)
    assert pause.type == "payment.transfer"
    assert agent.ask().status == 200


def test_an_administrator_sees_it_with_the_agent(
    agent: LocalAgent, person: LocalTerminal, local: LocalSite
) -> None:
    """At the API; the list of agents does not look for it."""
    local.desk.users.update("ana", UserChanges(roles=("admin",)), by=BY)
    path = f"/api/agents/{agent.id}"
    assert person.call("GET", path).json["pauses"] == []
    _deny(agent, person)
    assert person.call("GET", path).json["pauses"] == [
        {
            "user": {"id": person.user.id, "name": "ana"},
            "type": None,
            "until": "2025-10-09T09:23:20.000Z",
        }
    ]


def test_the_owners_are_told_when_a_pause_begins(
    agent: LocalAgent, person: LocalTerminal, local: LocalSite
) -> None:
    """Once for each pause, in the log, on their screens and at the hook; who is stopped is not."""
    owner, gone = new_person(local, "olga"), new_person(local, "gone")
    changes = AgentChanges(add_owners=("olga", "gone"))
    local.desk.agents.update(agent.id, changes, by=BY)
    local.desk.users.disable("gone", by=BY)

    def told(user: User) -> int:
        return local.desk.events(user).count("alarm.agent_paused")

    _deny(agent, person, 2)
    assert told(owner.user) == 0
    asked = [agent.asked()[1] for _ in range(2)]
    for approval in asked:
        person.deny(approval.id)
    assert (told(owner.user), told(gone.user), told(person.user)) == (1, 0, 0)
    with local.services.store.read() as view:
        assert view.feed.after(0, owner.user.id, 100)[-1].agent_id == agent.id
    (entry,) = local.desk.entries("agent.paused")
    assert (entry["agent_id"], entry["subject"]) == (agent.id, person.user.id)
    assert entry["facts"] == {"type": None, "until": local.clock.now() + PAUSE_MS}
    hooked = [one for one in local.messages() if one["event"] == "alarm.agent_paused"]
    assert [one["agent"] for one in hooked] == [agent.id]
    local.clock.forward(PAUSE_MS)
    person.refresh()
    _deny(agent, person)
    assert told(owner.user) == 2
    assert len(local.desk.entries("agent.paused")) == 2
