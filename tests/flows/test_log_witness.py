"""Approvers' terminals watch the audit log of a real server."""

import json
from pathlib import Path
from typing import Any

import pytest

from approver_tui.client.audit.log_witness import WARNING, LogWitness
from approver_tui.client.sign_in.profile import Home
from tests.support.checks.waiting import until
from tests.support.clients.agent import Agent, new_agent
from tests.support.clients.pty_app import Window, window
from tests.support.clients.terminal import Terminal, new_person
from tests.support.inputs.commands import Done, command
from tests.support.inputs.json_forms import problems
from tests.support.servers.replaced_database import (
    add_log_entries,
    copy_database,
    replace,
    rotate_log_key,
)
from tests.support.servers.server import LiveServer, live_server


@pytest.fixture
def server(tmp_path: Path) -> Any:
    """A server for one test, because the test replaces its database."""
    with live_server(tmp_path, forked=True) as running:
        yield running


@pytest.fixture
def person(server: LiveServer) -> Terminal:
    """A user at an enrolled terminal."""
    return new_person(server)


@pytest.fixture
def agent(server: LiveServer) -> Agent:
    """An agent of this test."""
    return new_agent(server)


def _witness(person: Terminal) -> LogWitness:
    return LogWitness(person.client.session, Home.in_folder(person.home))


def test_a_growing_log_raises_no_alarm(server: LiveServer, person: Terminal) -> None:
    """Each check stores the newer checkpoint, and a restarted server raises no alarm."""
    witness = _witness(person)
    for _ in range(3):
        assert witness.check() == ""
        add_log_entries(server)
    server.stop()
    server.start()
    assert witness.check() == ""
    stored = witness._read()
    assert stored is not None
    assert stored.checkpoint == server.services.audit_log.newest()


def test_an_older_copy_of_the_database_is_detected(server: LiveServer, person: Terminal) -> None:
    """A log that lost entries is reported. The stored checkpoint stays, even if the log grows."""
    older = copy_database(server, "older.db")
    add_log_entries(server)
    assert _witness(person).check() == ""
    before = _witness(person)._read()
    assert before is not None
    replace(server, older)
    assert "entries, but it had" in _witness(person).check()
    add_log_entries(server, 20)
    assert "entries, but it had" in _witness(person).check()
    after = _witness(person)._read()
    assert after is not None
    assert (after.checkpoint, after.log_key) == (before.checkpoint, before.log_key)
    with server.services.store.read() as view:
        (incident,) = view.incidents.search(closed=False, limit=10)
    assert (incident.id, incident.cause) == (after.incident, "log_changed")
    assert json.loads(incident.evidence)["log"] == {
        "kept": before.checkpoint,
        "shown": after.evidence,
    }


def test_an_older_copy_that_has_grown_again_is_detected(
    server: LiveServer, person: Terminal
) -> None:
    """A log that is longer than before but has different entries is reported."""
    older = copy_database(server, "older.db")
    add_log_entries(server)
    assert _witness(person).check() == ""
    replace(server, older)
    add_log_entries(server, 20)
    assert "have changed" in _witness(person).check()


def test_a_replaced_key_is_detected(server: LiveServer, person: Terminal) -> None:
    """A new log key is accepted only if the old key signed the change."""
    witness, log = _witness(person), server.services.audit_log
    assert witness.check() == ""
    for _ in range(2):
        rotate_log_key(server)
        add_log_entries(server)
    assert witness.check() == ""
    stored = witness._read()
    assert stored is not None
    assert stored.log_key == log.key.text
    (
        server.folder / "data" / "log.key"
    ).unlink()  # the old key is lost, so it cannot sign the new one
    rotate_log_key(server)
    add_log_entries(server)
    assert "signed with a new key" in witness.check()


def _run_approver(person: Terminal, *arguments: str, stdin: str = "") -> Done:
    environment = {"SAYSO_APPROVER_HOME": str(person.home)}
    return command("approver_tui", *arguments, environment=environment, stdin=stdin)


def test_every_command_warns_about_a_changed_log(
    server: LiveServer, person: Terminal, agent: Agent
) -> None:
    """Every command warns on stderr, before it reads a PIN, and its output stays the same."""
    agent.request_approval(person.user)
    older = copy_database(server, "older.db")
    add_log_entries(server)
    before = _run_approver(person, "inbox")
    assert (before.returncode, before.stderr) == (0, "")
    replace(server, older)
    result = _run_approver(person, "inbox")
    assert (result.returncode, len(result.stdout.splitlines())) == (
        0,
        len(before.stdout.splitlines()),
    )
    assert result.stderr.startswith(f"Warning: {WARNING} (The audit log has ")
    result = _run_approver(person, "audit-log", "--json")
    document = json.loads(result.stdout)
    assert problems(document) == []
    assert (result.returncode, document["holds"]) == (20, False)
    assert str(WARNING) in result.stderr
    approval = person.only_request()
    result = _run_approver(person, "approve", approval.id, "--fingerprint", "1111-1111")
    assert str(WARNING) in result.stderr
    result = _run_approver(person, "audit-log", "--accept")  # the administrator restored a backup
    assert (result.returncode, result.stderr) == (0, "")
    assert _run_approver(person, "inbox").stderr == ""
    assert len(list((person.home / "logs").glob("*.*.json"))) == 1


def test_the_app_shows_a_banner_after_a_reconnect(server: LiveServer, person: Terminal) -> None:
    """The banner stays on every page and after the app is opened again."""
    older = copy_database(server, "older.db")
    add_log_entries(server)
    words = ("audit log of this server was changed", "Do not approve.")
    with window(person, size=(80, 24)) as app:
        app.wait_until_gone(*words)
        until(lambda: _witness(person)._read() is not None)
        replace(server, older)
        app.wait_for_text("LIVE", *words)
        app.press("2")
        app.wait_for_text("History", *words)
    server.stop()
    offline = Window(person, size=(80, 24))
    try:
        offline.wait_for_text("OFFLINE", *words)
    finally:
        offline.leave()
