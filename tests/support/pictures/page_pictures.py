"""The setup for pictures of pages: a server that has been used for a while, and a browser.

Owns: the sizes, and the data on the pages. Never: a picture taken by hand.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from server.model.approvals import Approval
from server.model.consents import Consent
from server.model.standing_grants import StandingGrant
from server.model.tokens import Delegation
from server.protocol.approvals.states import State
from server.protocol.policy.risks import Risk
from server.protocol.standing_grants.standing_grants import VaryingMember, as_json
from server.services.approvers.groups import Groups
from server.services.clients.app_forms import NewApp
from server.services.clients.apps import Apps
from server.services.clients.invitations import Invitations, NewInvitation
from server.services.policy import builtin_action_types
from server.services.policy.action_types import ActionTypes
from server.services.users.users import UserChanges, Users
from tests.support.browsers.chromium import Chromium, chromium
from tests.support.browsers.first_sign_in import enroll
from tests.support.builders.installation import PAY
from tests.support.clients.agent import Agent, new_agent
from tests.support.servers.server import BY, LiveServer, live_server

FOLDER = Path(__file__).parents[3] / "docs" / "pictures"
SIZES = ((1440, 900, 0.6), (360, 760, 1.0))
"""Width and height of the window, and the scale of the picture."""
CENTRAL = ("inbox", "request", "own-devices", "overview", "agent")
CONTRAST = {"prefers-color-scheme": "dark", "forced-colors": "active", "prefers-contrast": "more"}
"""The media features of a system's high-contrast theme."""
SHADES: dict[str, dict[str, str]] = {
    "": {},
    "-dark": {"prefers-color-scheme": "dark"},
    "-contrast": CONTRAST,
}
LAST_FOUR = "3000"
PAYMENT_DETAILS = json.dumps(
    [
        {
            "type": "payment.transfer",
            "amount": {"minor": 482_000, "currency": "EUR"},
            "payee": "Nordwind Logistik GmbH",
            "account": f"DE8937040044053201{LAST_FOUR}",
            "reference": "INV-4711",
        }
    ]
)
"""The requested payment, in the form of the built-in action type."""
_HOUR = 60 * 60 * 1000
_DAY = 24 * _HOUR


@dataclass(slots=True)
class PreparedServer:
    """A server that has been used for a while, and a browser of its administrator."""

    server: LiveServer
    tab: Chromium
    agents: list[Agent]
    users: dict[str, str]
    """Name → user ID."""
    asked: Approval
    """A high-risk request that is pending for the administrator."""
    done: str
    """The ID of a request that they approved in this browser; its agent has the token."""


@contextmanager
def prepared_server(folder: Path, options: tuple[str, ...] = ()) -> Iterator[PreparedServer]:
    """Run the server with these options, and the browser, while the block runs."""
    (folder / "server").mkdir()
    with (
        live_server(folder / "server", options=options, forked=True) as server,
        chromium(folder / "chromium") as tab,
    ):
        tab.add_passkey_holder()
        yield _prepare(server, tab)


def _prepare(server: LiveServer, tab: Chromium) -> PreparedServer:
    services = server.services
    ActionTypes(services.store).update(builtin_action_types.registrable("payment.transfer"), by=BY)
    users = Users(services.store, services.secrets)
    code = server.user("ada")[1]
    users.update("ada", UserChanges(roles=("admin",), email="ada@example.com"), by=BY)
    for name in ("bob", "carol", "dan"):
        server.user(name)
    Groups(services.store, services.secrets).add("finance", ["bob", "carol"], by=BY)
    Apps(services.store, services.secrets).add(
        NewApp("team-chat", ("https://chat.example/cb",)), by=BY
    )
    invitations = Invitations(services.store, services.secrets)
    invitations.issue(NewInvitation("ada", uses=5), by=BY)
    user_ids = {user.name: user.id for user in users.all()}
    agent_members = (
        ("invoice-bot", {"asks": ("ada", "bob"), "labels": ("team=finance",)}),
        ("release-helper", {"labels": ("team=platform", "pilot")}),
        ("inbox-sorter", {"asks": ("carol",)}),
    )
    agents = [
        new_agent(server, name=name, owners=("ada",), description=f"What {name} does", **members)
        for name, members in agent_members
    ]
    new_agent(server, name="old-importer", owners=("dan",)).http.close()
    users.disable("dan", by=BY)
    enroll(tab, server, code)
    done = _approved(server, tab, agents[0])
    for agent, message in ((agents[0], "For invoice 4711 of 20 November"), (agents[1], None)):
        agent.ask_payment("ada", binding_message=message, authorization_details=PAYMENT_DETAILS)
    agents[2].request_approval("carol")
    with services.store.read() as view:
        waiting = view.approvals.waiting(user_ids["ada"], view.now, 10, None)
    _past(server, waiting[0], agents, user_ids)
    _rights(server, waiting[0], [agent.key.id for agent in agents], user_ids["ada"])
    return PreparedServer(server, tab, agents, user_ids, waiting[0], done)


