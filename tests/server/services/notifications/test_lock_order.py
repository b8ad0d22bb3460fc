"""Requests and background rounds that notify the same people lock them in one order.

On PostgreSQL, where units of work run concurrently, a different order would deadlock.
"""

import json
import threading

import pytest

from server.model.approvers import Deputy
from server.model.notifications import Hold
from server.services.notifications import attention, deliveries
from server.services.policy.policies import Policies
from server.storage.notifications.deliveries import Deliveries
from tests.support.builders.callers import new_local_agent, new_person
from tests.support.builders.clock import DAY, MINUTE
from tests.support.builders.installation import BY, PAY, PAY_SCOPES, PAYMENT
from tests.support.builders.policies import rule
from tests.support.checks.locks import run_during, waiting_sessions
from tests.support.checks.waiting import until


@pytest.fixture
def local(postgres_local):
    """A site on PostgreSQL with two users, Ana and Ben, and an API."""
    for name in ("ana", "ben"):
        new_person(postgres_local, name)
    postgres_local.admin.resources.add(PAY, PAY_SCOPES, {}, by=BY)
    postgres_local.admin.actions.add(json.dumps({**PAYMENT, "deputies": True}), by=BY)
    return postgres_local


def _agent(local, name):
    return new_local_agent(local, name)


@pytest.fixture
def agents(local):
    """Two agents, because the requests of one agent wait for each other."""
    return _agent(local, "one"), _agent(local, "two")


def _users(local):
    with local.services.store.read() as view:
        users = [view.directory.find_user(name) for name in ("ana", "ben")]
    return sorted(users, key=lambda user: user.id)


@pytest.fixture
def interrupt(local, monkeypatch):
    """A function that starts other work after the first notification, until it is blocked."""

    def start(work):
        notify, store = attention.notify, local.services.store
        notified, other = [], threading.Thread(target=work)

        def notify_while_other_work_runs(*arguments):
            is_notified = notify(*arguments)
            notified.append(arguments)
            if len(notified) == 1:
                other.start()
                until(lambda: len(notified) > 1 or waiting_sessions(store) == 1)
            return is_notified

        monkeypatch.setattr(attention, "notify", notify_while_other_work_runs)
        return other

    return start


def _race_requests(agents, interrupt):
    statuses = []

    def ask(agent, name):
        statuses.append(agent.ask_payment(login_hint=name).status)

    other = interrupt(lambda: ask(agents[1], "ben"))
    ask(agents[0], "ana")
    other.join(20)
    return statuses


def test_two_requests_with_the_same_approvers_do_not_deadlock(local, agents, interrupt):
    """Each request locks the limits of both people, although they are for different users."""
    policy = rule("ask", 'ask.who = ["ana", "ben"]', "ask.quorum = 2")
    Policies(local.services.store).set(policy, by=BY)
    assert _race_requests(agents, interrupt) == [200, 200]


def test_requests_to_users_who_are_deputies_of_each_other_do_not_deadlock(local, agents, interrupt):
    """A request also notifies the deputies of its user."""
    ana, ben = _users(local)
    now = local.clock.now()
    with local.services.store.write() as tx:
        for user, deputy in ((ana, ben), (ben, ana)):
            term = f"sayso_dy_{user.name}", user.id, deputy.id, now, now + DAY
            tx.deputies.add(Deputy(*term, "begun", "sayso_dv_1", now))
    assert _race_requests(agents, interrupt) == [200, 200]


@pytest.mark.parametrize("due", ["reminders", "holds"])
def test_a_round_does_not_deadlock_with_a_request(local, agents, interrupt, due):
    """The round notifies in the order of the requests, and the new request in that of the IDs."""
    first, second = _users(local)
    now, statuses = local.clock.now(), []
    members = {"escalate_at": now + MINUTE} if due == "reminders" else {}
    for delay, user in enumerate((second, first)):
        members = {name: value + delay for name, value in members.items()}
        approval = local.admin.approval(agents[0].id, user.id, **members)
        if due == "holds":
            with local.services.store.write() as tx:
                hold = Hold(approval.id, user.id, now + MINUTE + delay, "snoozed")
                tx.attention.hold(hold)
    policy = rule("ask", 'ask.who = ["ana", "ben"]', "ask.quorum = 2")
    Policies(local.services.store).set(policy, by=BY)
    local.clock.forward(2 * MINUTE)

    other = interrupt(lambda: statuses.append(agents[1].ask_payment(login_hint="ana").status))
    assert local.services.escalations.round() == 2
    other.join(20)
    assert statuses == [200]


def test_two_devices_that_receive_the_same_requests_do_not_deadlock(local, agents, monkeypatch):
    """A list sorts requests by risk, and the feed by time."""
    first, _ = _users(local)
    store = local.services.store
    approvals = [local.admin.approval(agents[0].id, first.id) for _ in range(2)]
    with store.read() as view:
        device_ids = [device.id for device in view.devices.all()]

    other = run_during(
        monkeypatch,
        Deliveries,
        "add",
        store,
        lambda: deliveries.record(store, device_ids[1], reversed(approvals)),
    )
    deliveries.record(store, device_ids[0], approvals)
    other.join(20)
    approval_ids = [approval.id for approval in approvals]
    with store.read() as view:
        missing = [view.deliveries.missing(device_id, approval_ids) for device_id in device_ids]
    assert missing == [[], []]
