"""Receipts: verified on the approver's own machine, later without the server."""

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
    """The id of an approved and redeemed request, when a checkpoint has it."""
    handle = agent.asked(person.user)
    approval = person.only()
    person.approve(approval)
    assert agent.poll(handle, prefer="wait=5").status_code == 200
    server.services.audit_log.sign()
    return approval.id


def _receipt(home: Path, *arguments: str) -> Done:
    environment = {"SAYSO_APPROVER_HOME": str(home), "SAYSO_DATA_DIR": "/nonexistent"}
    return command("approver_tui", "receipt", *arguments, environment=environment)


def test_every_part_of_a_receipt_is_proved(decided: str, person: Terminal) -> None:
    """I26: the command prints lines, or a document."""
    done = _receipt(person.home, decided)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n  proved ") == 4
    assert done.stdout.endswith("It is valid.\n")
    document = json.loads(_receipt(person.home, decided, "--json").stdout)
    assert problems(document) == []
    assert (document["holds"], document["receipt"]["type"]) == (True, "sayso-receipt/1")


def test_the_receipt_of_a_canceled_request_is_proved(
    server: LiveServer, agent: Agent, person: Terminal, tmp_path: Path
) -> None:
    """Nobody signed anything; the audit log has how it ended, for this machine and for auditors."""
    agent.asked(person.user)
    name = person.only().id
    Oversight(server.services.store).cancel(name, "Ask Bob first", by=BY)
    server.services.audit_log.sign()
    done = _receipt(person.home, name)
    assert (done.returncode, done.stdout.count("\n  proved ")) == (0, 3), done.stderr
    kept = tmp_path / "receipt.json"
    kept.write_text(_receipt(person.home, name, "--raw").stdout, "utf-8")
    verify = "server", "audit", "verify", str(kept), "--log-key", server.services.audit_log.key.text
    done = command(*verify, environment={"SAYSO_DATA_DIR": "/nonexistent"})
    assert "is cancelled (administrator), with 0 answers" in done.stdout, done.stderr
    offline = _receipt(tmp_path / "nobody", "--file", str(kept), "--jwks", str(_keys(server, kept)))
    assert "the key of the log is not known here" in offline.stdout


def _keys(server: LiveServer, beside: Path) -> Path:
    """The published keys, in a file."""
    file = beside.with_name("jwks.json")
    file.write_bytes(httpx.get(f"{server.url}/jwks").content)
    return file


def test_a_stored_receipt_needs_neither_server_nor_login(
    server: LiveServer, decided: str, person: Terminal, tmp_path: Path
) -> None:
    """The published keys are enough; one changed byte is found and named."""
    kept = tmp_path / "receipt.json"
    kept.write_text(_receipt(person.home, decided, "--raw").stdout, "utf-8")
    keys = _keys(server, kept)
    offline = tmp_path / "nobody", "--file", str(kept), "--jwks", str(keys)
    done = _receipt(*offline)
    assert (done.returncode, done.stdout.endswith("It is valid.\n")) == (0, True), done.stderr
    changed = json.loads(kept.read_text("utf-8"))
    changed["approval"]["action"] += " "
    kept.write_text(json.dumps(changed), "utf-8")
    done = _receipt(*offline)
    assert done.returncode == 20
    assert done.stdout.endswith("It is not valid.\n")
    assert "approval/action: does not match its digest" in done.stderr


def test_a_receipt_not_signed_by_a_published_key_is_not_proved(
    decided: str, person: Terminal, tmp_path: Path
) -> None:
    """A forger would sign with keys of their own."""
    kept, keys = tmp_path / "receipt.json", tmp_path / "jwks.json"
    kept.write_text(_receipt(person.home, decided, "--raw").stdout, "utf-8")
    keys.write_text('{"keys": []}', "utf-8")
    done = _receipt(tmp_path, "--file", str(kept), "--jwks", str(keys))
    assert (done.returncode, done.stdout.endswith("It is not proved.\n")) == (20, True)
    assert "its key is not published any more" in done.stderr


@pytest.mark.parametrize("arguments", [(), ("sayso_ap_x", "--file", __file__)])
def test_a_receipt_is_named_by_request_or_file(
    person: Terminal, arguments: tuple[str, ...]
) -> None:
    """Giving both, or neither, is a usage error."""
    assert _receipt(person.home, *arguments).returncode == 2


def test_another_users_receipt_is_not_found(person: Terminal, tmp_path: Path) -> None:
    """A file without JSON is not a receipt either."""
    assert _receipt(person.home, "sayso_ap_7777777777777777").returncode == 3
    (tmp_path / "text").write_text("no JSON")
    done = _receipt(person.home, "--file", str(tmp_path / "text"))
    assert (done.returncode, "does not contain a JSON object" in done.stderr) == (2, True)


def test_an_auditor_verifies_a_receipt_with_the_key_of_the_log(
    server: LiveServer, decided: str, person: Terminal, tmp_path: Path
) -> None:
    """The receipt is one file. Nothing else of the server or its database is needed."""
    kept, key = tmp_path / "receipt.json", server.services.audit_log.key.text
    kept.write_text(_receipt(person.home, decided, "--raw").stdout, "utf-8")
    verify = "server", "audit", "verify", str(kept), "--log-key", key
    done = command(*verify, environment={"SAYSO_DATA_DIR": "/nonexistent"})
    assert (done.returncode, done.stdout[:20]) == (0, 'Verified: "sayso_ap_'), done.stderr
    assert " is redeemed, with 1 answer. " in done.stdout
    document = json.loads(kept.read_text("utf-8"))
    document["entries"][0]["proof"] = None
    kept.write_text(json.dumps(document), "utf-8")
    done = command(*verify, environment={"SAYSO_DATA_DIR": "/nonexistent"})
    assert done.returncode == 20
    assert "has no proof that it is in the log" in done.stderr
