"""`sayso ask`: a shell script asks a user and continues depending on the exit code."""

import argparse
import asyncio
import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import pytest

from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.approvals.narrowing import Narrowing, read_change
from sayso import Agent, Asked, Withdrawn, ask
from sayso.ask import Exit
from server.services.approvals.oversight import Oversight
from server.services.clients.agents import Agents
from server.services.policy.action_types import ActionTypes
from tests.support.builders.clock import DAY
from tests.support.builders.installation import PAYMENT as PAYMENT_TYPE
from tests.support.checks.source import ROOT
from tests.support.checks.waiting import until
from tests.support.clients.kit import PAYMENT, READ, approve, next_request, run_in_background
from tests.support.clients.terminal import PIN, Terminal
from tests.support.inputs.commands import Done, command
from tests.support.servers.server import BY, AgentKey, LiveServer

FACTS = {name: value for name, value in PAYMENT.items() if name != "type"}
PAY = ("--action", "payment.transfer", "--details", json.dumps(FACTS))
Answer = Callable[[Approval], object]


class _Shell:
    """Runs the command as an agent of its own."""

    def __init__(self, server: LiveServer, person: Terminal) -> None:
        self.key: AgentKey = server.agent()
        self.person = person
        self.environment = {
            "SAYSO_ISSUER": server.url,
            "SAYSO_AGENT_ID": self.key.id,
            "SAYSO_AGENT_SECRET": self.key.secret,
        }

    def ask(self, *flags: str, answer: Answer | None = None, stdin: str = "") -> Done:
        """Run the command, while the user reacts with `answer`."""
        words = ("--user", self.person.user, *flags)
        with ExitStack() as stack:
            if answer is not None:
                stack.enter_context(run_in_background(lambda: answer(next_request(self.person))))
            return command("ask", *words, environment=self.environment, stdin=stdin)

    def start(self, server: LiveServer, *flags: str) -> subprocess.Popen[str]:
        """Start `sayso ask` as a process."""
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:  # children inherit ignored signals; background jobs ignore SIGINT
            return subprocess.Popen(
                [sys.executable, "-m", "server", "ask", "--user", self.person.user, *flags],
                cwd=ROOT,
                env={**server.environment, **self.environment},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        finally:
            signal.signal(signal.SIGINT, before)


@pytest.fixture
def shell(server: LiveServer, person: Terminal) -> _Shell:
    """A shell that asks this user."""
    return _Shell(server, person)


def _document(done: Done) -> dict[str, Any]:
    """Return the only JSON document on stdout, and check that its exit code is right."""
    document: dict[str, Any] = json.loads(done.stdout)
    assert done.stdout.count("\n") == 1
    assert document["exit"] == done.returncode
    assert document["message"] == done.stderr.splitlines()[-1]
    assert "eyJ" not in done.stdout + done.stderr
    return document


def test_approved_exits_with_0_and_prints_the_grant_without_the_token(shell: _Shell) -> None:
    """The line on stderr has the fingerprint that the user sees."""
    requests_seen: list[Approval] = []

    def yes(request: Approval) -> None:
        requests_seen.append(request)
        approve(shell.person, request)

    result = shell.ask(*PAY, "--message", "-invoice 7", "--json", answer=yes)
    assert (result.returncode, _document(result)["result"]) == (0, "approved")
    assert _document(result)["granted"] == [PAYMENT]
    assert _document(result)["approval"] == requests_seen[0].id
    first, last = result.stderr.splitlines()
    assert (first.split("(")[1].split(")")[0], last) == (requests_seen[0].fingerprint, "Approved.")
    assert str(requests_seen[0].agent_says) == "-invoice 7"


def test_denied_exits_with_11_and_prints_the_code_and_the_note(shell: _Shell) -> None:
    """The note is quoted on one line, so that it cannot look like output of the command."""
    note = 'No". Approved.'

    def no(request: Approval) -> None:
        shell.person.deny(request, "wrong_details", note)

    result = shell.ask(*PAY, "--json", answer=no)
    document = _document(result)
    assert (result.returncode, document["result"]) == (11, "denied")
    assert (document["code"], document["note"]) == ("wrong_details", note)
    assert json.dumps(note) in result.stderr
    assert result.stderr.count("\n") == 2
    assert shell.ask(*PAY, answer=no).stdout == ""


def test_expired_exits_with_12(server: LiveServer, shell: _Shell) -> None:
    """Nobody answered in time."""
    result = shell.ask(*PAY, "--json", answer=lambda _: server.clock.forward(DAY))
    assert result.returncode == 12
    assert _document(result)["result"] in {"expired", "undeliverable"}


def test_withdrawn_exits_with_13(server: LiveServer, shell: _Shell) -> None:
    """An administrator cancels the request while the command waits."""
    oversight = Oversight(server.services.store)
    result = shell.ask(
        *PAY, "--json", answer=lambda request: oversight.cancel(request.id, "No.", by=BY)
    )
    assert (result.returncode, _document(result)["code"]) == (13, "cancelled")


def test_a_disabled_agent_exits_with_15(server: LiveServer, shell: _Shell) -> None:
    """The agent is disabled while the command waits."""
    agents = Agents(server.services.store, server.services.secrets)
    result = shell.ask(*PAY, "--json", answer=lambda _: agents.disable(shell.key.id, by=BY))
    assert (result.returncode, _document(result)["result"]) == (15, "disabled")


@pytest.mark.parametrize("accepts", [False, True])
def test_narrowed_exits_with_14_unless_it_is_accepted(
    server: LiveServer, shell: _Shell, *, accepts: bool
) -> None:
    """Otherwise `&&` would run more than was approved."""
    document = json.dumps({**PAYMENT_TYPE, "narrow": {"/amount": "lower"}})
    ActionTypes(server.services.store).update(document, by=BY)

    def narrow(request: Approval) -> None:
        decider = shell.person.decider
        part = decider.narrow(request, Narrowing((read_change("amount=500"),)))
        decider.approve(request, fingerprint=request.fingerprint, pin=PIN, granted=part)

    result = shell.ask(*PAY, "--json", *(["--accept-narrowed"] if accepts else []), answer=narrow)
    assert (result.returncode, _document(result)["result"]) == (0 if accepts else 14, "narrowed")
    assert _document(result)["granted"][0]["amount"]["minor"] == 50_000


def test_a_refusal_by_the_server_exits_with_7(shell: _Shell) -> None:
    """Nobody was asked, and the document has the server's error code."""
    result = shell.ask("--action", "payment.transfer", "--details", "{}", "--json")
    assert (result.returncode, _document(result)["error"]) == (7, "invalid_authorization_details")
    assert "Asked" not in result.stderr
    assert shell.person.waiting() == ()


def test_the_flags_reach_the_server(shell: _Shell) -> None:
    """Scope, risk and expiry are those of the flags, and the same key continues the request."""
    flags = ("--scope", "payments:read", "--resource", READ["resource"], "--risk", "high")
    key = ("--expires-in", "90", "--idempotency-key", "job-7")
    requests_seen: list[Approval] = []

    def yes(request: Approval) -> None:
        requests_seen.append(request)
        approve(shell.person, request)

    assert shell.ask(*flags, *key, answer=yes).returncode == 0
    (request,) = requests_seen
    assert request.risk.name == "HIGH"
    assert "payments:read" in request.action_text
    assert request.expires_at - request.created_at == 90_000
    repeated = shell.ask(*flags, *key, "--json")
    assert (repeated.returncode, _document(repeated)["approval"]) == (0, request.id)


@pytest.mark.parametrize(
    ("flags", "stdin", "words"),
    [
        (("--details", "{}"), "", "--details needs --action"),
        ((), "", "Specify what to request: --action with --details"),
        (("--action", "x", "--details", "{"), "", "--details is not JSON"),
        (("--action", "x", "--details", "[]"), "", "must be a JSON object"),
        (("--action", "x", "--details", '{"type": "y"}'), "", "Leave type out"),
        (("--action", "x", "--details", "@-"), "[1]", "must be a JSON object"),
        (("--action", "x", "--details", "@/nowhere"), "", "/nowhere"),
        (("--action", "x", "--expires-in", "soon"), "", "--expires-in"),
        (("--action", "x", "--risk", "huge"), "", "--risk"),
        (("--action", "x", "--user", ""), "", "user is missing"),
        (("--action", "x", "--idempotency-key", "für März"), "", "idempotency_key must be"),
        (("--action", "x", "--details", '{"note": "\\ud83d"}'), "", "not valid Unicode"),
    ],
)
def test_bad_usage_exits_with_2_and_names_the_flag(
    shell: _Shell, flags: tuple[str, ...], stdin: str, words: str
) -> None:
    """The error is found before anyone is asked."""
    result = shell.ask(*flags, "--json", stdin=stdin)
    assert (result.returncode, result.stdout) == (2, "")
    assert words in result.stderr


def test_a_missing_variable_exits_with_2(shell: _Shell) -> None:
    """The error names the environment variable."""
    shell.environment["SAYSO_AGENT_ID"] = ""
    result = shell.ask(*PAY)
    assert result.returncode == 2
    assert "Set SAYSO_AGENT_ID" in result.stderr
    assert "usage:" not in result.stderr


def test_details_come_from_a_file_or_stdin(shell: _Shell, tmp_path: Path) -> None:
    """`@FILE` and `@-` give the same request as details in the argument."""
    file = tmp_path / "details.json"
    text = "\ufeff" + json.dumps(FACTS)  # some editors and PowerShell write a byte order mark
    file.write_text(text)
    for source, stdin in ((f"@{file}", ""), ("@-", text)):
        result = shell.ask(
            *PAY[:3],
            source,
            "--json",
            stdin=stdin,
            answer=lambda request: approve(shell.person, request),
        )
        assert _document(result)["granted"] == [PAYMENT]


@pytest.mark.parametrize("key", [None, "job-8"])
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_command_withdraws_its_request_unless_it_has_a_key(
    server: LiveServer, shell: _Shell, sent: signal.Signals, key: str | None
) -> None:
    """Nobody should answer a request whose job is gone.

    With a key, the next job gets the answer.
    """
    process = shell.start(server, *PAY, *(["--idempotency-key", key] if key else []))
    try:
        request = next_request(shell.person)
        process.send_signal(sent)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert (process.returncode, out, err.splitlines()[-1]) == (130, "", "Interrupted.")
    waiting = [approval.id for approval in shell.person.waiting()]
    assert waiting == ([request.id] if key else [])


def test_a_command_interrupted_while_it_sends_the_request_withdraws_it() -> None:
    """A person may already see the request before the command knows its ID."""
    agent = _SlowAgent()

    async def interrupt() -> None:
        arguments = argparse.Namespace(user="ann", idempotency_key="")
        asking = asyncio.create_task(ask._ask(agent, arguments, None, {}))  # type: ignore[arg-type]  # a fake
        await agent.sent.wait()
        asking.cancel()
        await asyncio.sleep(0)
        agent.acknowledged.set()
        with pytest.raises(asyncio.CancelledError):
            await asking

    asyncio.run(interrupt())
    assert agent.withdrawn == ["urn:request"]


class _SlowAgent:
    """An agent whose request is acknowledged late and never answered."""

    def __init__(self) -> None:
        self.sent, self.acknowledged = asyncio.Event(), asyncio.Event()
        self.withdrawn: list[str] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        pass

    async def ask(self, *_action: object, on_asked: Callable[[Asked], None]) -> None:
        self.sent.set()
        await self.acknowledged.wait()
        on_asked(Asked("urn:request", 300, 5, "9f3a-71c0", None))
        await asyncio.Event().wait()

    async def withdraw(self, asked: Asked) -> None:
        self.withdrawn.append(asked.auth_req_id)


def test_an_interrupted_command_reports_that_it_could_not_withdraw(
    server: LiveServer, shell: _Shell
) -> None:
    """If the server does not respond, the command still ends as interrupted."""
    process = shell.start(server, *PAY)
    try:
        next_request(shell.person)
        server.suspend()
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
    finally:
        server.go_on()
        process.kill()
    assert (process.returncode, out) == (130, "")
    assert err.splitlines()[1:] == [
        "The request may stay open until it expires: no answer",
        "Interrupted.",
    ]


def test_an_agent_withdraws_its_request(server: LiveServer, shell: _Shell) -> None:
    """The call that waits for the decision raises Withdrawn."""
    requests_seen: list[Asked] = []
    with (
        Agent(server.url, shell.key.id, secret=shell.key.secret) as agent,
        run_in_background(
            agent.ask, shell.person.user, **READ, on_asked=requests_seen.append
        ) as result,
    ):
        until(lambda: requests_seen != [])
        agent.withdraw(requests_seen[0])
        with pytest.raises(Withdrawn):
            result.result(30)
    assert shell.person.waiting() == ()


def test_the_page_lists_every_exit_code_and_flag() -> None:
    """The page lists no exit code that does not exist."""
    page = (ROOT / "docs" / "ask-from-a-shell.md").read_text("utf-8")
    rows = re.findall(r"^\| (\d+) \|", page, re.MULTILINE)
    assert {int(code) for code in rows} == {int(code) for code in Exit}
    output = subprocess.run(
        [sys.executable, "-m", "sayso.ask", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    flags = set(re.findall(r"--[a-z-]+", output)) - {"--help"}
    table = page.partition("| Flag | Description |")[2].partition("\n\n")[0]
    assert {flag for flag in flags if f"`{flag}" not in table} == set()
