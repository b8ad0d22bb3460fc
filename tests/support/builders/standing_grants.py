"""Standing grants for tests: a low-risk payment, a proposal like it, and the grant."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from server.model.approvals import Approval
from server.model.standing_grants import StandingGrant
from tests.support.builders.callers import LocalAgent, LocalTerminal
from tests.support.builders.installation import BY, PAYMENT
from tests.support.builders.site import Answer, LocalSite
from tests.support.clients.agent import PAYMENT_DETAILS

HOUR = 3_600


def lower(local: LocalSite, risk: str = "low", **members: Any) -> None:
    """Set the risk of payments, and let standing grants limit their total amount."""
    changed = {**PAYMENT, "risk": risk, "amount": "/amount", "target": "/payee", **members}
    local.admin.actions.update(json.dumps(changed), by=BY)


def details(minor: int = 1_000, payee: str = "Nord", currency: str = "EUR") -> list[dict[str, Any]]:
    """Return the authorization details of a payment."""
    amount = {"minor": minor, "currency": currency}
    return [{**PAYMENT_DETAILS[0], "amount": amount, "payee": payee}]


def ask(agent: LocalAgent, minor: int = 1_000, payee: str = "Nord", **parameters: Any) -> Answer:
    """Have the agent request a payment and nothing else."""
    authorization_details = json.dumps(details(minor, payee))
    return agent.ask(scope="openid", authorization_details=authorization_details, **parameters)


def example(agent: LocalAgent, minor: int = 1_000, **parameters: Any) -> Approval:
    """Ask for a payment; return the pending approval."""
    answer = ask(agent, minor, **parameters)
    assert answer.status == 200, answer.body
    return agent.local.approval_for(answer.json["auth_req_id"])


def wish(approval: Approval, **members: Any) -> dict[str, Any]:
    """Propose three payments like this one, at most EUR 20 each and 30 in total, in one hour."""
    return {
        "approval": approval.id,
        "seconds": HOUR,
        "uses": 3,
        "sum": "30",
        "vary": [{"fact": "/amount", "up_to": "20"}],
        **members,
    }


def give(person: LocalTerminal, approval: Approval, **members: Any) -> StandingGrant:
    """Have the person create a standing grant from this request."""
    return signed(person, person.call("POST", "/api/grants", wish(approval, **members)))


def signed(person: LocalTerminal, opened: Answer) -> StandingGrant:
    """Have the person approve the request for a grant; return the grant."""
    assert opened.status == 201, opened.body
    answer = person.approve(opened.json["id"])
    assert (answer.status, answer.json["state"]) == (200, "redeemed"), answer.body
    (signed_grant,) = [
        grant for grant in all_of(person.local) if grant.approval_id == opened.json["id"]
    ]
    return signed_grant


def all_of(local: LocalSite) -> list[StandingGrant]:
    """Return all standing grants, newest first."""
    with local.services.store.read() as view:
        return view.standing_grants.search(user_id=None, agent_ids=None, live_at=None, limit=1_000)


def reload_grant(local: LocalSite, grant: StandingGrant) -> StandingGrant:
    """Return the grant as it is stored now."""
    with local.services.store.read() as view:
        row = view.standing_grants.get(grant.id)
    assert row is not None
    return row


def terms(approval: Mapping[str, Any]) -> dict[str, Any]:
    """Return the terms of the grant in the action that the person signs."""
    found: dict[str, Any] = json.loads(approval["action"])["authorization_details"][0]
    return found


def like(grant: StandingGrant, number: int) -> StandingGrant:
    """Return a copy of this grant with a different ID."""
    return replace(grant, id=f"{grant.id}{number}")
