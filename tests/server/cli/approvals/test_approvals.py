"""`sayso approvals`: list, show, cancel and escalate requests."""

import json

import pytest

from server.http.approvals import oversight_wire
from server.protocol.approvals.states import State
from server.services.approvals.oversight import Oversight
from server.services.ciba import plans


def test_a_request_is_listed_shown_and_withdrawn(admin_cli, services, pending_request):
    """Requests of all users are listed, with the headline that the approver saw."""
    (item,) = admin_cli("approvals", "list", "--state", "pending", "--json").document["items"]
    assert (item["id"], item["headline"]) == (pending_request.id, "Read payments")
    assert (item["agent"]["name"], item["user"]["name"]) == ("invoice-bot", "admin")
    assert item["fingerprint"] == "9f86-d081"
    assert "Read payments" in admin_cli("approvals", "list", "--agent", "invoice-bot").out
    assert "9f86-d081" in admin_cli("approvals", "show", pending_request.id).out
    cancelled = admin_cli(
        "approvals", "cancel", pending_request.id, "--reason", "Wrong supplier", "--json"
    )
    assert cancelled.document["state"] == "cancelled"
    reason = "administrator: Wrong supplier"
    assert services.state(pending_request) == (State.CANCELLED, reason)
    document = admin_cli("approvals", "show", pending_request.id, "--json").document
    assert [entry["members"]["facts"] for entry in document["entries"]] == [
        {"reason": "Wrong supplier"}
    ]
    assert document["display"] == pending_request.display
    approval = Oversight(services.store).approval(pending_request.id)
    assert document == oversight_wire.approval_details(approval).model_dump(by_alias=True)
    again = admin_cli("approvals", "cancel", pending_request.id, "--reason", "again", "--json")
    assert (again.code, again.error["code"]) == (6, "conflict")


def test_a_request_is_escalated_to_one_more_user(admin_cli, services, pending_request):
    """The user is given by name; a user who can already decide cannot be added."""
    admin_cli("users", "add", "ben")
    escalated = admin_cli("approvals", "escalate", pending_request.id, "--to", "ben")
    assert escalated.out == f"ben can now decide {pending_request.id} too.\n"
    document = admin_cli("approvals", "show", pending_request.id, "--json").document
    assert [entry["type"] for entry in document["entries"]] == ["approval.escalated"]
    for name in ("ben", "admin"):
        again = admin_cli("approvals", "escalate", pending_request.id, "--to", name, "--json")
        assert (again.code, again.error["code"]) == (6, "conflict")
    assert services.state(pending_request) == (State.PENDING, None)


def test_a_request_names_the_request_that_it_superseded(admin_cli, services, pending_request):
    """A request shows the ID of the earlier one, and the earlier one shows its successor."""
    newer = services.approval(
        pending_request.agent_id,
        pending_request.user_id,
        id="sayso_ap_2",
        supersedes=pending_request.id,
    )
    with services.store.write() as tx:
        plans.cancel_superseded(tx, pending_request, newer)
    document = admin_cli("approvals", "show", newer.id, "--json").document
    assert document["supersedes"] == pending_request.id
    output = admin_cli("approvals", "show", newer.id).out
    assert ["supersedes", pending_request.id] in [line.split() for line in output.splitlines()]
    earlier = admin_cli("approvals", "show", pending_request.id).out
    assert "superseded" in earlier
    assert f"superseded_by={newer.id}" in earlier


@pytest.mark.parametrize(
    ("decided_by", "words"),
    [
        ({"consent": "sayso_co_1", "policy": 3}, "consent sayso_co_1, by version 3"),
        (
            {"standing_grant": "sayso_sg_1", "use": 2, "policy": 3},
            "use 2 of sayso_sg_1, by version 3",
        ),
    ],
)
def test_a_request_decided_by_a_consent_or_a_standing_grant_names_it(
    admin_cli, services, pending_request, decided_by, words
):
    """The output has the consent, or the standing grant and the number of its use."""
    decided = {"id": "sayso_ap_2", "state": State.APPROVED, "decided_by": json.dumps(decided_by)}
    approval = services.approval(pending_request.agent_id, pending_request.user_id, **decided)
    assert words in admin_cli("approvals", "show", approval.id).out
    assert (
        admin_cli("approvals", "show", approval.id, "--json").document["decided_by"] == decided_by
    )


def test_a_request_shows_what_was_unusual(admin_cli, services):
    """The line has the words that the approver saw, and is missing for a consent."""
    reasons = [
        {"code": "new_agent", "text": "New."},
        {"code": "new_scope", "text": "First time."},
    ]
    agent, user = services.agents.show("invoice-bot")[0].id, services.users.show("admin")[0].id
    for unusual, line in ((reasons, "New. First time. Why."), ([], "Why."), (None, None)):
        display = {"unusual": unusual, "compared": "Why."}
        approval = services.approval(agent, user, display=json.dumps(display))
        out = admin_cli("approvals", "show", approval.id).out
        assert (
            [row.split(None, 1)[1] for row in out.splitlines() if row.startswith("unusual")]
        ) == ([] if line is None else [line])
        document = admin_cli("approvals", "show", approval.id, "--json").document
        assert json.loads(document["display"]).get("unusual") == unusual
