"""Nobody answers, or nobody fetches the answer: expired is not denied, and says which it was."""

import pytest

from approver_tui.client.errors import AlreadyDecided, ApiError
from tests.support.builders.clock import DAY, MINUTE, SECOND
from tests.support.checks import log_and_rows
from tests.support.checks.log_and_rows import state, stored, story
from tests.support.checks.waiting import until
from tests.support.clients.agent import Agent
from tests.support.clients.feed_frames import greeted
from tests.support.clients.terminal import Terminal
from tests.support.inputs.signing import decision
from tests.support.servers.server import LiveServer

GRACE = 30 * SECOND


def test_a_request_that_nobody_saw_says_so(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """expired_unseen, as long as no device has opened it; being listed is not being seen."""
    handle = agent.asked(person.user, requested_expiry="60")
    person.only()
    server.clock.forward(MINUTE)
    answer = agent.poll(handle)

    assert answer.status_code == 400
    body = answer.json()
    assert "not a denial" in body.pop("error_description")
    assert body == {"error": "expired_token", "reason": "expired_unseen"}


def test_a_request_that_was_opened_and_left_says_so(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """expired_seen: somebody looked and did not answer. The agent knew that it was seen."""
    handle = agent.asked(person.user, requested_expiry="60")
    server.clock.forward(5 * SECOND)
    unseen = agent.poll(handle).json()
    person.client.approval(person.only().id)
    server.clock.forward(5 * SECOND)
    seen = agent.poll(handle).json()
    server.clock.forward(MINUTE)

    assert (unseen["seen"], seen["seen"]) == (False, True)
    assert agent.poll(handle).json()["reason"] == "expired_seen"


def test_a_person_without_a_device_could_not_have_answered(
    server: LiveServer, agent: Agent
) -> None:
    """no_device: nobody was ever able to see it."""
    name, _ = server.user()
    handle = agent.asked(name, requested_expiry="60")
    server.clock.forward(MINUTE)
    body = agent.poll(handle).json()

    assert (body["error"], body["reason"]) == ("expired_token", "no_device")


def test_a_request_that_reached_no_device_says_so(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """undeliverable: the terminal was never there while it waited. Being brought changes that."""
    lost = agent.asked(person.user, requested_expiry="60")
    unmet = log_and_rows.waiting(server, person.user)[0].id
    server.clock.forward(MINUTE)
    until(lambda: state(server, unmet) == ("expired", "undeliverable"))
    with greeted(person) as line:
        brought = agent.asked(person.user, requested_expiry="60")
        line.event("approval.requested")
        approval = log_and_rows.waiting(server, person.user)[0].id
        until(lambda: stored(server, approval).delivered_at is not None)
    server.clock.forward(5 * SECOND)
    pending = agent.poll(brought).json()
    server.clock.forward(MINUTE)

    assert (pending["delivered"], pending["seen"]) == (True, False)
    assert agent.poll(lost).json()["reason"] == "undeliverable"
    assert agent.poll(brought).json()["reason"] == "expired_unseen"
    (had,) = person.client.approval(approval).devices
    assert (had.device_name, had.seen_at, had.decided_at) == ("laptop", None, None)


def test_an_unanswered_request_ends_without_anybody_asking(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """CB-132: the server's own clock ends it, with an entry, and it leaves the inbox."""
    agent.asked(person.user, requested_expiry="60")
    waiting = person.only()
    server.clock.forward(MINUTE)

    assert person.waiting() == ()
    until(lambda: state(server, waiting.id) == ("expired", "expired_unseen"))
    assert story(server, waiting.id) == ["approval.requested", "approval.expired"]
    assert [a.id for a in person.client.inbox("decided").items] == [waiting.id]


def test_who_comes_too_late_has_the_agent_ask_again(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """The agent reads it at its next poll and asks anew; that request is answered like any."""
    late = agent.asked(person.user, requested_expiry="60")
    missed = person.only()
    with pytest.raises(ApiError, match="not expired") as early:
        person.client.request_retry(missed.id)
    server.clock.forward(MINUTE)
    told = person.client.request_retry(missed.id)
    body = agent.poll(late).json()
    again = agent.asked(person.user)
    person.approve(person.only())

    assert (early.value.status, early.value.code) == (409, "not_expired")
    assert (told.state, told.retry) == ("expired", "asked")
    assert (body["error"], body["retry"]) == ("expired_token", "wanted")
    assert agent.poll(again).status_code == 200
    assert agent.poll(late).json() == body
    assert story(server, missed.id) == [
        "approval.requested",
        "approval.expired",
        "approval.retry_asked",
    ]


@pytest.mark.parametrize("answer", ["approve", "deny"])
def test_an_answer_after_the_end_changes_nothing(
    server: LiveServer, agent: Agent, person: Terminal, answer: str
) -> None:
    """409 not_pending with the approval, whether or not the server had noticed the end.

    CB-139, NG-014.
    """
    handle = agent.asked(person.user, requested_expiry="60")
    waiting = person.client.approval(person.only().id)
    terms = {"decision": "deny", "code": "not_needed", "ceremony": "none"}
    key = person.client.session.key
    signed = decision(person, waiting, key, **(terms if answer == "deny" else {}))
    server.clock.forward(MINUTE)
    with pytest.raises(AlreadyDecided) as refused:
        person.client.decide(waiting.id, signed)

    assert refused.value.code == "not_pending"
    assert refused.value.approval.state == "expired"
    assert state(server, waiting.id) == ("expired", "expired_seen")
    assert agent.poll(handle).json()["error"] == "expired_token"


def test_an_answer_shortly_before_the_end_can_be_fetched_within_the_grace(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """Decisions count until the end, redemption half a minute longer."""
    handle = agent.asked(person.user, requested_expiry="60")
    waiting = person.only()
    server.clock.forward(45 * SECOND - _age(server, waiting.id))
    person.approve(waiting)
    ends = stored(server, waiting.id).expires_at
    server.clock.forward(ends + GRACE - 5 * SECOND - server.clock.now())

    assert agent.poll(handle).status_code == 200
    assert state(server, waiting.id)[0] == "redeemed"


def test_an_answer_that_nobody_fetched_in_time_gives_nothing(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """After the grace it has expired, the record says that it was approved; nothing was issued.

    CB-133.
    """
    handle = agent.asked(person.user, requested_expiry="60")
    waiting = person.only()
    person.approve(waiting)
    server.clock.forward(MINUTE + GRACE)
    body = agent.poll(handle).json()

    assert (body["error"], body["reason"]) == ("expired_token", "expired_seen")
    assert body["error_description"].startswith("It was approved, but its tokens were not handed")
    assert state(server, waiting.id) == ("expired", "not_redeemed")
    assert story(server, waiting.id) == [
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
def test_the_life_of_a_request_is_what_was_asked_for_up_to_the_risks_limit(
    server: LiveServer,
    agent: Agent,
    user: str,
    requested: str | None,
    payment: bool,  # noqa: FBT001  # a column of the table
    seconds: int,
) -> None:
    """The acknowledgement says the life that really holds, and the screen shows the same end."""
    ask = agent.ask_payment if payment else agent.ask
    answer = ask(user, requested_expiry=requested).json()
    (row,) = log_and_rows.waiting(server, user)

    assert answer["expires_in"] == seconds
    assert row.expires_at - row.created_at == seconds * SECOND


def test_one_second_is_a_life_and_then_over(agent: Agent, person: Terminal) -> None:
    """The shortest request there can be, by the real clock: its held poll is told of the end."""
    handle = agent.asked(person.user, requested_expiry="1")
    body = agent.poll(handle, prefer="wait=10").json()

    assert (body["error"], body["reason"]) == ("expired_token", "undeliverable")


@pytest.mark.parametrize("requested", ["0", "-1", "1.5", "01", "1e3", "", " 5", "soon"])
def test_a_life_that_is_no_positive_whole_number_is_refused(
    server: LiveServer, agent: Agent, user: str, requested: str
) -> None:
    """Nothing is guessed, and nobody is asked. An empty parameter counts as left out (RFC 6749)."""
    answer = agent.ask(user, requested_expiry=requested)

    if requested:
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
        assert log_and_rows.waiting(server, user) == []
    else:
        assert answer.json()["expires_in"] == DAY // SECOND


def _age(server: LiveServer, approval_id: str) -> int:
    return server.clock.now() - stored(server, approval_id).created_at
