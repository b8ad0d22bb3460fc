"""Standing grants that a person creates from a shell, and payments that a grant covers.

Owns: payments as low risk, their parameters, commands on the person's or the server's machine.
"""

import json

from server.services.policy.action_types import ActionTypes
from tests.support.builders.installation import PAYMENT
from tests.support.clients.terminal import Terminal
from tests.support.inputs.commands import Done, command
from tests.support.servers.server import BY, LiveServer


def payment(minor: int, payee: str = "Nord") -> dict[str, str]:
    """Return the parameters of a request to pay an amount."""
    amount = {"minor": minor, "currency": "EUR"}
    details = [{"type": "payment.transfer", "amount": amount, "payee": payee}]
    return {"scope": "openid", "authorization_details": json.dumps(details)}


def lower(server: LiveServer) -> None:
    """Make payments low risk."""
    document = json.dumps({**PAYMENT, "risk": "low", "amount": "/amount", "target": "/payee"})
    ActionTypes(server.services.store).update(document, by=BY)


def run(
    server: LiveServer, module: str, person: Terminal, *arguments: str, stdin: str = ""
) -> Done:
    """Run a command on this user's machine, or on the server's."""
    environment = {**server.environment, "SAYSO_APPROVER_HOME": str(person.home)}
    return command(module, *arguments, environment=environment, stdin=stdin)
