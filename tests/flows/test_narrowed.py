"""Approving with limits, from the command line to the agent and the administrator."""

import json

import pytest

from approver_tui.client.errors import AlreadyDecided, ApiError, Changed
from approver_tui.state.approvals.narrowing import Granted, Narrowing, read_change
from server.services.policy.action_types import ActionTypes
from tests.support.builders.installation import PAYMENT
from tests.support.clients.agent import Agent
from tests.support.clients.terminal import PIN, Terminal
from tests.support.inputs.commands import Done, command
from tests.support.servers.server import BY, LiveServer

NARROWING = Narrowing((read_change("amount=500"),))


@pytest.fixture(autouse=True)
def narrowable(server: LiveServer) -> None:
    """Allows the amount of a payment to be narrowed."""
    document = json.dumps({**PAYMENT, "narrow": {"/amount": "lower"}})
    ActionTypes(server.services.store).update(document, by=BY)


def _run(
    server: LiveServer, module: str, person: Terminal, *arguments: str, stdin: str = ""
) -> Done:
    """Runs a command on this user's machine, or on the server's."""
    environment = {**server.environment, "SAYSO_APPROVER_HOME": str(person.home)}
    return command(module, *arguments, environment=environment, stdin=stdin)


def test_a_request_is_narrowed_from_a_shell_and_everyone_sees_it(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """The agent, the user and the administrator see the same narrowed request."""
    scope = "openid payments:read payments:transfer"
    details = json.dumps(
        [
            {
                "type": "payment.transfer",
                "amount": {"minor": 482_000, "currency": "EUR"},
                "payee": "N",
            }
        ]
    )
    handle = agent.request_approval(person.user, scope=scope, authorization_details=details)
    pending = person.only_request()
    options = ("--fingerprint", pending.fingerprint, "--pin-stdin")
    narrowing = ("--narrow", "amount=500", "--drop-scope", "payments:read", "--token-seconds", "60")
    approved = _run(
        server, "approver_tui", person, "approve", pending.id, *options, *narrowing, stdin=PIN
    )
    assert approved.returncode == 0, approved.stderr
    (row,) = (line.split() for line in approved.stdout.splitlines() if line.startswith("Amount"))
    assert row == ["Amount", "EUR", "4,820.00", "EUR", "500.00"]
    assert "EUR 500.00" in approved.stderr
    reply = agent.poll(handle).json()
    assert reply["narrowed"] is True
    assert (reply["scope"], reply["expires_in"]) == ("openid payments:transfer", 60)
    assert reply["authorization_details"][0]["amount"]["minor"] == 50_000
    output = _run(server, "approver_tui", person, "show", pending.id, "--json")
    changes = json.loads(output.stdout)["granted"]["changes"]
    assert changes[1] == {"label": "Amount", "asked": "EUR 4,820.00", "granted": "EUR 500.00"}
    administrators = _run(server, "server", person, "approvals", "show", pending.id, "--json")
    assert json.loads(administrators.stdout)["granted"]["changes"] == changes
    plain = _run(server, "server", person, "approvals", "show", pending.id)
    assert "Amount: EUR 500.00, asked EUR 4,820.00" in plain.stdout


def test_a_shorter_token_lifetime_is_a_narrowing_by_itself(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """A token lifetime of a minute narrows a request, and an invalid or longer one is refused."""
    handle = agent.request_approval(person.user)
    pending = person.only_request()
    arguments = (
        "approve",
        pending.id,
        "--fingerprint",
        pending.fingerprint,
        "--pin-stdin",
        "--json",
    )
    for seconds, code in (("0", 2), ("86401", 2), ("301", 2)):
        result = _run(
            server, "approver_tui", person, *arguments, "--token-seconds", seconds, stdin=PIN
        )
        assert (result.returncode, result.stdout) == (code, ""), result
    result = _run(server, "approver_tui", person, *arguments, "--token-seconds", "60", stdin=PIN)
    assert result.returncode == 0, result.stderr
    (change,) = json.loads(result.stdout)["granted"]["changes"]
    assert change["granted"] == "60 seconds"
    reply = agent.poll(handle).json()
    assert (reply["narrowed"], reply["expires_in"]) == (True, 60)


def test_a_change_that_is_not_narrower_uses_no_pin_attempt(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """The command refuses the change and says why, before a PIN attempt is counted."""
    agent.ask_payment(person.user)
    pending = person.only_request()
    arguments = (
        "approve",
        pending.id,
        "--fingerprint",
        pending.fingerprint,
        "--pin-stdin",
        "--json",
    )
    for narrowing, code, reason in (
        ("amount=5000", 2, "--narrow amount=5000: is not less"),
        ("payee=Mallory", 2, "--narrow payee=Mallory: this action type does not allow"),
        ("amount", 2, "FACT=VALUE"),
    ):
        result = _run(server, "approver_tui", person, *arguments, "--narrow", narrowing, stdin=PIN)
        assert (result.returncode, result.stdout) == (code, ""), result
        assert reason in json.loads(result.stderr)["detail"]
    assert person.client.approval(pending.id).state.value == "pending"
    device = person.client.me().device
    assert device is not None
    assert device.pin.tries == 0


def test_a_server_that_grants_something_else_gets_no_signature(
    agent: Agent, person: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The device compares the server's offer with the change that the user requested."""
    agent.ask_payment(person.user)
    pending = person.only_request()
    other = Granted(pending.action_text, ())
    monkeypatch.setattr(type(person.client), "narrow", lambda *_: other)
    with pytest.raises(Changed):
        person.decider.narrow(pending, NARROWING)


def test_the_first_of_two_different_approvals_counts(agent: Agent, person: Terminal) -> None:
    """After a narrowed approval, the same user can neither approve in full nor narrow again."""
    agent.ask_payment(person.user)
    pending = person.only_request()
    granted = person.decider.narrow(pending, NARROWING)
    terms = {"fingerprint": pending.fingerprint, "pin": PIN}
    approved = person.decider.approve(pending, **terms, granted=granted)  # type: ignore[arg-type]  # by name
    assert approved.granted == granted
    with pytest.raises(AlreadyDecided):
        person.approve(pending)
    with pytest.raises(ApiError):
        person.decider.narrow(pending, NARROWING)
