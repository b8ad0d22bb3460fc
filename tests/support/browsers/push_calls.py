"""A person who subscribes to push messages in a browser, with a test's push service.

Owns: subscribing, asking that person, and the outcome of the message.
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
    """Subscribe the browser to this push service; return the subscription's ID."""
    key = browser.send("GET", PATH).json["public_key"]
    created = browser.send("POST", PATH, service.mint(key).to_json())
    assert created.status == 200
    name: str = created.json["id"]
    return name


def shown(browser: LocalBrowser) -> dict[str, Any]:
    """Return the only subscription, as its user sees it."""
    (only,) = browser.send("GET", PATH).json["items"]
    found: dict[str, Any] = only
    return found


def ask(agent: LocalAgent, **members: str) -> Approval:
    """Ask Eva for a payment."""
    return agent.request_payment(login_hint="eva", **members)[1]


def dead(local: LocalSite) -> int:
    """Return how many messages are dead."""
    with local.services.store.read() as view:
        return view.outbox.counts().get("dead", 0)
