"""The scripted agent of the demo: it sends requests, polls, and gets tokens like any agent.

Owns: three requests and their polling, over HTTP only. Never: reading the installation.
"""

import base64
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

from server.delivery import egress
from server.model.ports import Fetched
from server.protocol.forms import CONTENT_TYPE
from server.protocol.names import GRANT_CIBA

PAY: Final = "https://pay.example"
PAYMENT_TYPE: Final = "payment.transfer"
SCOPES: Final = ("payments:read=low", "reminders:send=medium", "payments:transfer=high")


@dataclass(frozen=True, slots=True)
class DemoRequest:
    """One request of the agent."""

    title: str
    scope: str
    message: str
    details: tuple[Mapping[str, object], ...] = ()
    fact: str = ""
    """The value for the type-back; "" if there is none."""


REQUESTS: Final = (
    DemoRequest("read last month's invoices", "payments:read", "Looking for unpaid invoices."),
    DemoRequest(
        "pay an invoice",
        "payments:transfer",
        "INV-2291 is due today, and the vendor stops delivery otherwise.",
        (
            {
                "type": PAYMENT_TYPE,
                "amount": {"minor": 482_000, "currency": "EUR"},
                "payee": "Nordwind Logistik GmbH",
                "account": "DE89 3704 0044 0532 0130 00",
                "reference": "INV-2291",
            },
        ),
        fact="3000",
    ),
    DemoRequest("send reminders to customers", "reminders:send", "Three invoices are overdue."),
)


@dataclass(slots=True)
class DemoOutcome:
    """The state of one request."""

    request: DemoRequest
    fingerprint: str = ""
    auth_req_id: str = ""
    answer: dict[str, Any] = field(default_factory=dict)
    """The token response or the final error; empty while it is pending."""

    @property
    def granted(self) -> bool:
        """Whether the agent got a token."""
        return "access_token" in self.answer


class ScriptedAgent:
    """Sends the requests and polls for the answers in background threads."""

    def __init__(self, issuer: str, client_id: str, client_secret: str) -> None:
        self.outcomes = [DemoOutcome(request) for request in REQUESTS]
        self._issuer = issuer
        pair = f"{client_id}:{client_secret}".encode()
        self._authorization = f"Basic {base64.b64encode(pair).decode()}"
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []

    def ask(self, outcome: DemoOutcome, user: str) -> None:
        """POST /bc-authorize. Raises RuntimeError if the server refuses it."""
        request = outcome.request
        form = {
            "login_hint": user,
            "scope": f"openid {request.scope}",
            "resource": PAY,
            "binding_message": request.message,
        }
        if request.details:
            form["authorization_details"] = json.dumps(request.details)
        answer = self._post("/bc-authorize", form)
        if "auth_req_id" not in answer:
            raise RuntimeError(f"the server refused: {answer}")
        outcome.auth_req_id = answer["auth_req_id"]
        outcome.fingerprint = answer["fingerprint"]

    def wait_in_background(self, outcome: DemoOutcome) -> None:
        """Poll for the answer until there is one, or until `finish` ends."""
        thread = threading.Thread(target=self._wait, args=(outcome,), daemon=True)
        thread.start()
        self._threads.append(thread)

    def ask_all_in_background(self, user: str, pause: float) -> None:
        """Send the requests one after the other, so that the user sees each arrive."""

        def run() -> None:
            for outcome in self.outcomes:
                self.ask(outcome, user)
                self.wait_in_background(outcome)
                self._stopped.wait(pause)

        threading.Thread(target=run, daemon=True).start()

    def finish(self, seconds: float) -> None:
        """Wait up to `seconds` for the last answers, then stop polling."""
        deadline = time.monotonic() + seconds
        for thread in tuple(self._threads):
            thread.join(max(0.0, deadline - time.monotonic()))
        self._stopped.set()

    def fetch(self, path: str) -> dict[str, Any]:
        """GET a JSON document."""
        return _read(egress.send("GET", self._issuer + path, body=b"", headers={}))

    def _wait(self, outcome: DemoOutcome) -> None:
        form = {"grant_type": GRANT_CIBA, "auth_req_id": outcome.auth_req_id}
        while not self._stopped.is_set():
            answer = self._post("/token", form, Prefer="wait=3")
            if answer.get("error") == "temporarily_unavailable":
                self._stopped.wait(1)
            elif answer.get("error") != "authorization_pending":
                outcome.answer = answer
                return

    def _post(self, path: str, form: Mapping[str, str], **headers: str) -> dict[str, Any]:
        headers |= {"Authorization": self._authorization, "Content-Type": CONTENT_TYPE}
        body = urlencode(form).encode()
        try:
            return _read(egress.send("POST", self._issuer + path, body=body, headers=headers))
        except egress.Undeliverable as error:
            return {"error": "temporarily_unavailable", "error_description": str(error)}


def _read(answer: Fetched) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(answer.body)
    return document
