"""`sayso demo`: a real server, a scripted agent, and you, or a stand-in, at the terminal app.

Owns: the order of the story and its words. Never: a shortcut; everything goes through the server,
the `sayso-approver` command and the agent's HTTP.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import click

from server.cli.opening import BY, OpenInstallation, opened
from server.cli.operations.demo_agent import (
    PAY,
    PAYMENT_TYPE,
    SCOPES,
    Credentials,
    DemoOutcome,
    ScriptedAgent,
)
from server.cli.output import safe
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
"""Easy to keep in mind while a screen covers it; its device is thrown away with the folder."""
_PAUSE_SECONDS = 3.0
_SETTLE_SECONDS = 4.0
_DENIED_SCOPE = "reminders:send"


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the story plays: a folder that is thrown away, and an address."""

    folder: Path
    issuer: str
    port: int

    @property
    def environment(self) -> dict[str, str]:
        """What the server and the terminal app are started with."""
        return {
            **process_environment(without="SAYSO_"),
            "SAYSO_DATA_DIR": str(self.folder / "server"),
            "SAYSO_LOG_LEVEL": "warning",
            "SAYSO_APPROVER_HOME": str(self.folder / "approver"),
        }


@click.command(name="demo")
@click.option("--plain", is_flag=True, help="Play the approver in plain lines.")
def command(*, plain: bool) -> None:
    """Show the whole loop on this machine, in a folder that is thrown away afterwards."""
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, _leave)
    with _stage() as stage, _server(stage):
        agent = _prepare(stage)
        _say(f"A server is running at {stage.issuer}, on SQLite in {stage.folder}.")
        _say(f"{AGENT} is an agent of yours. It will ask for {len(agent.stories)} things.")
        if plain or not sys.stdin.isatty() or not sys.stdout.isatty():
            _play(stage, agent)
        else:
            _open_app(stage, agent)
        agent.settle(_SETTLE_SECONDS)
        verified = _tell_outcome(agent)
        _tell_record(stage)
    sys.exit(0 if verified else 1)


def _leave(number: int, _frame: object) -> None:
    """A closed window ends the server and the folder too."""
    sys.exit(128 + number)