def _approved(server: LiveServer, tab: Chromium, agent: Agent) -> str:
    """Approve a request in this browser and collect its token; return the request's ID."""
    handle = agent.request_approval("ada")
    tab.open(f"{server.url}/")
    url: str = tab.see("document.querySelector('.row a')?.href")
    tab.open(url)
    for button in ("#to-approve", "#approve-now"):
        tab.click(button)
    tab.wait_for_text("Approved by")
    assert agent.poll(handle).status_code == 200
    return url.rpartition("/")[2]


def _past(server: LiveServer, like: Approval, agents: list[Agent], users: dict[str, str]) -> None:
    """Store two weeks of requests like this one."""
    services, ends = server.services, (State.REDEEMED, State.REDEEMED, State.DENIED, State.EXPIRED)
    names = ("ada", "bob", "carol")
    with services.store.write() as tx:
        for number in range(260):
            at = tx.now - (number * 79 % 14) * _DAY - (number * 7 % 9 + 1) * _HOUR // 2
            which = 0 if number % 3 else 1 + number % 2
            state = State.REDEEMED if which == 1 else ends[number * 5 % 4]
            took = 2_000 if which == 1 else (20 + number * 37 % 400) * 1000
            tx.approvals.add(
                replace(
                    like,
                    id=services.secrets.new_id("sayso_ap_"),
                    auth_req_hash=f"past {number}".encode(),
                    idempotency_hash=None,
                    agent_id=agents[which].key.id,
                    user_id=users[names[number % 3]],
                    state=state,
                    created_at=at,
                    expires_at=at + 600_000,
                    seen_at=at + 500,
                    decided_at=at + 500 + took,
                )
            )


def _rights(server: LiveServer, like: Approval, agents: list[str], ada: str) -> None:
    """Store consents, tokens and a standing grant that the administrator gave these agents."""
    services = server.services
    details = json.loads(like.action)["authorization_details"]
    varying = [VaryingMember(("amount",), {"minor": 50_000, "currency": "EUR"})]
    with services.store.write() as tx:
        scopes, until = ("payments:read", "payments:transfer"), tx.now + 21 * _DAY
        for agent, consented in ((agents[0], scopes), (agents[1], scopes[:1])):
            consent = Consent(
                id=services.secrets.new_id("sayso_co_"),
                user_id=ada,
                client_id=agent,
                app_id=None,
                resource=PAY,
                scopes=consented,
                created_at=tx.now - 9 * _DAY,
                expires_at=until,
                revoked_at=None,
                approval_id=None,
            )
            tx.consents.add(consent)
            tx.delegations.add(
                Delegation(
                    id=services.secrets.new_id("sayso_tk_"),
                    client_id=agent,
                    user_id=ada,
                    resource=PAY,
                    scope=" ".join(consented),
                    issued_at=tx.now - 60_000,
                    expires_at=tx.now + 240_000,
                    consent_id=consent.id,
                    last_used_at=tx.now - 20_000,
                )
            )
        tx.standing_grants.add(
            StandingGrant(
                id=services.secrets.new_id("sayso_sg_"),
                user_id=ada,
                agent_id=agents[0],
                resource=PAY,
                scopes=scopes[1:],
                details=json.dumps(details),
                vary=json.dumps(as_json(varying)),
                type=details[0]["type"],
                version=1,
                risk=Risk.MEDIUM,
                ceremony="pin",
                uses=20,
                sum_minor=100_000,
                sum_currency="EUR",
                notify=True,
                used=7,
                spent_minor=31_250,
                numbered=7,
                approval_id=like.id,
                created_at=tx.now - 2 * _DAY,
                expires_at=tx.now + 5 * _DAY,
            )
        )


def shades(name: str) -> list[str]:
    """Return the themes of a page's pictures: light, dark, and high contrast for central pages."""
    return [shade for shade in SHADES if name in CENTRAL or shade != "-contrast"]
