"""Standing grants of tests: a low-risk payment, a wish like it, a grant that is given."""

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
    """Make payments of this risk, and let what they cost be added up."""
    changed = {**PAYMENT, "risk": risk, "amount": "/amount", "target": "/payee", **members}
    local.admin.actions.update(json.dumps(changed), by=BY)


def details(minor: int = 1_000, payee: str = "Nord", currency: str = "EUR") -> list[dict[str, Any]]:
    """A payment."""
    amount = {"minor": minor, "currency": currency}
    return [{**PAYMENT_DETAILS[0], "amount": amount, "payee": payee}]


def ask(agent: LocalAgent, minor: int = 1_000, payee: str = "Nord", **parameters: Any) -> Answer:
    """The agent asks for a payment and for nothing else."""
    said = json.dumps(details(minor, payee))
    return agent.ask(scope="openid", authorization_details=said, **parameters)


def example(agent: LocalAgent, minor: int = 1_000, **parameters: Any) -> Approval:
    """A payment that waits for its answer."""
    answer = ask(agent, minor, **parameters)
    assert answer.status == 200, answer.body
    return agent.local.behind(answer.json["auth_req_id"])


def wish(approval: Approval, **members: Any) -> dict[str, Any]:
    """Three payments like this one, up to EUR 20 each and 30 in all, for an hour."""
    return {
        "approval": approval.id,
        "seconds": HOUR,
        "uses": 3,
        "sum": "30",
        "vary": [{"fact": "/amount", "up_to": "20"}],
        **members,
    }


def give(person: LocalTerminal, approval: Approval, **members: Any) -> StandingGrant:
    """The person gives a grant like this request."""
    return signed(person, person.call("POST", "/api/grants", wish(approval, **members)))


def signed(person: LocalTerminal, opened: Answer) -> StandingGrant:
    """The person signs what was opened."""
    assert opened.status == 201, opened.body
    answer = person.approve(opened.json["id"])
    assert (answer.status, answer.json["state"]) == (200, "redeemed"), answer.body
    (made,) = [one for one in all_of(person.local) if one.approval_id == opened.json["id"]]
    return made


def all_of(local: LocalSite) -> list[StandingGrant]:
    """Every grant, newest first."""
    with local.services.store.read() as view:
        return view.standing_grants.search(user_id=None, agent_ids=None, live_at=None, limit=1_000)


def now_of(local: LocalSite, grant: StandingGrant) -> StandingGrant:
    """The grant as it stands."""
    with local.services.store.read() as view:
        found = view.standing_grants.get(grant.id)
    assert found is not None
    return found


def terms(approval: Mapping[str, Any]) -> dict[str, Any]:
    """The bounds in what a person signs."""
    found: dict[str, Any] = json.loads(approval["action"])["authorization_details"][0]
    return found


def like(grant: StandingGrant, number: int) -> StandingGrant:
    """Another grant that is like this one."""
    return replace(grant, id=f"{grant.id}{number}")
