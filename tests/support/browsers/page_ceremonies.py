"""Pages on which an approval requires typed entries, and what they show for wrong entries.

Owns: requests that require entries. Never: the checks of the page.
"""

from typing import Any

from server.protocol.policy.risks import Risk
from tests.support.browsers.page_steps import (
    READ,
    State,
    click,
    type_text,
    wait_for_text,
    wait_until,
)
from tests.support.clients.agent import Agent, new_agent
from tests.support.pictures.page_pictures import LAST_FOUR, PAYMENT_DETAILS, PreparedServer
from tests.support.servers.server import BY

_STAGING = "https://staging.example"
_MEDIUM, _CRITICAL = "images:read", "images:replace"
_WRONG = "0000"


def ceremonies(made: PreparedServer) -> list[State]:
    """Return states with a match number or all entries: correct, then wrong, then locked."""
    made.server.resources.add(_STAGING, {_MEDIUM: Risk.MEDIUM, _CRITICAL: Risk.CRITICAL}, {}, by=BY)
    agent = new_agent(
        made.server,
        name="image-builder",
        owners=("bob",),
        interactive=True,
        resources=(_STAGING,),
        scopes=(_MEDIUM, _CRITICAL),
    )
    medium, number = _create_request(made, agent, _MEDIUM)
    all_three, every = _create_request(
        made, agent, _CRITICAL, authorization_details=PAYMENT_DETAILS
    )
    step = (
        wait_until(READ),
        click("#to-approve"),
        wait_until("!document.getElementById('approve-now').disabled"),
    )
    filled = (type_text("#match", every), type_text("#reason", "It is on the list of November."))
    wrong = (*step, *filled, type_text("#fact", _WRONG), click("#approve-now"))
    right = (*step, *filled, type_text("#fact", LAST_FOUR))
    return [
        State("approving-medium", medium, (*step, type_text("#match", number))),
        State("approving-critical", all_three, right),
        State("typed-wrong", all_three, (*wrong, wait_for_text("One more wrong entry locks"))),
        State("locked", all_three, (*wrong, wait_for_text("after two wrong entries"))),
        State("locked-before", all_three, (wait_for_text("This request is closed: locked."),)),
    ]


def _create_request(
    made: PreparedServer, agent: Agent, scope: str, **parameters: Any
) -> tuple[str, str]:
    """Create a request; return the path of its page and the match number of its agent."""
    answer = agent.ask("ada", resource=_STAGING, scope=f"openid {scope}", **parameters).json()
    with made.server.services.store.read() as view:
        waiting = view.approvals.open_of_agent(agent.key.id)
    return f"/r/{next(request.id for request in waiting if scope in request.scope)}", answer[
        "match_code"
    ]
