"""Oversight by administrators: searching and canceling requests, and managing devices."""

from dataclasses import replace

import pytest

from server.model.devices import Session
from server.protocol.approvals.states import State
from server.services.approvals.oversight import Oversight
from server.services.refusals import Conflict, Invalid, NotFound
from tests.support.builders.clock import DAY, MINUTE
from tests.support.builders.installation import BY, add_user, register_agent


@pytest.fixture
def oversight_service(admin_services):
    """The oversight service of this installation."""
    return Oversight(admin_services.store)


@pytest.fixture
def pending_request(admin_services):
    """A pending request of an agent to the administrator."""
    admin = add_user(admin_services)
    return admin_services.approval(register_agent(admin_services).agent.id, admin.id)


def test_requests_are_found_by_state_agent_and_user(
    admin_services, oversight_service, pending_request
):
    """Names and IDs find the same requests, and conditions are combined."""
    ana = add_user(admin_services, "ana")
    denied = admin_services.approval(
        register_agent(admin_services, "other").agent.id, ana.id, state=State.DENIED
    )

    def search(**filters):
        all_filters = {"state": None, "agent": None, "user": None, **filters}
        listed = oversight_service.approvals(**all_filters, limit=50)
        return {named_approval.approval.id for named_approval in listed}

    assert search() == {pending_request.id, denied.id}
    assert search(state=State.DENIED) == {denied.id}
    assert search(agent="invoice-bot") == {pending_request.id}
    assert search(user="ana", agent="other") == {denied.id}
    assert search(user="ana", agent="invoice-bot") == set()
    with pytest.raises(NotFound):
        search(user="nobody")


def test_cancelling_a_request_shows_its_reason_to_the_person(
    admin_services, oversight_service, pending_request
):
    """The audit entry names the operator, and no decision is stored."""
    seen = oversight_service.cancel(pending_request.id, "Wrong supplier", by=BY)
    reason = "administrator: Wrong supplier"
    assert (seen.approval.state, seen.approval.reason) == (State.CANCELLED, reason)
    assert admin_services.events(seen.user) == ["approval.cancelled"]
    (entry,) = admin_services.entries("approval.cancelled")
    assert (entry["actor"], entry["cause"]) == ("operator", "administrator")
    assert entry["facts"] == {"reason": "Wrong supplier"}
    shown = oversight_service.approval(pending_request.id)
    assert [stored_entry.type for stored_entry in shown.entries] == ["approval.cancelled"]
    assert shown.decisions == ()


@pytest.mark.parametrize("state", [State.DENIED, State.REDEEMED, State.EXPIRED, State.CANCELLED])
def test_a_final_request_cannot_be_cancelled(
    admin_services, oversight_service, pending_request, state
):
    """A final state never changes."""
    ended = admin_services.approval(pending_request.agent_id, pending_request.user_id, state=state)
    with pytest.raises(Conflict, match=state):
        oversight_service.cancel(ended.id, "too late", by=BY)
    assert admin_services.entries("approval.cancelled") == []


def test_an_overdue_request_cannot_be_cancelled(admin_services, oversight_service, pending_request):
    """The request has expired, even if the sweeper has not run yet."""
    admin_services.clock.forward(11 * MINUTE)
    with pytest.raises(Conflict, match="already expired"):
        oversight_service.cancel(pending_request.id, "too late", by=BY)


@pytest.mark.parametrize("reason", ["", "a\x1b[2J", "two\nlines", "x" * 201])
def test_a_cancellation_reason_must_be_one_displayable_line(
    admin_services, oversight_service, pending_request, reason
):
    """The reason is sent to the agent and shown on the person's screen."""
    with pytest.raises(Invalid, match="The reason"):
        oversight_service.cancel(pending_request.id, reason, by=BY)
    assert admin_services.state(pending_request) == (State.PENDING, None)


def test_revoking_a_device_ends_its_session_and_notifies_its_owner(
    admin_services, oversight_service
):
    """Revoking the device again reports that it was already revoked."""
    ana = add_user(admin_services, "ana")
    device = admin_services.device(ana)
    now = admin_services.clock.now()
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
    with admin_services.store.write() as tx:
        tx.sessions.add(replace(session, device_id=device.id))
    ended, was_active = oversight_service.revoke_device(device.id, by=BY)
    assert (ended.state, was_active) == ("revoked", True)
    assert oversight_service.revoke_device(device.id, by=BY)[1] is False
    with admin_services.store.read() as view:
        assert view.sessions.get(session.id).revoked_at == now
    assert admin_services.events(ana) == ["device.revoked"]
    assert len(admin_services.entries("device.revoked")) == 1


def test_devices_are_listed_with_their_owners(admin_services, oversight_service):
    """The list has the devices of all users or of one."""
    ana, ben = add_user(admin_services, "ana"), add_user(admin_services, "ben")
    mine, other = admin_services.device(ana), admin_services.device(ben)
    assert {d.id: u.name for d, u in oversight_service.devices(None)} == {
        mine.id: "ana",
        other.id: "ben",
    }
    assert [d.id for d, _ in oversight_service.devices("ben")] == [other.id]


@pytest.mark.parametrize(
    "act",
    [
        lambda oversight_service: oversight_service.approval("x"),
        lambda oversight_service: oversight_service.cancel("x", "why", by=BY),
        lambda oversight_service: oversight_service.revoke_device("x", by=BY),
        lambda oversight_service: oversight_service.devices("x"),
    ],
    ids=["show", "cancel", "revoke", "devices of a user"],
)
def test_an_unknown_record_is_not_found(oversight_service, act):
    """The error names the kind and the ID of the unknown record."""
    with pytest.raises(NotFound, match=r"There is no (user|request|device) x\."):
        act(oversight_service)
