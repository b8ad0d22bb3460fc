"""The SDK for integrators: what an agent, and an API that agents call, need to work with Sayso.

An agent:

    with Agent("https://sayso.example", client_id, secret=secret) as agent:
        approved = agent.ask("ana", {"type": "payment.transfer", …}, scope="payments:transfer")

An API:

    guard = Guard("https://sayso.example", "https://pay.example", credentials=(client_id, secret))
    caller = guard.check(request.headers.get("Authorization"))
    guard.consume(caller, payment)

Owns: the client's side of Sayso's protocol; it needs only httpx and PyJWT.
Never: importing the server or the terminal app, storing anything, or deciding for a person.
"""

from sayso.agent import Agent, AsyncAgent
from sayso.approved import Approved, Receipt
from sayso.caller import Approval, Caller
from sayso.challenge import Challenge
from sayso.errors import (
    Denied,
    Disabled,
    Expired,
    NotApproved,
    Refused,
    SaysoError,
    Undeliverable,
    Unreachable,
    Withdrawn,
)
from sayso.guard import AsyncGuard, Guard
from sayso.guarding import Consumed, Demands, Misconfigured
from sayso.rejection import ApprovalRequired, Rejected
from sayso.request_form import Asked, Options
from sayso.tools import needs_approval

__all__ = [
    "Agent",
    "Approval",
    "ApprovalRequired",
    "Approved",
    "Asked",
    "AsyncAgent",
    "AsyncGuard",
    "Caller",
    "Challenge",
    "Consumed",
    "Demands",
    "Denied",
    "Disabled",
    "Expired",
    "Guard",
    "Misconfigured",
    "NotApproved",
    "Options",
    "Receipt",
    "Refused",
    "Rejected",
    "SaysoError",
    "Undeliverable",
    "Unreachable",
    "Withdrawn",
    "needs_approval",
]
