"""Receipts are verified on the approver's own machine, and later without the server."""

import json
from pathlib import Path

import httpx
import pytest

from server.services.approvals.oversight import Oversight
from tests.support.clients.agent import Agent
from tests.support.clients.terminal import Terminal
from tests.support.inputs.commands import Done, command
from tests.support.inputs.json_forms import problems
from tests.support.servers.server import BY, LiveServer


@pytest.fixture
def decided(server: LiveServer, agent: Agent, person: Terminal) -> str:
    """The ID of a redeemed request that is covered by a checkpoint."""
    handle = agent.request_approval(person.user)
    approval = person.only_request()
    person.approve(approval)
    assert agent.poll(handle, prefer="wait=5").status_code == 200
    server.services.audit_log.sign()
    return approval.id


def _run_receipt(home: Path, *arguments: str) -> Done:
    environment = {"SAYSO_APPROVER_HOME": str(home), "SAYSO_DATA_DIR": "/nonexistent"}
    return command("approver_tui", "receipt", *arguments, environment=environment)


def test_every_part_of_a_receipt_is_proved(decided: str, person: Terminal) -> None:
    """I26: the command proves every part, as lines or as a JSON document."""
    result = _run_receipt(person.home, decided)
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("\n  verified ") == 4
    assert result.stdout.endswith("It is valid.\n")
    document = json.loads(_run_receipt(person.home, decided, "--json").stdout)
    assert problems(document) == []
    assert (document["holds"], document["receipt"]["type"]) == (True, "sayso-receipt/1")


def test_the_receipt_of_a_canceled_request_is_proved(
    server: LiveServer, agent: Agent, person: Terminal, tmp_path: Path
) -> None:
    """Nobody signed a decision, but the audit log proves the outcome to the user and auditors."""
    agent.request_approval(person.user)
    approval_id = person.only_request().id
    Oversight(server.services.store).cancel(approval_id, "Ask Bob first", by=BY)
    server.services.audit_log.sign()
    result = _run_receipt(person.home, approval_id)
    assert (result.returncode, result.stdout.count("\n  verified ")) == (0, 3), result.stderr
    file = tmp_path / "receipt.json"
    file.write_text(_run_receipt(person.home, approval_id, "--raw").stdout, "utf-8")
    verify = "server", "audit", "verify", str(file), "--log-key", server.services.audit_log.key.text
    result = command(*verify, environment={"SAYSO_DATA_DIR": "/nonexistent"})
    assert "is cancelled (administrator), with 0 answers" in result.stdout, result.stderr
    offline = _run_receipt(
        tmp_path / "nobody", "--file", str(file), "--jwks", str(_save_published_keys(server, file))
    )
    assert "the key of the audit log is not known on this machine" in offline.stdout


def _save_published_keys(server: LiveServer, receipt: Path) -> Path:
    """Writes the published keys to a file next to the receipt and returns its path."""
    file = receipt.with_name("jwks.json")
    file.write_bytes(httpx.get(f"{server.url}/jwks").content)
    return file


def test_a_stored_receipt_needs_neither_server_nor_login(
    server: LiveServer, decided: str, person: Terminal, tmp_path: Path
) -> None:
    """The published keys are enough for verification, and a changed byte is detected and named."""
    file = tmp_path / "receipt.json"
    file.write_text(_run_receipt(person.home, decided, "--raw").stdout, "utf-8")
    keys = _save_published_keys(server, file)
    offline = tmp_path / "nobody", "--file", str(file), "--jwks", str(keys)
    result = _run_receipt(*offline)
    assert (result.returncode, result.stdout.endswith("It is valid.\n")) == (0, True), result.stderr
    changed = json.loads(file.read_text("utf-8"))
    changed["approval"]["action"] += " "
    file.write_text(json.dumps(changed), "utf-8")
    result = _run_receipt(*offline)
    assert result.returncode == 20
    assert result.stdout.endswith("It is not valid.\n")
    assert "approval/action: does not match its digest" in result.stderr


def test_a_receipt_not_signed_by_a_published_key_is_not_proved(
    decided: str, person: Terminal, tmp_path: Path
) -> None:
    """A receipt that a forger signs with their own keys is not proved."""
    file, keys = tmp_path / "receipt.json", tmp_path / "jwks.json"
    file.write_text(_run_receipt(person.home, decided, "--raw").stdout, "utf-8")
    keys.write_text('{"keys": []}', "utf-8")
    result = _run_receipt(tmp_path, "--file", str(file), "--jwks", str(keys))
    assert (result.returncode, result.stdout.endswith("It could not be verified.\n")) == (20, True)
    assert "its key is no longer published" in result.stderr


@pytest.mark.parametrize("arguments", [(), ("sayso_ap_x", "--file", __file__)])
def test_a_receipt_is_named_by_request_or_file(
    person: Terminal, arguments: tuple[str, ...]
) -> None:
    """Naming both a request and a file, or neither, is a usage error."""
    assert _run_receipt(person.home, *arguments).returncode == 2


def test_an_unknown_receipt_and_a_file_without_json_are_refused(
    person: Terminal, tmp_path: Path
) -> None:
    """An unknown ID is not found, and a file without a JSON object is a usage error."""
    assert _run_receipt(person.home, "sayso_ap_7777777777777777").returncode == 3
    (tmp_path / "text").write_text("no JSON")
    result = _run_receipt(person.home, "--file", str(tmp_path / "text"))
    assert (result.returncode, "does not contain a JSON object" in result.stderr) == (2, True)


def test_an_auditor_verifies_a_receipt_with_the_key_of_the_log(
    server: LiveServer, decided: str, person: Terminal, tmp_path: Path
) -> None:
    """The receipt and the log's key are enough; the server and its database are not needed."""
    file, key = tmp_path / "receipt.json", server.services.audit_log.key.text
    file.write_text(_run_receipt(person.home, decided, "--raw").stdout, "utf-8")
    verify = "server", "audit", "verify", str(file), "--log-key", key
    result = command(*verify, environment={"SAYSO_DATA_DIR": "/nonexistent"})
    assert (result.returncode, result.stdout[:20]) == (0, 'Verified: "sayso_ap_'), result.stderr
    assert " is redeemed, with 1 answer. " in result.stdout
    document = json.loads(file.read_text("utf-8"))
    document["entries"][0]["proof"] = None
    file.write_text(json.dumps(document), "utf-8")
    result = command(*verify, environment={"SAYSO_DATA_DIR": "/nonexistent"})
    assert result.returncode == 20
    assert "has no proof that it is in the log" in result.stderr
