"""The handles of a browser, and the IDs of a user's objects.

Owns: collecting them; `handles.py` collects those of clients and terminals. Objects that affect
nothing else are written as rows.
"""

import hashlib
import json

from server.model.approvers import Deputy
from server.model.incidents import Incident
from server.model.notifications import PushSubscription
from server.model.standing_grants import StandingGrant
from server.protocol.names import (
    PREFIX_DEPUTY,
    PREFIX_INCIDENT,
    PREFIX_PUSH,
    PREFIX_STANDING_GRANT,
)
from server.protocol.policy.risks import Risk
from server.services.approvers.groups import Groups
from server.services.users.users import UserChanges, Users
from tests.support.browsers.browser import Browser
from tests.support.browsers.web_person import COOKIE, new_web_person
from tests.support.builders.clock import DAY
from tests.support.builders.installation import BY, PAY
from tests.support.clients.terminal import Terminal
from tests.support.servers.server import LiveServer

SIGN_IN_COOKIE = "sayso"


def sign_in_handles(browser: Browser, app_id: str) -> dict[str, str]:
    """Return the handles of a browser that has signed in and shows a consent page."""
    page = browser.authorize(app_id, prompt="consent")
    (form,) = page.forms
    return {
        "sign-in cookie": browser.http.cookies[SIGN_IN_COOKIE],
        "sign-in flow": form.fields["flow"],
        "form token": form.fields["csrf"],
    }


def passkey_handles(server: LiveServer) -> dict[str, str]:
    """Return the handles of a new user's browser with a passkey, and its push subscription."""
    web, services = new_web_person(server), server.services
    with services.store.write() as tx:
        push = PushSubscription(
            id=services.secrets.new_id(PREFIX_PUSH),
            user_id=web.me["user"]["id"],
            device_id=web.me["device"]["id"],
            endpoint_hash=hashlib.sha256(b"there").digest(),
            origin="https://push.example",
            sealed=b"sealed",
            created_at=tx.now,
            opened_at=tx.now,
        )
        tx.pushes.add(push)
    return {
        "push subscription": push.id,
        "passkey cookie": web.http.cookies[COOKIE],
        "page token": web.http.headers["Sayso-Csrf"],
        "feed ticket": web.http.post("/api/feed/ticket").json()["ticket"],
    }


def create_records(server: LiveServer, person: Terminal, agent_id: str) -> dict[str, str]:
    """Make the person an administrator; create objects for them; return the IDs."""
    services = server.services
    Users(services.store, services.secrets).update(
        person.user, UserChanges(roles=("admin",)), by=BY
    )
    group = Groups(services.store, services.secrets).add("finance", (person.user,), by=BY)
    user_id, device_id = person.client.profile.user_id, person.client.profile.device_id
    new_id = services.secrets.new_id
    with services.store.write() as tx:
        other = tx.directory.find_user("admin")
        assert other is not None
        (signed,) = tx.approvals.waiting(user_id, tx.now, 1, None)
        grant = _grant(new_id(PREFIX_STANDING_GRANT), user_id, agent_id, signed.id, tx.now)
        deputy = Deputy(
            *(new_id(PREFIX_DEPUTY), user_id, other.id, tx.now, tx.now + DAY, "begun"),
            *(device_id, tx.now),
        )
        evidence = json.dumps({"agents": []})
        incident = Incident(
            new_id(PREFIX_INCIDENT), evidence, tx.now, user_id=user_id, device_id=device_id
        )
        tx.standing_grants.add(grant)
        tx.deputies.add(deputy)
        tx.incidents.add(incident)
        consent = tx.consents.of_user(user_id, tx.now, ended=False)[0]
    return {
        "group": group.id,
        "standing grant": grant.id,
        "deputy": deputy.id,
        "incident": incident.id,
        "consent": consent.id,
    }


def _grant(grant_id: str, user_id: str, agent_id: str, approval_id: str, now: int) -> StandingGrant:
    """A standing grant for scopes that no test requests."""
    return StandingGrant(
        id=grant_id,
        user_id=user_id,
        agent_id=agent_id,
        resource=PAY,
        scopes=("payments:transfer",),
        details="[]",
        vary="[]",
        type=None,
        version=None,
        risk=Risk.LOW,
        ceremony="confirm",
        uses=1,
        sum_minor=None,
        sum_currency=None,
        notify=True,
        used=0,
        spent_minor=0,
        numbered=0,
        approval_id=approval_id,
        created_at=now,
        expires_at=now + DAY,
    )
