"""The request that creates a grant must match the proposal."""

import json
from typing import Any

import pytest

from approver_tui.state.standing_grants.standing_grants import (
    StandingGrantProposal,
    VaryingFact,
    matches_proposal,
    read_varying,
)
from tests.support.builders.approval_texts import NOW, to_rfc3339

PAYMENT = {
    "type": "payment.transfer",
    "amount": {"minor": 1_000, "currency": "EUR"},
    "payee": "N",
    "rows": 5,
}
EXAMPLE = {
    "agent": "a",
    "resource": "r",
    "scope": ["s"],
    "user": "u",
    "salt": "x",
    "authorization_details": [PAYMENT],
}
TERMS = {
    "type": "sayso:standing_grant",
    "until": to_rfc3339(NOW + 3_600_000),
    "uses": 3,
    "sum": {"minor": 3_000, "currency": "EUR"},
    "vary": [
        {"path": "/amount", "up_to": {"minor": 2_050, "currency": "EUR"}},
        {"path": "/payee", "up_to": None},
        {"path": "/rows", "up_to": 10},
    ],
    "version": 1,
    "risk": "low",
    "notify": True,
}
PROPOSAL = StandingGrantProposal(
    "sayso_ap_x",
    seconds=3_600,
    uses=3,
    sum="30",
    vary=(VaryingFact("/amount", "20.5"), VaryingFact("/payee", None), VaryingFact("/rows", "10")),
    notify=True,
)


def _up_to(minor: int, currency: str) -> dict[str, Any]:
    return {"path": "/amount", "up_to": {"minor": minor, "currency": currency}}


def _matches(terms: dict[str, Any] | None = None, **members: Any) -> bool:
    details = [{**TERMS, **(terms or {})}, PAYMENT]
    offered = {**EXAMPLE, "salt": "y", "authorization_details": details, **members}
    return matches_proposal(PROPOSAL, json.dumps(EXAMPLE), json.dumps(offered), NOW)


def test_the_proposed_grant_matches() -> None:
    """The salt may differ, and the server's clock may be a little ahead."""
    assert _matches()
    assert _matches({"until": to_rfc3339(NOW + 3_700_000)})


@pytest.mark.parametrize(
    "terms",
    [
        {"uses": 4},
        {"notify": False},
        {"until": to_rfc3339(NOW + 4_000_000)},
        {"until": "never"},
        {"sum": None},
        {"sum": {"minor": 30_001, "currency": "EUR"}},
        {"sum": {"minor": 30_000, "currency": "EUR"}},
        {"sum": {"minor": 3_000, "currency": "BHD"}},
        {"vary": TERMS["vary"][:2]},
        {"vary": [*TERMS["vary"], TERMS["vary"][0]]},
        {"vary": [{"path": "/amount", "up_to": None}, *TERMS["vary"][1:]]},
        {"vary": [_up_to(2_050, "USD"), *TERMS["vary"][1:]]},
        {"vary": [_up_to(20_500, "EUR"), *TERMS["vary"][1:]]},
        {"vary": [*TERMS["vary"][:2], {"path": "/rows", "up_to": 11}]},
        {"vary": [*TERMS["vary"][:2], {"path": "/rows", "up_to": 1_000}]},
        {"vary": [*TERMS["vary"][:2], {"path": "/other", "up_to": 10}]},
        {"vary": None},
    ],
)
def test_other_limits_do_not_match(terms: dict[str, Any]) -> None:
    """Every limit is compared, and an invalid limit never matches."""
    assert not _matches(terms)


@pytest.mark.parametrize(
    "members",
    [
        {"agent": "b"},
        {"user": "v"},
        {"resource": "q"},
        {"scope": []},
        {"authorization_details": [TERMS]},
        {"authorization_details": [TERMS, {**PAYMENT, "payee": "M"}]},
        {"authorization_details": [PAYMENT]},
        {"authorization_details": []},
    ],
)
def test_another_request_does_not_match(members: dict[str, Any]) -> None:
    """The agent, user, resource, scopes and details must be those of the example."""
    assert not _matches(**members)


def test_an_invalid_text_does_not_match() -> None:
    """A text that is not a standing grant matches no proposal."""
    assert not matches_proposal(PROPOSAL, json.dumps(EXAMPLE), "[]", NOW)


def test_varying_facts_are_parsed() -> None:
    """A name or a pointer selects the fact, and a value sets its limit."""
    assert read_varying("amount=20") == VaryingFact("/amount", "20")
    assert read_varying("to.name") == VaryingFact("/to/name", None)
    assert read_varying("/lines/0/price=5") == VaryingFact("/lines/0/price", "5")
    for text in ("", "=5", "amount="):
        with pytest.raises(ValueError, match="FACT"):
            read_varying(text)