@contextmanager
def _stage() -> Iterator[Stage]:
    folder = Path(tempfile.mkdtemp(prefix="sayso-demo-"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    try:
        yield Stage(folder, f"http://localhost:{port}", port)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _server(stage: Stage) -> Iterator[None]:
    """The real server, in a process of its own; it is ready when it says so."""
    process = subprocess.Popen(  # noqa: S603  # our own command
        [sys.executable, "-m", "server", "serve", "--port", str(stage.port)],
        env=stage.environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stdout.readline() if process.stdout is not None else ""
        if stage.issuer not in line:
            raise click.ClickException("The server did not start; its reason stands above.")
        yield
    finally:
        process.terminate()
        process.wait(timeout=15)


def _prepare(stage: Stage) -> ScriptedAgent:
    """What an administrator does once: a person, an API, an action type, an agent, a device."""
    with _administration(stage) as desk:
        desk.installation.init("admin", by=BY)
        _, code = desk.users.add(NewUser(USER), by=BY)
        scopes = {name: Risk(risk) for name, _, risk in (s.partition("=") for s in SCOPES)}
        desk.resources.add(PAY, scopes, {}, by=BY)
        desk.actions.add(builtin_action_types.registrable(PAYMENT_TYPE), by=BY)
        made = desk.agents.add(
            NewAgent(AGENT, (USER,), resources=(PAY,), scopes=tuple(scopes)), by=BY
        )
    _approver(
        stage,
        "login", stage.issuer, "--code-stdin", "--pin-stdin", "--name", "demo-terminal",
        stdin=f"{code.code}\n{PIN}\n",
    )  # fmt: skip
    return ScriptedAgent(Credentials(stage.issuer, made.agent.id, made.secret or ""))


@contextmanager
def _administration(stage: Stage) -> Iterator[OpenInstallation]:
    settings = Settings(data_dir=stage.folder / "server")
    with opened(replace(settings, issuer=stage.issuer)) as desk:
        yield desk


def _open_app(stage: Stage, agent: ScriptedAgent) -> None:
    """You decide, in the terminal app."""
    _say("")
    _say(f"The terminal app opens now. Your PIN for this demonstration is  {PIN}")
    _say("The payment also takes the last four characters of the account that it shows.")
    _say("Choose a request, press a to approve or d to deny, and q when you are done.")
    click.pause("Press any key to open it ...")
    agent.ask_all_in_background(USER, _PAUSE_SECONDS)
    subprocess.run(_approver_command(), env=stage.environment, check=False)  # noqa: S603  # likewise


def _play(stage: Stage, agent: ScriptedAgent) -> None:
    """A stand-in decides by the same commands that you would type: yes, yes, no."""
    for story in agent.stories:
        _say("")
        _say(f"{AGENT} asks to {story.wish.title}.")
        agent.ask(story, USER)
        agent.wait_in_background(story)
        item = _approver(stage, "inbox", "--json")["items"][0]
        _say(f"  your terminal shows   {item['risk'].upper()}  {item['headline']}")
        _say(f"  with fingerprint      {item['fingerprint']}, the agent has {story.fingerprint}")
        _answer(stage, story, item)


def _answer(stage: Stage, story: DemoOutcome, item: Mapping[str, Any]) -> None:
    name = item["id"]
    if story.wish.scope == _DENIED_SCOPE:
        _say(f"  $ sayso-approver deny {name} --code not_needed --note ...")
        _approver(stage, "deny", name, "--code", "not_needed", "--note", "Not before Monday.",
                  "--json")  # fmt: skip
        _say("  denied")
        return
    yes = ["approve", name, "--fingerprint", item["fingerprint"], "--pin-stdin"]
    yes += ["--fact", story.wish.fact] if story.wish.fact else []
    _say(f"  $ sayso-approver {' '.join(yes)}")
    _approver(stage, *yes, "--json", stdin=f"{PIN}\n")
    _say("  approved, and signed by the device")


def _tell_outcome(agent: ScriptedAgent) -> bool:
    """What the agent got; reports whether a token came out and every token could be verified."""
    verified = []
    for story in agent.stories:
        _say("")
        _say(f"{AGENT} asked to {story.wish.title}, and got")
        if story.granted:
            verified.append(_tell_token(agent, story))
        else:
            _tell_refusal(story)
    return bool(verified) and all(verified)


def _tell_token(agent: ScriptedAgent, story: DemoOutcome) -> bool:
    try:
        claims = JwtVerifier().own_token(
            story.answer["access_token"], ACCESS_TOKEN_TYPE, _published_keys(agent)
        )
    except BadToken as error:
        _say(f"  a token that does NOT verify: {error}")
        return False
    _say("  a token, verified against /jwks:")
    for line in json.dumps(dict(claims), indent=2, ensure_ascii=False).splitlines():
        _say(f"    {line}")
    return True


def _tell_refusal(story: DemoOutcome) -> None:
    if not story.answer:
        _say("  no answer yet")
        return
    shown = {name: value for name, value in story.answer.items() if name != "error_description"}
    _say(f"  {json.dumps(shown)}")
    _say(f"  {story.answer.get('error_description', '')}")


def _published_keys(agent: ScriptedAgent) -> list[SigningKey]:
    """The keys as anybody finds them: public halves only."""
    keys = agent.fetch("/jwks")["keys"]
    return [SigningKey(k["kid"], k["alg"], k, b"", "active", 0, None) for k in keys]


def _tell_record(stage: Stage) -> None:
    """The entries of the log that tell the same story."""
    _say("")
    _say("The audit log says")
    with _administration(stage) as desk, desk.services.store.read() as view:
        entries = [json.loads(entry.body) for entry in view.audit.tail(200)]
        names = {agent.id: agent.name for agent in view.agents.all()}
        names |= {user.id: user.name for user in view.users.all()}
    for entry in entries:
        _say(f"  {entry['type']:<24} {_sentence(entry, names)}")


def _sentence(entry: Mapping[str, Any], names: Mapping[str, str]) -> str:
    kind, _, actor = str(entry["actor"]).partition(":")
    who = names.get(actor, actor) or kind
    for_whom = names.get(str(entry.get("subject")), "")
    parts = [
        f"by {who}",
        f"for {for_whom}" if for_whom and for_whom != who else "",
        f"at {entry['resource']}" if "resource" in entry else "",
        f"({entry['posture']})" if "posture" in entry else "",
    ]
    return " ".join(part for part in parts if part)


def _approver(stage: Stage, *arguments: str, stdin: str = "") -> dict[str, Any]:
    """Run `sayso-approver` and read its one JSON document."""
    as_json = arguments if "--json" in arguments else (*arguments, "--json")
    done = subprocess.run(  # noqa: S603  # our own command
        [*_approver_command(), *as_json],
        env=stage.environment,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise click.ClickException(f"sayso-approver {arguments[0]} failed: {done.stderr.strip()}")
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def _approver_command() -> list[str]:
    """The terminal app of this same installation of the program."""
    beside = Path(sys.executable).with_name("sayso-approver")
    return [str(beside)] if os.access(beside, os.X_OK) else [sys.executable, "-m", "approver_tui"]


def _say(line: str) -> None:
    click.echo(safe(line))
