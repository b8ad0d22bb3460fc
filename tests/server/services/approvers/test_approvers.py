"""Whose an approval is: the one it is for, and everybody whom it asks beside them."""

from typing import Any

import pytest

from server.model.approvals import Approval
from server.model.approvers import NamedApprover
from server.services.approvers import approvers
from tests.support.builders.callers import LocalAgent, LocalTerminal, new_person
from tests.support.builders.site import Answer, LocalSite


@pytest.fixture
def bob(local: LocalSite) -> LocalTerminal:
    """Somebody else, at his device."""
    return new_person(local, "bob")


def _ask(local: LocalSite, approval: Approval, person: LocalTerminal, **members: Any) -> list[str]:
    named = NamedApprover(person.user.id, "backup", **members)
    with local.services.store.write() as tx:
        return [row.user_id for row in approvers.add(tx, approval, [named], local.services.rules)]


def _listed(person: LocalTerminal, state: str = "waiting") -> list[str]:
    answer = person.call("GET", "/api/approvals", query={"state": state})
    return [item["id"] for item in answer.json["items"]]


def _events(local: LocalSite, person: LocalTerminal) -> list[str]:
    with local.services.store.read() as view:
        events = view.feed.after(0, person.user.id, 1_000)
    return [event.event for event in events if event.approval_id is not None]


def _doors(person: LocalTerminal, approval_id: str) -> dict[str, Answer]:
    """Everything that somebody can do to a request of theirs, but answering."""
    path = f"/api/approvals/{approval_id}"
    return {
        "show": person.call("GET", path),
        "narrow": person.call("POST", f"{path}/narrowing", {"token_seconds": 60}),
        "pin": person.pin(approval_id),
    }


def test_a_request_is_nobody_elses(
    local: LocalSite, agent: LocalAgent, person: LocalTerminal, bob: LocalTerminal
) -> None:
    """Through every door it is as if it did not exist."""
    _, approval = agent.asked()
    jws = person.decision(approval.id)
    doors = _doors(bob, approval.id) | {
        "decide": bob.send_decision(approval.id, jws),
        "report": bob.call(
            "POST", f"/api/approvals/{approval.id}/report", {"decision": jws, "scope": "agent"}
        ),
    }

    assert {name: door.refusal for name, door in doors.items()} == dict.fromkeys(
        doors, (404, "not_found")
    )
    assert _listed(bob) == _listed(bob, "decided") == []
    assert _events(local, bob) == []


def test_whoever_is_asked_too_has_every_door(
    local: LocalSite, agent: LocalAgent, person: LocalTerminal, bob: LocalTerminal
) -> None:
    """It is on their list, they are told as of a new one, and may answer as the first may."""
    _, approval = agent.asked()
    assert _ask(local, approval, bob) == [bob.user.id]
    assert _ask(local, approval, bob) == []
    doors = {name: door.status for name, door in _doors(bob, approval.id).items()}
    waits = (_listed(bob), _listed(person))
    answer = bob.deny(approval.id)

    assert doors == dict.fromkeys(doors, 200)
    assert waits == ([approval.id], [approval.id])
    assert answer.json["decided"]["by"]["name"] == "bob"
    assert _listed(bob) == _listed(person) == []
    assert _listed(bob, "decided") == _listed(person, "decided") == [approval.id]
    told = ["approval.requested", "approval.decided"]
    assert _events(local, bob) == _events(local, person) == told


def test_the_one_whom_it_is_for_is_not_called_a_second_time(
    local: LocalSite, agent: LocalAgent, person: LocalTerminal
) -> None:
    """They may stand for somebody else in it too."""
    _, approval = agent.asked()
    assert _ask(local, approval, person) == [person.user.id]
    assert _events(local, person) == ["approval.requested"]


def test_a_report_of_somebody_else_stops_what_acts_for_them(
    local: LocalSite, agent: LocalAgent, bob: LocalTerminal
) -> None:
    """What stops is every agent that acts for the one who says so."""
    _, approval = agent.asked()
    _ask(local, approval, bob)
    signed = bob.decision(
        approval.id, bob.session, decision="deny", code="suspicious", ceremony="none"
    )
    answer = bob.call(
        "POST",
        f"/api/approvals/{approval.id}/report",
        {"decision": signed, "scope": "every_agent"},
    )

    assert answer.status == 200, answer.body
    assert answer.json["approval"]["state"] == "denied"
    assert agent.ask().refusal == (400, "unauthorized_client")


def test_it_has_no_device_only_if_nobody_asked_has_one(
    local: LocalSite, agent: LocalAgent, person: LocalTerminal, bob: LocalTerminal
) -> None:
    """What expires unseen says why."""
    _, approval = agent.asked()
    with local.services.store.write() as tx:
        row = tx.approvals.get(approval.id)
        assert row is not None
        assert [one.user_id for one in tx.approvers.asked(row)] == [person.user.id]
    _ask(local, approval, bob)
    person.call("DELETE", f"/api/devices/{person.device_id}")
    local.clock.forward(86_400_000)
    local.services.sweeper.round()

    assert local.stored(approval.id).reason == "undeliverable"
