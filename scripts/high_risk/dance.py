"""The whole dance on this machine, in a folder that is thrown away afterwards.

A person lets a front desk act for them. The desk calls a payer, which exchanges the token, is told
that a person has to be asked, asks, and pays at a bank that spends the approval. A second try with
another amount, and one to pay twice, fail.
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
class Stage:
    """Where it all happens."""

    folder: Path
    port: int

    @property
    def issuer(self) -> str:
        """The server's URL."""
        return f"http://localhost:{self.port}"

    def run(self, module: str, *arguments: str, stdin: str = "") -> dict[str, Any]:
        """One command of `sayso` or `sayso-approver`; its document."""
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
        """What every command of this stage is given."""
        return {
            **os.environ,  # noqa: TID251  # commands need their path
            "SAYSO_DATA_DIR": str(self.folder / "server"),
            "SAYSO_ISSUER": self.issuer,
            "SAYSO_APPROVER_HOME": str(self.folder / "approver"),
        }


def main() -> None:
    """From nothing to a payment that is made once."""
    with _stage() as stage:
        _tell("Setting up: ana, a desk, a payer, a bank, and an action type of high risk.")
        desk, payer, bank = _prepare(stage)
        with _server(stage), bank.open() as url:
            _enrol(stage)
            _play(stage, desk, payer, bank, url)


def _play(stage: Stage, desk: Agent, payer: Agent, bank: Bank, url: str) -> None:
    _tell("\nThe desk asks ana whether it may act for her. That is of low risk.")
    handle = desk.ask("ana", "desk:use", DESK)
    _approve(stage)
    at_desk = desk.wait(handle)

    _tell("\nThe payer has the desk's token and wants to pay. That is of high risk.")
    given, at_once = payer.token_for(at_desk, BANK, "bank:pay", [PAYMENT])
    assert not at_once, "policy lets nobody pay without a person"  # noqa: S101  # the point of it
    _approve(stage)
    token = payer.wait(given)

    _tell("\nThe bank spends the approval before it pays.")
    more = {**PAYMENT, "amount": {"minor": 999_900, "currency": "EUR"}}
    tries = (
        ("another amount", more, "run-1"),
        ("what ana approved", PAYMENT, "run-1"),
        ("the same once more", PAYMENT, "run-2"),
    )
    for what, payment, execution in tries:
        answer = httpx.post(
            url,
            json={"payment": payment, "execution_id": execution},
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
        )
        said = answer.json()
        _tell(f"POST /pay           {answer.status_code} {what}: {said.get('refused', 'paid')}")
    if bank.paid != [PAYMENT]:
        sys.exit("The bank paid something else.")
    _tell(f"\nPaid once: {PAYMENT['payee']}.")


def _prepare(stage: Stage) -> tuple[Agent, Agent, Bank]:
    """What an administrator does once."""
    types = stage.folder / "payment.json"
    types.write_text(json.dumps(ACTION_TYPE))
    stage.run("server", "init", "--admin", "admin")
    stage.run("server", "actions", "add", str(types))
    stage.run("server", "resources", "add", DESK, "--scope", "desk:use=low")
    bank = stage.run("server", "resources", "add", BANK, "--scope", "bank:pay=high")
    # What the payer gets in the desk's chain is within the ceiling of both.
    ceiling = ("--resource", DESK, "--resource", BANK, "--scope", "desk:use", "--scope", "bank:pay")
    adding = ("agents", "add", "--owner", "admin", *ceiling)
    desk = stage.run("server", *adding, "desk")
    payer = stage.run("server", *adding, "payer", "--serves", DESK)
    return (
        Agent(stage.issuer, desk["client_id"], desk["client_secret"], _tell),
        Agent(stage.issuer, payer["client_id"], payer["client_secret"], _tell),
        Bank(stage.issuer, bank["client_id"], bank["client_secret"]),
    )


def _enrol(stage: Stage) -> None:
    """Ana's device: it alone can say yes."""
    code = stage.run("server", "users", "add", "ana")["enrolment_code"]
    login = ("login", stage.issuer, "--code-stdin", "--pin-stdin", "--name", "example")
    stage.run("approver_tui", *login, stdin=f"{code}\n{PIN}\n")


def _approve(stage: Stage) -> None:
    """What a person does in the terminal app, by its commands."""
    item = stage.run("approver_tui", "inbox")["items"][0]
    _tell(f"ana sees            {item['risk'].upper()}: {item['headline']}")
    yes = ("approve", item["id"], "--fingerprint", item["fingerprint"], "--pin-stdin")
    stage.run("approver_tui", *yes, stdin=f"{PIN}\n")
    _tell(f"ana approves        {item['fingerprint']}, signed by her device")


@contextmanager
def _stage() -> Iterator[Stage]:
    folder = Path(tempfile.mkdtemp(prefix=f"sayso-example-{secrets.token_hex(4)}-"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    try:
        yield Stage(folder, port)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _server(stage: Stage) -> Iterator[None]:
    process = subprocess.Popen(  # noqa: S603  # our own command
        [sys.executable, "-m", "server", "serve", "--port", str(stage.port)],
        env=stage.environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stdout.readline() if process.stdout is not None else ""
        if stage.issuer not in line:
            sys.exit("The server did not start; its reason stands above.")
        yield
    finally:
        process.terminate()
        process.wait(timeout=15)


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
