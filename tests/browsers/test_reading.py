"""A fact longer than the screen must be scrolled through before approval."""

import json

import pytest

from server.protocol.policy.rendering import MAX_MATERIAL_VALUE
from server.services.policy import builtin_action_types
from server.services.policy.action_types import ActionTypes
from tests.support.browsers.chromium import Chromium
from tests.support.browsers.first_sign_in import newcomer
from tests.support.checks.log_and_rows import waiting
from tests.support.clients.agent import Agent
from tests.support.servers.server import BY, LiveServer

_TEXT = ("The figures of the quarter are attached. " * 100)[:MAX_MATERIAL_VALUE]
_LETTER = {
    "type": "message.send",
    "recipients": ["bob@nordwind.example"],
    "domains": ["nordwind.example"],
    "external_domains": ["nordwind.example"],
    "subject": "Quarter",
    "text": _TEXT,
    "attachments": [],
}
_IS_APPROVE_DISABLED = "document.getElementById('to-approve').disabled"
_HALF_SCREENS = "Math.ceil(document.documentElement.scrollHeight / innerHeight * 2)"
_AFTER_DRAWING = """new Promise((done) =>
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))"""
"""Waits for two frames, because a page knows which parts are visible only after drawing."""


@pytest.fixture(scope="module")
def letters(server: LiveServer) -> None:
    """Messages use the built-in action type."""
    ActionTypes(server.services.store).add(builtin_action_types.registrable("message.send"), by=BY)


@pytest.mark.usefixtures("letters")
@pytest.mark.parametrize(("width", "height"), [(360, 640), (1440, 900)])
def test_a_long_fact_must_be_scrolled_through_before_approval(
    server: LiveServer, tab: Chromium, agent: Agent, width: int, height: int
) -> None:
    """The whole fact must have been visible; jumping to its end is not enough."""
    user = newcomer(tab, server)
    details = json.dumps([_LETTER])
    agent.request_approval(user, scope="openid payments:transfer", authorization_details=details)
    tab.look(width=width, height=height)
    tab.open(f"{server.url}/r/{waiting(server, user)[0].id}")
    assert _TEXT in tab.ask("document.getElementById('facts').textContent")
    tab.ask("scrollTo(0, document.documentElement.scrollHeight)")
    tab.ask(_AFTER_DRAWING)
    assert tab.ask(_IS_APPROVE_DISABLED) is True
    tab.ask("scrollTo(0, 0)")
    for _ in range(tab.ask(_HALF_SCREENS)):
        tab.ask(_AFTER_DRAWING)
        tab.ask("scrollBy(0, innerHeight / 2)")
    tab.see(f"{_IS_APPROVE_DISABLED} === false")
