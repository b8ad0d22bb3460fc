"""Looking across people, and ending what should not go on."""

from dataclasses import replace

import pytest

from server.model.devices import Session
from server.protocol.approvals.states import State
from server.services.approvals.oversight import Oversight
from server.services.refusals import Conflict, Invalid, NotFound
from tests.support.builders.clock import DAY, MINUTE
from tests.support.builders.installation import BY, admitted, registered


@pytest.fixture
def sight(desk):
    """The administrator's eyes on the test's installation."""
    return Oversight(desk.store)


@pytest.fixture
def asked(desk):
    """A pending request of an agent to the administrator."""
    admin = admitted(desk)
    return desk.approval(registered(desk).agent.id, admin.id)


def test_requests_are_found_by_state_agent_and_user(desk, sight, asked):
    """Each condition narrows; names and ids both do."""
    ana = admitted(desk, "ana")
    denied = desk.approval(registered(desk, "other").agent.id, ana.id, state=State.DENIED)

    def found(**wanted):
        every = {"state": None, "agent": None, "user": None, **wanted}
        return {seen.approval.id for seen in sight.approvals(**every, limit=50)}

    assert found() == {asked.id, denied.id}
    assert found(state=State.DENIED) == {denied.id}
    assert found(agent="invoice-bot") == {asked.id}
    assert found(user="ana", agent="other") == {denied.id}
    assert found(user="ana", agent="invoice-bot") == set()
    with pytest.raises(NotFound):
        found(user="nobody")


def test_cancelling_ends_a_request_with_its_reason_on_the_persons_screens(desk, sight, asked):
    """The entry names the operator; nobody's answer is made up."""
    seen = sight.cancel(asked.id, "Wrong supplier", by=BY)
    told = "administrator: Wrong supplier"
    assert (seen.approval.state, seen.approval.reason) == (State.CANCELLED, told)
    assert desk.events(seen.user) == ["approval.cancelled"]
    (entry,) = desk.entries("approval.cancelled")
    assert (entry["actor"], entry["cause"]) == ("operator", told)
    whole = sight.approval(asked.id)
    assert [e.type for e in whole.entries] == ["approval.cancelled"]
    assert whole.decisions == ()


@pytest.mark.parametrize("state", [State.DENIED, State.REDEEMED, State.EXPIRED, State.CANCELLED])
def test_what_is_over_is_not_cancelled(desk, sight, asked, state):
    """A final state is final."""
    over = desk.approval(asked.agent_id, asked.user_id, state=state)
    with pytest.raises(Conflict, match=state):
        sight.cancel(over.id, "too late", by=BY)
    assert desk.entries("approval.cancelled") == []


def test_a_request_whose_time_is_over_is_not_cancelled_either(desk, sight, asked):
    """The clock was first."""
    desk.clock.forward(11 * MINUTE)
    with pytest.raises(Conflict, match="already expired"):
        sight.cancel(asked.id, "too late", by=BY)


@pytest.mark.parametrize("reason", ["", "a\x1b[2J", "two\nlines", "x" * 201])
def test_a_reason_is_one_line_that_can_be_shown(desk, sight, asked, reason):
    """It travels to the agent and to the person's screen."""
    with pytest.raises(Invalid, match="The reason"):
        sight.cancel(asked.id, reason, by=BY)
    assert desk.state(asked) == (State.PENDING, None)


def test_a_revoked_device_loses_its_session_and_its_owner_sees_it(desk, sight):
    """Once; a second time says that it had ended."""
    ana = admitted(desk, "ana")
    device = desk.device(ana)
    now = desk.clock.now()
    session = Session(
        id=device.session_id,
        user_id=ana.id,
        code_id="code",
        jkt="jkt",
        public_jwk={},
        refresh_hash=b"hash",
        previous_hash=None,
        rotated_at=now,
        created_at=now,
        expires_at=now + DAY,
        revoked_at=None,
        device_id=None,
    )
    with desk.store.write() as tx:
        tx.sessions.add(replace(session, device_id=device.id))
    ended, was_active = sight.revoke_device(device.id, by=BY)
    assert (ended.state, was_active) == ("revoked", True)
    assert sight.revoke_device(device.id, by=BY)[1] is False
    with desk.store.read() as view:
        assert view.sessions.get(session.id).revoked_at == now
    assert desk.events(ana) == ["device.revoked"]
    assert len(desk.entries("device.revoked")) == 1


def test_devices_are_listed_with_their_owners(desk, sight):
    """Of everybody or of one."""
    ana, ben = admitted(desk, "ana"), admitted(desk, "ben")
    mine, other = desk.device(ana), desk.device(ben)
    assert {d.id: u.name for d, u in sight.devices(None)} == {mine.id: "ana", other.id: "ben"}
    assert [d.id for d, _ in sight.devices("ben")] == [other.id]


@pytest.mark.parametrize(
    "act",
    [
        lambda sight: sight.approval("x"),
        lambda sight: sight.cancel("x", "why", by=BY),
        lambda sight: sight.revoke_device("x", by=BY),
        lambda sight: sight.devices("x"),
    ],
    ids=["show", "cancel", "revoke", "devices of a user"],
)
def test_what_is_not_there_is_not_found(sight, act):
    """And the refusal names the list."""
    with pytest.raises(NotFound, match="list"):
        act(sight)


def test_the_log_is_read_from_its_end_or_past_an_entry(desk, sight, asked):
    """Oldest first, so that what follows can be fetched by the last id."""
    sight.cancel(asked.id, "Wrong supplier", by=BY)
    whole = sight.entries(100)
    assert [entry.id for entry in whole] == sorted(entry.id for entry in whole)
    assert whole[-1].type == "approval.cancelled"
    assert sight.entries(1) == whole[-1:]
    assert sight.entries(100, whole[-3].id) == whole[-2:]
    assert len(desk.entries()) == len(whole)
