"""`sayso demo`: a real server, a scripted agent, and you or a script as the approver.

Owns: the steps and their text. Never: shortcuts for requests and decisions; they go through the
server, the `sayso-approver` command and the agent's HTTP requests.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import click

from server.cli.opening import OpenInstallation, open_installation
from server.cli.operations.demo_agent import (
    PAY,
    PAYMENT_TYPE,
    SCOPES,
    DemoOutcome,
    ScriptedAgent,
)
from server.cli.output import safe
from server.cli.termination import clean_up_on_signals
from server.crypto.jose import JwtVerifier
from server.model.ports import BadToken
from server.model.tokens import SigningKey
from server.protocol.policy.risks import Risk
from server.protocol.tokens.tokens import ACCESS_TOKEN_TYPE
from server.services.clients.agent_forms import NewAgent
from server.services.policy import builtin_action_types
from server.services.users.users import NewUser
from server.settings import Settings, process_environment

USER: Final = "you"
AGENT: Final = "invoice-bot"
PIN: Final = "123456"
"""Easy to remember. Its device is deleted with the folder."""
_PAUSE_SECONDS = 3.0
_FINISH_SECONDS = 4.0
_DENIED_SCOPE = "reminders:send"


@dataclass(frozen=True, slots=True)
class DemoInstallation:
    """The demo's temporary folder and address."""

    folder: Path
    issuer: str
    port: int

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the server and the terminal app."""
        return {
            **process_environment(without="SAYSO_"),
            "SAYSO_DATA_DIR": str(self.folder / "server"),
            "SAYSO_LOG_LEVEL": "warning",
            "SAYSO_APPROVER_HOME": str(self.folder / "approver"),
        }


@click.command(name="demo")
@click.option("--plain", is_flag=True, help="Let a script approve, and print each step.")
def command(*, plain: bool) -> None:
    """Try Sayso on this machine with a scripted agent, in a temporary folder."""
    clean_up_on_signals()
    with _temporary_installation() as demo, _server(demo):
        agent = _prepare(demo)
        _say(f"A server is running at {demo.issuer}, on SQLite in {demo.folder}.")
        _say(f"{AGENT} is your agent. It will send {len(agent.outcomes)} requests.")
        if plain or not sys.stdin.isatty() or not sys.stdout.isatty():
            _run_script(demo, agent)
        else:
            _open_app(demo, agent)
        agent.finish(_FINISH_SECONDS)
        verified = _print_results(agent)
        _print_audit_log(demo)
    sys.exit(0 if verified else 1)


@contextmanager
def _temporary_installation() -> Iterator[DemoInstallation]:
    folder = Path(tempfile.mkdtemp(prefix="sayso-demo-"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    try:
        yield DemoInstallation(folder, f"http://localhost:{port}", port)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _server(demo: DemoInstallation) -> Iterator[None]:
    """Run the real server in its own process, and wait until it is ready."""
    process = subprocess.Popen(  # noqa: S603  # our own command
        [sys.executable, "-m", "server", "serve", "--port", str(demo.port)],
        env=demo.environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stdout.readline() if process.stdout is not None else ""
        if demo.issuer not in line:
            raise click.ClickException("The server did not start. See the error above.")
        yield
    finally:
        process.terminate()
        process.wait(timeout=15)


def _prepare(demo: DemoInstallation) -> ScriptedAgent:
    """Set up a user, an API, an action type, an agent and a device, as an administrator does."""
    with _administration(demo) as services:
        services.installation.init("admin", by=services.by)
        _, code = services.users.add(NewUser(USER), by=services.by)
        scopes = {name: Risk(risk) for name, _, risk in (s.partition("=") for s in SCOPES)}
        services.resources.add(PAY, scopes, {}, by=services.by)
        services.actions.add(builtin_action_types.registrable(PAYMENT_TYPE), by=services.by)
        secret = services.agents.add(
            NewAgent(AGENT, (USER,), resources=(PAY,), scopes=tuple(scopes)), by=services.by
        )
    _approver(
        demo,
        "login", demo.issuer, "--code-stdin", "--pin-stdin", "--name", "demo-terminal",
        stdin=f"{code.code}\n{PIN}\n",
    )  # fmt: skip
    return ScriptedAgent(demo.issuer, secret.agent.id, secret.secret)


@contextmanager
def _administration(demo: DemoInstallation) -> Iterator[OpenInstallation]:
    settings = Settings(data_dir=demo.folder / "server")
    with open_installation(replace(settings, issuer=demo.issuer)) as services:
        yield services


def _open_app(demo: DemoInstallation, agent: ScriptedAgent) -> None:
    """Let the user decide in the terminal app."""
    _say("", f"The terminal app opens now. Your PIN for this demo is  {PIN}")
    _say(
        "For the payment, also type the last 4 characters of the payee's account.",
        "Select a request. Press a to approve, d to deny, and q to quit.",
    )
    click.pause("Press any key to continue ...")
    agent.ask_all_in_background(USER, _PAUSE_SECONDS)
    subprocess.run(_approver_command(), env=demo.environment, check=False)  # noqa: S603  # as above


def _run_script(demo: DemoInstallation, agent: ScriptedAgent) -> None:
    """Decide with `sayso-approver` commands: approve, approve, deny."""
    for outcome in agent.outcomes:
        _say("", f"{AGENT} requests to {outcome.request.title}.")
        agent.ask(outcome, USER)
        agent.wait_in_background(outcome)
        item = _approver(demo, "inbox", "--json")["items"][0]
        _say(f"  your terminal shows   {item['risk'].upper()}  {item['headline']}")
        _say(f"  with fingerprint      {item['fingerprint']}; the agent's is {outcome.fingerprint}")
        _answer(demo, outcome, item)


def _answer(demo: DemoInstallation, outcome: DemoOutcome, item: Mapping[str, Any]) -> None:
    name = item["id"]
    if outcome.request.scope == _DENIED_SCOPE:
        _say(f"  $ sayso-approver deny {name} --code not_needed --note ...")
        _approver(demo, "deny", name, "--code", "not_needed", "--note", "Not before Monday.",
                  "--json")  # fmt: skip
        _say("  denied")
        return
    arguments = ["approve", name, "--fingerprint", item["fingerprint"], "--pin-stdin"]
    arguments += ["--fact", outcome.request.fact] if outcome.request.fact else []
    _say(f"  $ sayso-approver {' '.join(arguments)}")
    _approver(demo, *arguments, "--json", stdin=f"{PIN}\n")
    _say("  approved, and signed by the device")


def _print_results(agent: ScriptedAgent) -> bool:
    """Print what the agent got. Returns whether there is a token and every token verifies."""
    verified = []
    for outcome in agent.outcomes:
        _say("", f"{AGENT} requested to {outcome.request.title}. Result:")
        if outcome.granted:
            verified.append(_print_token(agent, outcome))
        else:
            _print_refusal(outcome)
    return bool(verified) and all(verified)


def _print_token(agent: ScriptedAgent, outcome: DemoOutcome) -> bool:
    try:
        claims = JwtVerifier().own_token(
            outcome.answer["access_token"], ACCESS_TOKEN_TYPE, _published_keys(agent)
        )
    except BadToken as error:
        _say(f"  a token that does NOT verify: {error}")
        return False
    _say("  a token, verified against /jwks:")
    for line in json.dumps(dict(claims), indent=2, ensure_ascii=False).splitlines():
        _say(f"    {line}")
    return True


def _print_refusal(outcome: DemoOutcome) -> None:
    if not outcome.answer:
        _say("  no answer yet")
        return
    members = {name: value for name, value in outcome.answer.items() if name != "error_description"}
    _say(f"  {json.dumps(members)}")
    _say(f"  {outcome.answer.get('error_description', '')}")


def _published_keys(agent: ScriptedAgent) -> list[SigningKey]:
    """The public signing keys."""
    keys = agent.fetch("/jwks")["keys"]
    return [SigningKey(k["kid"], k["alg"], k, b"", "active", 0, None) for k in keys]


def _print_audit_log(demo: DemoInstallation) -> None:
    _say("", "The audit log:")
    with _administration(demo) as services, services.services.store.read() as view:
        entries = [entry.members for entry in view.audit.tail(200)]
        names = {agent.id: agent.name for agent in view.agents.all()}
        names |= {user.id: user.name for user in view.users.all()}
    for entry in entries:
        _say(f"  {entry['type']:<24} {_sentence(entry, names)}")


def _sentence(entry: Mapping[str, Any], names: Mapping[str, str]) -> str:
    kind, _, actor = str(entry["actor"]).partition(":")
    label = names.get(actor, actor) or kind
    user = names.get(str(entry.get("subject")), "")
    parts = [
        f"by {label}",
        f"for {user}" if user and user != label else "",
        f"at {entry['resource']}" if "resource" in entry else "",
        f"({entry['posture']})" if "posture" in entry else "",
    ]
    return " ".join(part for part in parts if part)


def _approver(demo: DemoInstallation, *arguments: str, stdin: str = "") -> dict[str, Any]:
    """Run `sayso-approver` and parse its JSON output."""
    as_json = arguments if "--json" in arguments else (*arguments, "--json")
    result = subprocess.run(  # noqa: S603  # our own command
        [*_approver_command(), *as_json],
        env=demo.environment,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        raise click.ClickException(f"sayso-approver {arguments[0]} failed: {result.stderr.strip()}")
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def _approver_command() -> list[str]:
    """The terminal app that was installed with this program."""
    installed_command = Path(sys.executable).with_name("sayso-approver")
    if os.access(installed_command, os.X_OK):
        return [str(installed_command)]
    return [sys.executable, "-m", "approver_tui"]


def _say(*lines: str) -> None:
    """Print each line. On a terminal, sentences wrap between words."""
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else sys.maxsize
    for line in lines:
        is_sentence = not line.startswith(" ")
        click.echo(_wrap(safe(line), columns) if is_sentence else safe(line))


def _wrap(sentence: str, columns: int) -> str:
    return textwrap.fill(sentence, columns, break_long_words=False, break_on_hyphens=False)
