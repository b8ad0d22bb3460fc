"""A second terminal is admitted by the first: three real processes, two of them in a terminal."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pexpect
import pytest

from tests.support.checks.log_and_rows import entries
from tests.support.clients.pty_app import leave
from tests.support.clients.terminal import PIN, Terminal, new_person
from tests.support.servers.server import LiveServer

QR = "█▄▄▄▄▄▄▄█"


@pytest.fixture
def person(server: LiveServer) -> Iterator[Terminal]:
    """A user at their first terminal."""
    first_device = new_person(server)
    yield first_device
    first_device.client.close()


def _environment(home: object) -> dict[str, str]:
    return {**os.environ, "SAYSO_APPROVER_HOME": str(home), "SAYSO_DATA_DIR": "/nonexistent"}


@contextmanager
def _run_at_a_terminal(home: object, *arguments: str) -> Iterator[pexpect.spawn]:
    """Runs a command in a real terminal of 80 columns and 40 lines."""
    child = pexpect.spawn(
        sys.executable,
        ["-m", "approver_tui", *arguments],
        env=_environment(home),
        encoding="utf-8",
        timeout=40,
        dimensions=(40, 80),
    )
    try:
        yield child
    finally:
        leave(child)


def _run(home: object, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "approver_tui", *arguments],
        env=_environment(home),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _type_the_code(server: LiveServer, name: str, code: str) -> int:
    """Enters the code in a browser, as a user does, and returns the status."""
    with server.client() as browser:
        page = browser.get("/device")
        token = re.search(r'name="form" value="([^"]+)"', page.text)
        assert token is not None
        form = {"form": token[1], "name": name, "user_code": code}
        return browser.post("/device", data=form).status_code


def test_a_terminal_without_a_code_is_admitted_by_another(
    server: LiveServer, person: Terminal
) -> None:
    """The new terminal shows a code, a link and a QR code; the old one shows the code and asks."""
    home = server.folder / f"desktop-of-{person.user}"
    with _run_at_a_terminal(home, "login", server.url, "--name", "desktop") as login:
        for _ in range(2):
            login.expect("(PIN|confirmation).*:")
            login.sendline(PIN)
        login.expect_exact(f"{server.url}/device")
        login.expect("([BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4})")
        code = login.match.group(1)
        login.expect_exact(QR)
        login.expect_exact("Your first device?")
        assert _type_the_code(server, person.user, code) == 303
        pending = person.only_request()
        _admit(person, pending.id, pending.fingerprint, code)
        login.expect_exact(f"Logged in to {server.url} as {person.user}.")
        login.expect(pexpect.EOF)
    items = json.loads(_run(home, "devices", "--json").stdout)["items"]
    assert [device["name"] for device in items] == ["laptop", "desktop"]
    assert items[1]["high_from"] <= items[1]["last_seen_at"]
    assert json.loads(_run(home, "inbox", "--json").stdout)["items"] == []
    (admitted,) = entries(server, "device.admitted")
    assert admitted["facts"]["name"] == "desktop"
    assert admitted["approval_id"] == pending.id


def _admit(person: Terminal, approval: str, fingerprint: str, code: str) -> None:
    """Approves the new device on the device that the user already has."""
    arguments = ("approve", approval, "--fingerprint", fingerprint)
    with _run_at_a_terminal(person.home, *arguments) as approve:
        approve.expect_exact("Let a new device sign in as")
        approve.expect_exact("desktop")
        approve.expect_exact("127.0.0.1")
        approve.expect_exact(code)
        approve.expect_exact("Approve only if you started this sign-in yourself")
        approve.expect("PIN:")
        approve.sendline(PIN)
        approve.expect_exact("Approved: Let a new device sign in as")
        approve.expect(pexpect.EOF)


def test_a_denied_terminal_leaves_no_files(server: LiveServer, person: Terminal) -> None:
    """The waiting command ends with its own exit code and stores no profile."""
    home = server.folder / f"denied-of-{person.user}"
    arguments = ["-m", "approver_tui", "login", server.url, "--pin-stdin", "--json"]
    with subprocess.Popen(
        [sys.executable, *arguments],
        env=_environment(home),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as login:
        assert login.stdin is not None
        assert login.stderr is not None
        login.stdin.write(f"{PIN}\n")
        login.stdin.close()
        code = next(
            match[1]
            for line in login.stderr
            if (match := re.fullmatch(r" {4}([A-Z]{4}-[A-Z]{4})\n", line))
        )
        assert _type_the_code(server, person.user, code) == 303
        pending = person.only_request()
        denied = _run(person.home, "deny", pending.id, "--code", "suspicious", "--json")
        assert json.loads(denied.stdout)["kind"] == "device"
        rest = login.stderr.read()
        assert login.wait(40) == 5
    assert '"error": "access_denied"' in rest
    assert not list((home / "profiles").glob("*"))
