"""Receipts for requests that ended in each possible way, for tests that verify receipts."""

import json
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from server.services.approvals.oversight import Oversight
from server.services.policy.policies import Policies
from tests.support.builders import consents, standing_grants
from tests.support.builders.callers import LocalAgent, LocalTerminal, new_person
from tests.support.builders.clock import MINUTE
from tests.support.builders.installation import BY, PAYMENT
from tests.support.builders.passkey import LocalBrowser
from tests.support.builders.policies import rule
from tests.support.builders.site import LocalSite

Ends: TypeAlias = Callable[[LocalAgent, LocalTerminal], str]
"""Makes a request with a certain outcome; returns its ID."""


def of(who: LocalTerminal | LocalBrowser, approval_id: str) -> Any:
    """Return the receipt for a request."""
    path = f"/api/approvals/{approval_id}/receipt"
    return (who.call if isinstance(who, LocalTerminal) else who.send)("GET", path).json


def prove_receipt(who: LocalTerminal | LocalBrowser, approval_id: str) -> Any:
    """Sign a checkpoint that covers all entries, and return the receipt."""
    who.local.services.audit_log.sign()
    return of(who, approval_id)


def entry(receipt: Any, kind: str) -> Any:
    """Return the body of the first entry of this type."""
    bodies = [json.loads(signed_entry["body"]) for signed_entry in receipt["entries"]]
    return next(body for body in bodies if body["type"] == kind)


def collected(agent: LocalAgent, person: LocalTerminal) -> str:
    """Make a request that is approved and whose token is collected."""
    handle, approval = agent.request_payment()
    assert person.approve(approval.id).status == 200
    assert agent.poll(handle).status == 200
    return approval.id


def narrowed(agent: LocalAgent, person: LocalTerminal) -> str:
    """Make a request that is approved with limits and whose token is collected."""
    narrowable = {**PAYMENT, "narrow": {"/amount": "lower"}, "amount": "/amount"}
    agent.local.admin.actions.update(json.dumps(narrowable), by=BY)
    handle, approval = agent.request_payment()
    body = {"changes": [{"fact": "/amount", "to": "500"}]}
    granted = person.call("POST", f"/api/approvals/{approval.id}/narrowing", body).json
    person.pin(approval.id)
    claims = {"ceremony": "pin", "granted": granted["digest"]}
    jws = person.decision(approval.id, person.high, **claims)
    assert person.send_decision(approval.id, jws, granted=granted["text"]).status == 200
    assert agent.poll(handle).status == 200
    return approval.id


def denied(agent: LocalAgent, person: LocalTerminal) -> str:
    """Make a request that is denied."""
    _, approval = agent.request_approval()
    assert person.deny(approval.id).status == 200
    return approval.id


def expired(agent: LocalAgent, person: LocalTerminal) -> str:
    """Make a request that expires because nobody answers it."""
    _, approval = agent.request_approval(requested_expiry="60")
    _pass_time(person.local, MINUTE)
    return approval.id


def not_collected(agent: LocalAgent, person: LocalTerminal) -> str:
    """Make a request that is approved and whose token is not collected in time."""
    _, approval = agent.request_approval(requested_expiry="60")
    assert person.approve(approval.id).status == 200
    _pass_time(person.local, 2 * MINUTE)
    return approval.id


def _pass_time(local: LocalSite, milliseconds: int) -> None:
    local.clock.forward(milliseconds)
    local.services.sweeper.round()


def withdrawn(agent: LocalAgent, person: LocalTerminal) -> str:
    """Make a request that its agent withdraws."""
    handle, approval = agent.request_approval()
    person.local.post_form("/revoke", {"token": handle, **agent.credentials})
    return approval.id


def superseded(agent: LocalAgent, _person: LocalTerminal) -> str:
    """Make a request that a newer one replaces."""
    handle, approval = agent.request_approval()
    agent.request_approval(supersedes=handle)
    return approval.id


def canceled(agent: LocalAgent, person: LocalTerminal) -> str:
    """Make a request that an administrator cancels with a reason."""
    _, approval = agent.request_approval()
    Oversight(person.local.services.store).cancel(approval.id, "Ask Bob first", by=BY)
    return approval.id


