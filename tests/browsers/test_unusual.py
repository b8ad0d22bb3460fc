"""Unusual signals on a request page, depending on earlier approvals."""

import json
import os
from pathlib import Path

from server.protocol.approvals.states import State
from server.services.policy import builtin_action_types, history
from server.services.policy.action_types import ActionTypes
from tests.support.browsers.chromium import Chromium
from tests.support.browsers.first_sign_in import newcomer
from tests.support.builders.past_payments import DETAIL, euro
from tests.support.checks.log_and_rows import waiting
from tests.support.clients.agent import Agent
from tests.support.servers.server import BY, LiveServer

_ROW = "document.querySelector('.unusual').innerText"
_WEIGHTS = """[...document.querySelectorAll('.unusual bdi')].map(
  (each) => [each.className, Number(getComputedStyle(each).fontWeight) > 500])"""
_FITS_WIDTH = "document.documentElement.scrollWidth <= innerWidth"


def _request_approval(server: LiveServer, agent: Agent, user: str, **changes: object) -> str:
    details = json.dumps([{**DETAIL, **changes}])
    agent.request_approval(user, scope="openid payments:transfer", authorization_details=details)
    return max(waiting(server, user), key=lambda one: (one.created_at, one.id)).id


def _approved(server: LiveServer, approval_id: str) -> None:
    """Store the history of a user who approved a similar request."""
    with server.services.store.write() as tx:
        approval = tx.approvals.get(approval_id)
        assert approval is not None
        assert approval.state is State.PENDING
        history.add_answer(tx, approval, approved=True)


def test_a_suspicious_request_has_a_warning_and_a_usual_one_has_none(
    server: LiveServer, tab: Chromium, agent: Agent
) -> None:
    """A known account with a new payee is suspicious; after five approvals a payment is usual."""
    ActionTypes(server.services.store).update(
        builtin_action_types.document("payment.transfer"), by=BY
    )
    user = newcomer(tab, server)
    first = _request_approval(server, agent, user, amount=euro(4_820))
    _approved(server, first)
    tab.open(f"{server.url}/r/{first}")
    assert "Only 1 earlier approval to compare with, EUR 48.20." in tab.ask(_ROW)
    name = "Nordwind Logistik International"
    fraud = _request_approval(server, agent, user, amount=euro(482_000), payee=name)
    for width in (360, 1280):
        tab.look(width=width)
        tab.open(f"{server.url}/r/{fraud}")
        assert "This “To account” was approved before with a different “To”." in tab.ask(_ROW)
        assert "Amount is 100 times the only earlier amount" in tab.ask(_ROW)
        assert tab.ask(_WEIGHTS) == [["warning", True], ["warning", True], ["quiet", False]]
        assert tab.ask(_FITS_WIDTH)
        if folder := os.environ.get("LOOK"):
            tab.picture(Path(folder) / f"fraud-{width}.png")
    for _ in range(4):
        _approved(server, first)
    for width in (360, 1280):
        tab.look(width=width)
        tab.open(f"{server.url}/r/{first}")
        assert tab.ask(_WEIGHTS) == [["quiet", False]]
        assert "Nothing unusual, compared with 5 earlier approvals since" in tab.ask(_ROW)
        if folder := os.environ.get("LOOK"):
            tab.picture(Path(folder) / f"usual-{width}.png")
