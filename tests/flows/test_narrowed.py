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
    """Amounts of payments can be narrowed."""
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
    """The agent's, the user's and the administrator's view agree."""
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
    handle = agent.asked(person.user, scope=scope, authorization_details=details)
    asked = person.only()
    known = ("--fingerprint", asked.fingerprint, "--pin-stdin")
    narrowing = ("--narrow", "amount=500", "--drop-scope", "payments:read", "--token-seconds", "60")
    done = _run(server, "approver_tui", person, "approve", asked.id, *known, *narrowing, stdin=PIN)
    assert done.returncode == 0, done.stderr
    (row,) = (line.split() for line in done.stdout.splitlines() if line.startswith("Amount"))
    assert row == ["Amount", "EUR", "4,820.00", "EUR", "500.00"]
    assert "EUR 500.00" in done.stderr
    reply = agent.poll(handle).json()
    assert reply["narrowed"] is True
    assert (reply["scope"], reply["expires_in"]) == ("openid payments:transfer", 60)
    assert reply["authorization_details"][0]["amount"]["minor"] == 50_000
    shown = _run(server, "approver_tui", person, "show", asked.id, "--json")
    changes = json.loads(shown.stdout)["granted"]["changes"]
    assert changes[1] == {"label": "Amount", "asked": "EUR 4,820.00", "granted": "EUR 500.00"}
    seen = _run(server, "server", person, "approvals", "show", asked.id, "--json")
    assert json.loads(seen.stdout)["granted"]["changes"] == changes
    plain = _run(server, "server", person, "approvals", "show", asked.id)
    assert "Amount: EUR 500.00, asked EUR 4,820.00" in plain.stdout


def test_a_shorter_token_lifetime_alone_is_a_narrowing(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """The whole payment with a token of a minute; a longer lifetime is refused."""
    handle = agent.asked(person.user)
    asked = person.only()
    known = ("approve", asked.id, "--fingerprint", asked.fingerprint, "--pin-stdin", "--json")
    for seconds, code in (("0", 2), ("86401", 2), ("301", 2)):
        done = _run(server, "approver_tui", person, *known, "--token-seconds", seconds, stdin=PIN)
        assert (done.returncode, done.stdout) == (code, ""), done
    done = _run(server, "approver_tui", person, *known, "--token-seconds", "60", stdin=PIN)
    assert done.returncode == 0, done.stderr
    (change,) = json.loads(done.stdout)["granted"]["changes"]
    assert change["granted"] == "60 seconds"
    reply = agent.poll(handle).json()
    assert (reply["narrowed"], reply["expires_in"]) == (True, 60)


def test_a_change_that_is_not_narrower_uses_no_pin_try(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """It is refused with place and remedy before a PIN try is counted."""
    agent.ask_payment(person.user)
    asked = person.only()
    known = ("approve", asked.id, "--fingerprint", asked.fingerprint, "--pin-stdin", "--json")
    for narrowing, code, says in (
        ("amount=5000", 2, "is not less"),
        ("payee=Mallory", 2, "does not allow that to be narrowed"),
        ("amount", 2, "FACT=VALUE"),
    ):
        done = _run(server, "approver_tui", person, *known, "--narrow", narrowing, stdin=PIN)
        assert (done.returncode, done.stdout) == (code, ""), done
        assert says in json.loads(done.stderr)["detail"]
    assert person.client.approval(asked.id).state.value == "pending"
    device = person.client.me().device
    assert device is not None
    assert device.pin.tries == 0


def test_a_server_that_grants_something_else_gets_no_signature(
    agent: Agent, person: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The device compares the text with the requested change itself."""
    agent.ask_payment(person.user)
    asked = person.only()
    other = Granted(asked.action_text, ())
    monkeypatch.setattr(type(person.client), "narrow", lambda *_: other)
    with pytest.raises(Changed):
        person.decider.narrow(asked, NARROWING)


def test_the_first_of_two_different_approvals_counts(agent: Agent, person: Terminal) -> None:
    """A narrowed approval is not a full one, even of the same user."""
    agent.ask_payment(person.user)
    asked = person.only()
    part = person.decider.narrow(asked, NARROWING)
    seen = {"fingerprint": asked.fingerprint, "pin": PIN}
    done = person.decider.approve(asked, **seen, granted=part)  # type: ignore[arg-type]  # by name
    assert done.granted == part
    with pytest.raises(AlreadyDecided):
        person.approve(asked)
    with pytest.raises(ApiError):
        person.decider.narrow(asked, NARROWING)
