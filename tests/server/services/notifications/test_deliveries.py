"""Deliveries: which devices received a request, and what the agent is told about it."""

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


def test_a_poll_says_whether_a_request_was_delivered_and_seen(agent, person, local):
    """Listing a request delivers it, and opening it marks it as seen."""
    handle, approval = agent.request_approval()
    assert _pending(agent, local, handle) == ("pending", False, False)
    person.call("GET", "/api/approvals")
    assert _pending(agent, local, handle) == ("pending", True, False)
    person.show(approval.id)
    assert _pending(agent, local, handle) == ("pending", True, True)


def test_a_poll_contains_the_expiry(agent, person, local):
    """The expiry can be extended, so the agent reads the current one from the poll."""
    handle, approval = agent.request_approval(requested_expiry="60")
    local.clock.forward(5 * SECOND)
    assert agent.poll(handle).json["expires_at"] == "2025-10-09T08:54:20.000Z"
    assert approval.user_id == person.user.id


def test_a_poll_states_that_a_request_is_held_back(open_local, template):
    """The agent is told that its request did not notify because it sends too many."""
    local = open_local(notify_per_minute=1)
    agent = template.agent(local)
    template.person(local)
    (first, _), (second, _) = agent.request_payment(), agent.request_payment()
    assert _pending(agent, local, first)[0] == "pending"
    assert _pending(agent, local, second)[0] == "held_back"


def test_an_expired_request_is_not_delivered(agent, person, local):
    """The agent gets `undeliverable`, even before the sweeper has run."""
    handle, approval = agent.request_approval(requested_expiry="60")
    local.clock.forward(MINUTE)
    record(local.services.store, person.device_id, [approval])
    assert agent.poll(handle).json["reason"] == "undeliverable"


def test_the_feed_records_deliveries(agent, person, local):
    """The feed records one delivery per device, and none for requests already decided."""
    feed = FeedService(local.services.store, approver_view)
    _, pending = agent.request_approval()
    _, decided = agent.request_approval()
    person.deny(decided.id)
    other = another_device(person)
    for _ in range(2):
        feed.record_delivery(other.device_id, feed.page(person.user.id, other.device_id, 0))
        local.clock.forward(SECOND)
    with local.services.store.read() as view:
        (delivery,) = view.deliveries.of_approval(pending.id)
        assert other.device_id not in {
            delivery.device_id for delivery in view.deliveries.of_approval(decided.id)
        }
    assert (delivery.device_name, delivery.delivered_at) == (
        "desktop",
        local.clock.now() - 2 * SECOND,
    )
    assert local.stored_approval(pending.id).delivered_at == delivery.delivered_at


def test_each_device_has_its_own_delivery_times(agent, person, local):
    """A person sees the delivered, seen and decided times of each of their devices."""
    other = another_device(person)
    _, approval = agent.request_approval()
    other.call("GET", "/api/approvals")
    local.clock.forward(SECOND)
    person.deny(approval.id)
    local.clock.forward(SECOND)
    person.show(approval.id)
    (first, second) = _devices(other, approval)
    start = "2025-10-09T08:53:20.000Z"
    later = "2025-10-09T08:53:21.000Z"
    assert first == {
        "id": other.device_id,
        "name": "desktop",
        "delivered_at": start,
        "seen_at": None,
        "decided_at": None,
    }
    assert (second["id"], second["name"]) == (person.device_id, "laptop")
    assert {second[name] for name in ("delivered_at", "seen_at", "decided_at")} == {later}
    listed = person.call("GET", "/api/approvals", query={"state": "decided"}).json["items"]
    assert {item["devices"] for item in listed} == {None}


def test_a_request_that_reached_no_device_is_undeliverable(agent, person, local):
    """A request that was delivered but never seen expires as `expired_unseen` instead."""
    undelivered, approval = agent.request_approval(requested_expiry="60")
    listed, _ = agent.request_approval(requested_expiry="61")
    local.clock.forward(SECOND)
    with local.services.store.write() as tx:
        tx.deliveries.add(local.approval_for(listed).id, person.device_id)
    local.clock.forward(MINUTE)
    answers = [agent.poll(handle).json for handle in (undelivered, listed)]
    assert [answer["error"] for answer in answers] == ["expired_token"] * 2
    assert [answer["reason"] for answer in answers] == ["undeliverable", "expired_unseen"]
    assert local.stored_approval(approval.id).reason == "undeliverable"
    facts = [entry["facts"] for entry in local.admin.entries("approval.expired")]
    assert [fact["delivered_at"] is None for fact in facts] == [True, False]


def test_with_hidden_users_polls_contain_no_delivery(open_local, template):
    """Delivery information would reveal that the person exists."""
    local = open_local(unknown_user="hide", notify_per_minute=1)
    agent, person = template.agent(local), template.person(local)
    agent.request_payment()
    real, _ = agent.request_payment(requested_expiry="60")
    ghost, _ = agent.request_payment(requested_expiry="60", login_hint="ghost")
    person.call("GET", "/api/approvals")
    local.clock.forward(5 * SECOND)
    for_known_user, for_unknown_user = agent.poll(real).json, agent.poll(ghost).json
    assert for_known_user == for_unknown_user
    assert for_known_user["status"] == "pending"
    assert not {"delivered", "seen"} & for_known_user.keys()
    local.clock.forward(MINUTE)
    assert agent.poll(real).json == agent.poll(ghost).json


def test_a_busy_database_does_not_block_reading(agent, person, local):
    """If the database is busy, the delivery is recorded at the next read instead."""
    store = local.services.store

    class BusyStore:
        """A store that can only be read."""

        read = store.read

        def write(self):
            """Raises as a busy database does."""
            raise Busy("Not now.")

    _, approval = agent.request_approval()
    record(BusyStore(), person.device_id, [approval])
    assert local.stored_approval(approval.id).delivered_at is None
    record(store, person.device_id, [approval])
    assert local.stored_approval(approval.id).delivered_at == local.clock.now()


def test_a_person_does_not_see_the_devices_of_other_approvers(agent, person, local):
    """Each approver sees only their own devices, although the deliveries of all are stored."""
    ben = new_person(local, "ben")
    _, approval = agent.request_approval()
    with local.services.store.write() as tx:
        approvers.add(tx, approval, [NamedApprover(ben.user.id, "backup")], local.server_policy)
    assert [device["id"] for device in _devices(person, approval)] == [person.device_id]
    assert [device["id"] for device in _devices(ben, approval)] == [ben.device_id]
    with local.services.store.read() as view:
        device_ids = {delivery.device_id for delivery in view.deliveries.of_approval(approval.id)}
    assert device_ids == {person.device_id, ben.device_id}
