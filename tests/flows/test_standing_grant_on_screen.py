"""Creating a standing grant in the terminal app, in a real terminal with a real server."""

import json

import pytest

from server.services.policy.action_types import ActionTypes
from tests.support.builders.installation import PAYMENT
from tests.support.clients.agent import Agent
from tests.support.clients.pty_app import window
from tests.support.clients.terminal import PIN, Terminal
from tests.support.servers.server import BY, LiveServer


@pytest.fixture(autouse=True)
def low(server: LiveServer) -> None:
    """A policy with which payments are low risk and their amounts are summed."""
    document = json.dumps({**PAYMENT, "risk": "low", "amount": "/amount", "target": "/payee"})
    ActionTypes(server.services.store).update(document, by=BY)


def _payment(minor: int) -> dict[str, str]:
    amount = {"minor": minor, "currency": "EUR"}
    details = [{"type": "payment.transfer", "amount": amount, "payee": "Nord"}]
    return {"scope": "openid", "authorization_details": json.dumps(details)}


def test_a_standing_grant_created_in_the_app_is_used_and_revoked(
    agent: Agent, person: Terminal
) -> None:
    """A standing grant covers the next request until it is revoked.

    It does not decide the request from which it was created.
    """
    agent.request_approval(person.user, **_payment(1_000))
    with window(person) as app:
        app.press("s")
        app.wait_for_text("Similar?", "> Back <")
        app.press("\t", "2\t", "2\t", "30\t", "20\t", "\t", "\t", " ")
        app.wait_for_text("up to EUR 20.00", "It would have covered 1 of the last 1.")
        app.press("\t", "\r")
        app.wait_for_text("Approve?", "without asking")
        app.press("\x1b[6~", "\t", PIN)
        app.wait_for_text("Tab to Approve, then Enter.")
        app.press("\t", "\r")
        app.wait_for_text("Approved by")
        handle = agent.request_approval(person.user, **_payment(1_500))
        assert agent.poll(handle, prefer="wait=5").status_code == 200
        app.press("4")
        app.wait_for_text("GRANTS (1)", "1 of 2 used")
        app.press("z")
        app.wait_for_text("Revoke the standing grant?", "> Back <")
        app.press("\t", "\r")
        app.wait_for_text("GRANTS (0)")
    agent.request_approval(person.user, **_payment(1_200))
    assert len(person.waiting()) == 2
