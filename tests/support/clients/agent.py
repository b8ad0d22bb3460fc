"""An agent that asks, polls and gets a token, over real HTTP."""

import json
from dataclasses import dataclass
from typing import Any

import httpx

from tests.support.builders.installation import PAY
from tests.support.servers.server import AgentKey, LiveServer

CIBA = "urn:openid:params:grant-type:ciba"
PAYMENT_DETAILS = [
    {
        "type": "payment.transfer",
        "amount": {"minor": 482_000, "currency": "EUR"},
        "payee": "Nordwind Logistik GmbH",
    }
]


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent and its HTTP client."""

    key: AgentKey
    http: httpx.Client

    def ask(
        self, user: str, headers: dict[str, str] | None = None, **parameters: Any
    ) -> httpx.Response:
        """POST /bc-authorize; a parameter that is None is left out."""
        form = {
            "login_hint": user,
            "scope": "openid payments:read",
            "resource": PAY,
            **parameters,
        }
        sent = {name: value for name, value in form.items() if value is not None}
        return self.http.post(
            "/bc-authorize", data=sent, auth=self.key.basic, headers=headers or {}
        )

    def ask_payment(self, user: str, **parameters: Any) -> httpx.Response:
        """Ask for a payment, which is high risk."""
        members = {
            "scope": "openid payments:transfer",
            "authorization_details": json.dumps(PAYMENT_DETAILS),
            **parameters,
        }
        return self.ask(user, **members)

    def request_approval(self, user: str, **parameters: Any) -> str:
        """Ask, and return the `auth_req_id`."""
        response = self.ask(user, **parameters)
        assert response.status_code == 200, response.text
        handle: str = response.json()["auth_req_id"]
        return handle

    def poll(self, auth_req_id: str, **headers: str) -> httpx.Response:
        """POST /token; `prefer="wait=5"` becomes the header."""
        return self.http.post(
            "/token",
            data={"grant_type": CIBA, "auth_req_id": auth_req_id},
            auth=self.key.basic,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )


def new_agent(server: LiveServer, **members: object) -> Agent:
    """Register an agent that may ask for the payment API."""
    return Agent(server.agent(**members), server.client())
