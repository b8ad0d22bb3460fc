"""Runs the high-risk example on this machine, in a temporary folder.

A person lets the agent `desk` act for them. It calls the agent `payer`, which exchanges the token,
gets `interaction_required`, sends a request, and pays at a bank, which consumes the approval. A
payment with a different amount, and a second payment, fail.
"""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from agent import Agent
from bank import Bank

DESK, BANK = "https://desk.example", "https://bank.example"
PIN = "493817"
PAYMENT = {
    "type": "payment.order",
    "amount": {"minor": 482_000, "currency": "EUR"},
    "payee": "Nordwind Logistik GmbH",
}
ACTION_TYPE = {
    "type": "payment.order",
    "title": "Payment",
    "risk": "high",
    "headline": "Pay {amount|money} to {payee}",
    "undo": "Cannot be undone",
    "material": ["/amount", "/payee"],
    "schema": {
        "type": "object",
        "additionalProperties": False,
        "required": ["amount", "payee"],
        "properties": {
            "payee": {"type": "string", "maxLength": 70},
            "amount": {
                "type": "object",
                "additionalProperties": False,
                "required": ["minor", "currency"],
                "properties": {"minor": {"type": "integer"}, "currency": {"enum": ["EUR"]}},
            },
        },
    },
}


@dataclass(frozen=True, slots=True)
class Example:
    """The example's temporary folder and port."""

    folder: Path
    port: int

    @property
    def issuer(self) -> str:
        """The server's URL."""
        return f"http://localhost:{self.port}"

    def run(self, module: str, *arguments: str, stdin: str = "") -> dict[str, Any]:
        """Run a command of `sayso` or `sayso-approver`; return its JSON."""
        done = subprocess.run(  # noqa: S603  # our own commands
            [sys.executable, "-m", module, *arguments, "--json"],
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            sys.exit(f"{module} {' '.join(arguments)} failed: {done.stderr.strip()}")
        document: dict[str, Any] = json.loads(done.stdout)
        return document

    @property
    def environment(self) -> dict[str, str]:
        """The environment of all commands."""
        return {
            **os.environ,  # noqa: TID251  # commands need their path
            "SAYSO_DATA_DIR": str(self.folder / "server"),
            "SAYSO_ISSUER": self.issuer,
            "SAYSO_APPROVER_HOME": str(self.folder / "approver"),
        }


def main() -> None:
    """Run the example."""
    with _temporary_example() as example:
        _tell("Setting up: ana, two agents, a bank, and an action type with high risk.")
        desk, payer, bank = _prepare(example)
        with _server(example), bank.open() as url:
            _enroll(example)
            _pay(example, desk, payer, bank, url)


def _pay(example: Example, desk: Agent, payer: Agent, bank: Bank, url: str) -> None:
    _tell("\nThe desk asks ana for access to act for her. The risk is low.")
    handle = desk.ask("ana", "desk:use", DESK)
    _approve(example)
    desk_token = desk.wait(handle)

    _tell("\nThe payer has the desk's token and wants to pay. The risk is high.")
    handle, at_once = payer.token_for(desk_token, BANK, "bank:pay", [PAYMENT])
    assert not at_once, "a payment needs a person"  # noqa: S101  # the point of the example
    _approve(example)
    token = payer.wait(handle)

    _tell("\nThe bank consumes the approval before it pays.")
    larger_payment = {**PAYMENT, "amount": {"minor": 999_900, "currency": "EUR"}}
    attempts = (
        ("a different amount", larger_payment, "run-1"),
        ("what ana approved", PAYMENT, "run-1"),
        ("the same again", PAYMENT, "run-2"),
    )
    for what, payment, execution in attempts:
        answer = httpx.post(
            url,
            json={"payment": payment, "execution_id": execution},
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
        )
        result = answer.json().get("refused", "paid")
        _tell(f"POST /pay           {answer.status_code} {what}: {result}")
    if bank.paid != [PAYMENT]:
        sys.exit("The bank paid something else.")
    _tell(f"\nPaid once: {PAYMENT['payee']}.")


def _prepare(example: Example) -> tuple[Agent, Agent, Bank]:
    """Set up the server as an administrator does."""
    types_file = example.folder / "payment.json"
    types_file.write_text(json.dumps(ACTION_TYPE))
    example.run("server", "init", "--admin", "admin")
    example.run("server", "actions", "add", str(types_file))
    example.run("server", "resources", "add", DESK, "--scope", "desk:use=low")
    bank = example.run("server", "resources", "add", BANK, "--scope", "bank:pay=high")
    # Tokens in a delegation chain are limited by the permissions of all its agents.
    granted = ("--resource", DESK, "--resource", BANK, "--scope", "desk:use", "--scope", "bank:pay")
    add_agent = ("agents", "add", "--owner", "admin", *granted)
    desk = example.run("server", *add_agent, "desk")
    payer = example.run("server", *add_agent, "payer", "--serves", DESK)
    return (
        Agent(example.issuer, desk["client_id"], desk["client_secret"], _tell),
        Agent(example.issuer, payer["client_id"], payer["client_secret"], _tell),
        Bank(example.issuer, bank["client_id"], bank["client_secret"]),
    )


def _enroll(example: Example) -> None:
    """Enroll Ana's device, which she needs to approve."""
    code = example.run("server", "users", "add", "ana")["enrollment_code"]
    login = ("login", example.issuer, "--code-stdin", "--pin-stdin", "--name", "example")
    example.run("approver_tui", *login, stdin=f"{code}\n{PIN}\n")


def _approve(example: Example) -> None:
    """Approve the pending request with the commands of the terminal app."""
    item = example.run("approver_tui", "inbox")["items"][0]
    _tell(f"ana sees            {item['risk'].upper()}: {item['headline']}")
    approval = ("approve", item["id"], "--fingerprint", item["fingerprint"], "--pin-stdin")
    example.run("approver_tui", *approval, stdin=f"{PIN}\n")
    _tell(f"ana approves        {item['fingerprint']}, signed by her device")


@contextmanager
def _temporary_example() -> Iterator[Example]:
    folder = Path(tempfile.mkdtemp(prefix=f"sayso-example-{secrets.token_hex(4)}-"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    try:
        yield Example(folder, port)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _server(example: Example) -> Iterator[None]:
    process = subprocess.Popen(  # noqa: S603  # our own command
        [sys.executable, "-m", "server", "serve", "--port", str(example.port)],
        env=example.environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stdout.readline() if process.stdout is not None else ""
        if example.issuer not in line:
            sys.exit("The server did not start. See the error above.")
        yield
    finally:
        process.terminate()
        process.wait(timeout=15)


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
