"""Requests that expire unanswered or unredeemed have a reason; expiry is not a denial."""

import pytest

from approver_tui.client.errors import AlreadyDecided, ApiError
from tests.support.builders.clock import DAY, MINUTE, SECOND
from tests.support.checks import log_and_rows
from tests.support.checks.log_and_rows import state, stored_approval, story
from tests.support.checks.waiting import until
from tests.support.clients.agent import Agent
from tests.support.clients.feed_frames import open_feed
from tests.support.clients.terminal import Terminal
from tests.support.inputs.signing import decision
from tests.support.servers.server import LiveServer

GRACE = 30 * SECOND


def test_an_unseen_expired_request_has_reason_expired_unseen(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """A request that was listed but not opened on a device counts as unseen."""
    handle = agent.request_approval(person.user, requested_expiry="60")
    person.only_request()
    server.clock.forward(MINUTE)
    answer = agent.poll(handle)

    assert answer.status_code == 400
    body = answer.json()
    assert "not a denial" in body.pop("error_description")
    assert body == {"error": "expired_token", "reason": "expired_unseen"}


def test_a_seen_expired_request_has_reason_expired_seen(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """The agent is told that the request was opened: the reason is expired_seen."""
    handle = agent.request_approval(person.user, requested_expiry="60")
    server.clock.forward(5 * SECOND)
    unseen = agent.poll(handle).json()
    person.client.approval(person.only_request().id)
    server.clock.forward(5 * SECOND)
    answer = agent.poll(handle).json()
    server.clock.forward(MINUTE)

    assert (unseen["seen"], answer["seen"]) == (False, True)
    assert agent.poll(handle).json()["reason"] == "expired_seen"


def test_a_request_to_a_user_without_a_device_has_reason_no_device(
    server: LiveServer, agent: Agent
) -> None:
    """A user without a device cannot see a request, so its reason is no_device."""
    name, _ = server.user()
    handle = agent.request_approval(name, requested_expiry="60")
    server.clock.forward(MINUTE)
    body = agent.poll(handle).json()

    assert (body["error"], body["reason"]) == ("expired_token", "no_device")


def test_an_undelivered_expired_request_has_reason_undeliverable(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """A request is undeliverable if no terminal was connected before it expired."""
    undelivered = agent.request_approval(person.user, requested_expiry="60")
    unanswered = log_and_rows.waiting(server, person.user)[0].id
    server.clock.forward(MINUTE)
    until(lambda: state(server, unanswered) == ("expired", "undeliverable"))
    with open_feed(person) as line:
        delivered = agent.request_approval(person.user, requested_expiry="60")
        line.event("approval.requested")
        approval = log_and_rows.waiting(server, person.user)[0].id
        until(lambda: stored_approval(server, approval).delivered_at is not None)
    server.clock.forward(5 * SECOND)
    pending = agent.poll(delivered).json()
    server.clock.forward(MINUTE)

    assert (pending["delivered"], pending["seen"]) == (True, False)
    assert agent.poll(undelivered).json()["reason"] == "undeliverable"
    assert agent.poll(delivered).json()["reason"] == "expired_unseen"
    (device,) = person.client.approval(approval).devices
    assert (device.device_name, device.seen_at, device.decided_at) == ("laptop", None, None)


def test_an_unanswered_request_expires_without_a_poll(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """CB-132: the server's clock expires a request, logs it and removes it from the inbox."""
    agent.request_approval(person.user, requested_expiry="60")
    pending = person.only_request()
    server.clock.forward(MINUTE)

    assert person.waiting() == ()
    until(lambda: state(server, pending.id) == ("expired", "expired_unseen"))
    assert story(server, pending.id) == ["approval.requested", "approval.expired"]
    assert [a.id for a in person.client.inbox("decided").items] == [pending.id]


def test_a_late_user_can_ask_the_agent_to_retry(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """The user can ask for a retry only after expiry. The agent's next poll says so."""
    late = agent.request_approval(person.user, requested_expiry="60")
    missed = person.only_request()
    with pytest.raises(ApiError, match="not expired") as early:
        person.client.request_retry(missed.id)
    server.clock.forward(MINUTE)
    result = person.client.request_retry(missed.id)
    body = agent.poll(late).json()
    again = agent.request_approval(person.user)
    person.approve(person.only_request())

    assert (early.value.status, early.value.code) == (409, "not_expired")
    assert (result.state, result.retry) == ("expired", "asked")
    assert (body["error"], body["retry"]) == ("expired_token", "wanted")
    assert agent.poll(again).status_code == 200
    assert agent.poll(late).json() == body
    assert story(server, missed.id) == [
        "approval.requested",
        "approval.expired",
        "approval.retry_asked",
    ]


@pytest.mark.parametrize("answer", ["approve", "deny"])
def test_a_decision_after_expiry_changes_nothing(
    server: LiveServer, agent: Agent, person: Terminal, answer: str
) -> None:
    """A late decision gets not_pending, even if the expiry is not recorded yet.

    CB-139, NG-014.
    """
    handle = agent.request_approval(person.user, requested_expiry="60")
    pending = person.client.approval(person.only_request().id)
    terms = {"decision": "deny", "code": "not_needed", "ceremony": "none"}
    key = person.client.session.key
    signed = decision(person, pending, key, **(terms if answer == "deny" else {}))
    server.clock.forward(MINUTE)
    with pytest.raises(AlreadyDecided) as refused:
        person.client.decide(pending.id, signed)

    assert refused.value.code == "not_pending"
    assert refused.value.approval.state == "expired"
    assert state(server, pending.id) == ("expired", "expired_seen")
    assert agent.poll(handle).json()["error"] == "expired_token"


def test_a_late_approval_can_be_redeemed_within_the_grace_period(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """A decision counts until the request expires; it can be redeemed for 30 more seconds."""
    handle = agent.request_approval(person.user, requested_expiry="60")
    pending = person.only_request()
    server.clock.forward(45 * SECOND - _age(server, pending.id))
    person.approve(pending)
    ends = stored_approval(server, pending.id).expires_at
    server.clock.forward(ends + GRACE - 5 * SECOND - server.clock.now())

    assert agent.poll(handle).status_code == 200
    assert state(server, pending.id)[0] == "redeemed"


def test_an_approval_not_redeemed_in_time_gives_no_token(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """CB-133: after the grace period an approved request expires, and no token is issued."""
    handle = agent.request_approval(person.user, requested_expiry="60")
    pending = person.only_request()
    person.approve(pending)
    server.clock.forward(MINUTE + GRACE)
    body = agent.poll(handle).json()

    assert (body["error"], body["reason"]) == ("expired_token", "expired_seen")
    assert body["error_description"].startswith("It was approved, but its tokens were not fetched")
    assert state(server, pending.id) == ("expired", "not_redeemed")
    assert story(server, pending.id) == [
        "approval.requested",
        "approval.approved",
        "approval.expired",
    ]


@pytest.mark.parametrize(
    ("requested", "payment", "seconds"),
    [
        (None, False, 86_400),
        (None, True, 600),
        ("1", False, 1),
        ("120", False, 120),
        ("120", True, 120),
        ("600", True, 600),
        ("601", True, 600),
        ("9999999999", True, 600),
        ("999999999", False, 86_400),
    ],
)
def test_requested_lifetime_is_capped_by_risk(
    server: LiveServer,
    agent: Agent,
    user: str,
    requested: str | None,
    payment: bool,  # noqa: FBT001  # a column of the table
    seconds: int,
) -> None:
    """The acknowledgement and the stored request have the same, limited lifetime."""
    ask = agent.ask_payment if payment else agent.ask
    answer = ask(user, requested_expiry=requested).json()
    (row,) = log_and_rows.waiting(server, user)

    assert answer["expires_in"] == seconds
    assert row.expires_at - row.created_at == seconds * SECOND


def test_a_request_can_last_one_second(agent: Agent, person: Terminal) -> None:
    """The real clock expires the request and answers its held poll."""
    handle = agent.request_approval(person.user, requested_expiry="1")
    body = agent.poll(handle, prefer="wait=10").json()

    assert (body["error"], body["reason"]) == ("expired_token", "undeliverable")


@pytest.mark.parametrize("requested", ["0", "-1", "1.5", "01", "1e3", "", " 5", "soon"])
def test_an_invalid_requested_expiry_is_refused(
    server: LiveServer, agent: Agent, user: str, requested: str
) -> None:
    """The user is not asked. An empty parameter is treated as omitted (RFC 6749)."""
    answer = agent.ask(user, requested_expiry=requested)

    if requested:
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
        assert log_and_rows.waiting(server, user) == []
    else:
        assert answer.json()["expires_in"] == DAY // SECOND


def _age(server: LiveServer, approval_id: str) -> int:
    return server.clock.now() - stored_approval(server, approval_id).created_at