def agent_disabled(agent: LocalAgent, person: LocalTerminal) -> str:
    """Make a request that is canceled because its agent is disabled."""
    _, approval = agent.request_approval()
    person.local.admin.agents.disable(agent.id, by=BY)
    return approval.id


def agent_disabled_later(agent: LocalAgent, person: LocalTerminal) -> str:
    """Make an approved request whose agent is disabled before it collects the token."""
    _, approval = agent.request_approval()
    assert person.approve(approval.id).status == 200
    person.local.admin.agents.disable(agent.id, by=BY)
    return approval.id


def user_disabled(agent: LocalAgent, person: LocalTerminal) -> str:
    """Make a request that is canceled because its user is disabled; enable the user again."""
    _, approval = agent.request_approval()
    person.local.admin.users.disable(person.user.name, by=BY)
    person.local.admin.users.enable(person.user.name, by=BY)
    return approval.id


def vote_withdrawn(agent: LocalAgent, person: LocalTerminal) -> str:
    """Make a request for two approvers; one of them approves and withdraws the approval."""
    return _withdraw_vote(agent, person, new_person(person.local, "bob"))


def approved_again(agent: LocalAgent, person: LocalTerminal) -> str:
    """Make a request that two people approve, one of them after withdrawing an approval."""
    bob = new_person(person.local, "bob")
    approval_id = _withdraw_vote(agent, person, bob)
    for approver in (person, bob):
        assert approver.approve(approval_id).status == 200
    return approval_id


def _withdraw_vote(agent: LocalAgent, person: LocalTerminal, other: LocalTerminal) -> str:
    lines = ("ask.quorum = 2", f'ask.who = ["{person.user.name}", "{other.user.name}"]')
    Policies(person.local.services.store).set(rule("ask", *lines), by=BY)
    _, approval = agent.request_approval()
    assert person.approve(approval.id).status == 200
    jws = person.decision(approval.id, person.session, decision="withdraw", ceremony="none")
    assert person.send_decision(approval.id, jws).status == 200
    return approval.id


def granted(agent: LocalAgent, person: LocalTerminal) -> str:
    """Make a request that a standing grant approves and whose token is collected."""
    standing_grants.lower(person.local)
    standing_grants.give(person, standing_grants.example(agent))
    return _collect_token(agent, standing_grants.ask(agent).json["auth_req_id"])


def consented(agent: LocalAgent, person: LocalTerminal) -> str:
    """Make a request that a consent approves and whose token is collected."""
    opened = rule("allow", 'when.at = ["request"]', 'when.resource = ["*"]')
    Policies(person.local.services.store).set(opened, by=BY)
    consents.give(person.local, agent, person)
    return _collect_token(agent, agent.request_approval()[0])


def _collect_token(agent: LocalAgent, handle: str) -> str:
    assert agent.poll(handle).status == 200
    return agent.local.approval_for(handle).id


ENDS: Final[dict[Ends, str]] = {
    lambda agent, _person: agent.request_approval()[1].id: "pending, with 0 answers",
    collected: "redeemed, with 1 answer",
    narrowed: "redeemed, with 1 answer",
    denied: "denied, with 1 answer",
    expired: "expired (undeliverable), with 0 answers",
    not_collected: "expired (not_redeemed), with 1 answer",
    withdrawn: "cancelled (withdrawn), with 0 answers",
    superseded: "cancelled (superseded), with 0 answers",
    canceled: "cancelled (administrator), with 0 answers",
    agent_disabled: "cancelled (agent_disabled), with 0 answers",
    agent_disabled_later: "cancelled (agent_disabled), with 1 answer",
    user_disabled: "cancelled (user_disabled), with 0 answers",
    vote_withdrawn: "pending, with 1 answer",
    approved_again: "approved, with 2 answers",
    granted: "redeemed, with 0 answers",
    consented: "redeemed, with 0 answers",
}
"""Each way in which a request can end → what the verification of its receipt reports."""
