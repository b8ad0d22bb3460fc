"""What reached which device, and what an agent learns of it while it waits and at the end."""

from server.model.approvers import NamedApprover
from server.model.store import Busy
from server.services.approvals.views import approver_view
from server.services.approvers import approvers
from server.services.notifications.deliveries import record
from server.services.notifications.feed import FeedService
from tests.support.builders.callers import another_device, new_person
from tests.support.builders.clock import MINUTE, SECOND


def _pending(agent, local, handle):
    local.clock.forward(5 * SECOND)
    answer = agent.poll(handle)
    assert answer.json["error"] == "authorization_pending"
    return answer.json["status"], answer.json["delivered"], answer.json["seen"]


def _devices(person, approval):
    return person.show(approval.id)["devices"]


def test_a_poll_says_how_far_the_request_has_come(agent, person, local):
    """Nowhere yet; on a device; opened there. Being listed is not being seen."""
    handle, approval = agent.asked()
    assert _pending(agent, local, handle) == ("pending", False, False)
    person.call("GET", "/api/approvals")
    assert _pending(agent, local, handle) == ("pending", True, False)
    person.show(approval.id)
    assert _pending(agent, local, handle) == ("pending", True, True)


def test_a_poll_says_until_when_there_can_be_an_answer(agent, person, local):
    """The end of the request, which may be moved."""
    handle, approval = agent.asked(requested_expiry="60")
    local.clock.forward(5 * SECOND)
    assert agent.poll(handle).json["expires_at"] == "2025-10-09T08:54:20.000Z"
    assert approval.user_id == person.user.id


def test_an_agent_learns_that_its_request_is_held_back(open_local, template):
    """It asks too often, and is told so rather than left in silence."""
    local = open_local(notify_per_minute=1)
    agent = template.agent(local)
    template.person(local)
    (first, _), (second, _) = agent.asked_payment(), agent.asked_payment()
    assert _pending(agent, local, first)[0] == "pending"
    assert _pending(agent, local, second)[0] == "held_back"


def test_what_is_over_reaches_nobody_even_before_the_server_has_ended_it(agent, person, local):
    """Its agent learns that no device could have answered it."""
    handle, approval = agent.asked(requested_expiry="60")
    local.clock.forward(MINUTE)
    record(local.services.store, person.device_id, [approval])
    assert agent.poll(handle).json["reason"] == "undeliverable"


def test_the_feed_delivers_what_it_puts_to_a_person(agent, person, local):
    """Once, whatever it brings again; news of what is over delivers nothing."""
    feed = FeedService(local.services.store, approver_view)
    _, waits = agent.asked()
    _, over = agent.asked()
    person.deny(over.id)
    other = another_device(person)
    for _ in range(2):
        feed.record_delivery(other.device_id, feed.page(person.user.id, other.device_id, 0))
        local.clock.forward(SECOND)
    with local.services.store.read() as view:
        (had,) = view.deliveries.of_approval(waits.id)
        assert other.device_id not in {
            one.device_id for one in view.deliveries.of_approval(over.id)
        }
    assert (had.device_name, had.delivered_at) == ("desktop", local.clock.now() - 2 * SECOND)
    assert local.stored(waits.id).delivered_at == had.delivered_at


def test_each_device_has_its_own_story(agent, person, local):
    """Delivered, seen, decided; the person sees all of their devices, the operator everybody's."""
    other = another_device(person)
    _, approval = agent.asked()
    other.call("GET", "/api/approvals")
    local.clock.forward(SECOND)
    person.deny(approval.id)
    local.clock.forward(SECOND)
    person.show(approval.id)
    (first, second) = _devices(other, approval)
    begun = "2025-10-09T08:53:20.000Z"
    later = "2025-10-09T08:53:21.000Z"
    assert first == {
        "id": other.device_id,
        "name": "desktop",
        "delivered_at": begun,
        "seen_at": None,
        "decided_at": None,
    }
    assert (second["id"], second["name"]) == (person.device_id, "laptop")
    assert {second[name] for name in ("delivered_at", "seen_at", "decided_at")} == {later}
    listed = person.call("GET", "/api/approvals", query={"state": "decided"}).json["items"]
    assert {item["devices"] for item in listed} == {None}


def test_what_reaches_no_device_is_undeliverable(agent, person, local):
    """There are devices, and none of them ever had it. That is not what nobody looked at."""
    lost, approval = agent.asked(requested_expiry="60")
    listed, _ = agent.asked(requested_expiry="61")
    local.clock.forward(SECOND)
    with local.services.store.write() as tx:
        tx.deliveries.add(local.behind(listed).id, person.device_id)
    local.clock.forward(MINUTE)
    told = [agent.poll(handle).json for handle in (lost, listed)]
    assert [one["error"] for one in told] == ["expired_token"] * 2
    assert [one["reason"] for one in told] == ["undeliverable", "expired_unseen"]
    assert local.stored(approval.id).reason == "undeliverable"
    facts = [entry["facts"] for entry in local.desk.entries("approval.expired")]
    assert [one["delivered_at"] is None for one in facts] == [True, False]


def test_a_hidden_server_tells_of_no_delivery(open_local, template):
    """What only somebody who exists can cause by having a device says nothing to the agent."""
    local = open_local(unknown_user="hide", notify_per_minute=1)
    agent, person = template.agent(local), template.person(local)
    agent.asked_payment()
    real, _ = agent.asked_payment(requested_expiry="60")
    ghost, _ = agent.asked_payment(requested_expiry="60", login_hint="ghost")
    person.call("GET", "/api/approvals")
    local.clock.forward(5 * SECOND)
    one, two = agent.poll(real), agent.poll(ghost)
    assert one.json == two.json
    assert one.json["status"] == "pending"
    assert not {"delivered", "seen"} & one.json.keys()
    local.clock.forward(MINUTE)
    assert agent.poll(real).json == agent.poll(ghost).json


def test_a_busy_database_keeps_nobody_from_reading(agent, person, local):
    """What could not be written down is written down when it is brought again."""
    store = local.services.store

    class Away:
        """A database that can be read."""

        read = store.read

        def write(self):
            """Nobody waits longer than this."""
            raise Busy("Not now.")

    _, approval = agent.asked()
    record(Away(), person.device_id, [approval])
    assert local.stored(approval.id).delivered_at is None
    record(store, person.device_id, [approval])
    assert local.stored(approval.id).delivered_at == local.clock.now()


def test_devices_of_somebody_else_are_not_told(agent, person, local):
    """Whoever else is asked sees their own, and the operator all."""
    ben = new_person(local, "ben")
    _, approval = agent.asked()
    with local.services.store.write() as tx:
        approvers.add(tx, approval, [NamedApprover(ben.user.id, "backup")], local.services.rules)
    assert [one["id"] for one in _devices(person, approval)] == [person.device_id]
    assert [one["id"] for one in _devices(ben, approval)] == [ben.device_id]
    with local.services.store.read() as view:
        had = {one.device_id for one in view.deliveries.of_approval(approval.id)}
    assert had == {person.device_id, ben.device_id}
