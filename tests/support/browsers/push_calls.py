"""A person who wants to be called in a browser, at a push service of a test.

Owns: subscribing there, asking that person, and what became of the message.
"""

from typing import Any

from server.model.approvals import Approval
from tests.support.builders.callers import LocalAgent
from tests.support.builders.passkey import LocalBrowser
from tests.support.builders.site import LocalSite
from tests.support.fakes.push_service import PushService

PATH = "/api/push-subscriptions"
CONTACT = "mailto:ops@sayso.example"


def subscribe(browser: LocalBrowser, service: PushService) -> str:
    """Their browser is called there from now on; the name of the subscription."""
    key = browser.send("GET", PATH).json["public_key"]
    kept = browser.send("POST", PATH, service.mint(key).to_json())
    assert kept.status == 200
    name: str = kept.json["id"]
    return name


def shown(browser: LocalBrowser) -> dict[str, Any]:
    """The one subscription as its person sees it."""
    (only,) = browser.send("GET", PATH).json["items"]
    found: dict[str, Any] = only
    return found


def ask(agent: LocalAgent, **members: str) -> Approval:
    """A payment that Eva is asked for."""
    return agent.asked_payment(login_hint="eva", **members)[1]


def dead(local: LocalSite) -> int:
    """How many messages were given up."""
    with local.services.store.read() as view:
        return view.outbox.counts().get("dead", 0)
