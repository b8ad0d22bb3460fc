"""Help, starting without a command, and the PIN prompt in a terminal."""

import io
import os
import subprocess
import sys

import pexpect
import pytest

from approver_tui.cli.exits import Exit
from approver_tui.cli.main import VERBS
from tests.approver_tui.cli.conftest import PIN
from tests.support.fakes.fake_server import CODE


def test_without_a_terminal_it_prints_help(logged_in):
    """If stdin is a pipe, the app does not start and prints help instead."""
    result = logged_in()
    assert result.code == 0
    assert all(verb in result.out for verb in VERBS)


def test_without_a_terminal_or_login_it_says_how_to_log_in(run):
    """A new user gets the login command in addition to the help."""
    result = run()
    assert result.code == Exit.LOGIN_FIRST
    assert all(verb in result.out for verb in VERBS)
    assert "sayso-approver login URL --code CODE" in result.err


@pytest.mark.parametrize("verb", VERBS)
def test_every_command_has_help(run, verb):
    """Every command in the table can be loaded, and -h is the same as --help."""
    result = run(verb, "--help")
    assert result.code == 0
    assert f"sayso-approver {verb}" in result.out
    assert run(verb, "-h").out == result.out


@pytest.mark.parametrize("arguments", [["nonsense"], ["--nonsense"], ["inbox", "--nonsense"]])
def test_bad_usage_exits_with_2(run, arguments):
    """With --json, a usage error is printed as a JSON object."""
    assert run(*arguments).code == Exit.USAGE
    assert run(*arguments, "--json").error["error"]


def test_status_and_whoami_agree(logged_in, server):
    """Both commands print the same user and the same server."""
    server.add()
    status = logged_in("status", "--json").document
    whoami = logged_in("whoami", "--json").document
    assert (status["waiting"], status["issuer"]) == (1, server.issuer)
    assert status["device"]["pin"] == {"tries": 0, "left": 10, "locked": False, "exhausted": False}
    assert whoami["user"]["id"] == status["user"]["id"]
    assert server.issuer in logged_in("status").out
    assert "alice" in logged_in("whoami").out


def test_a_closed_stdin_counts_as_empty():
    """A command without this file descriptor works as if it read from /dev/null."""
    command = f"exec {sys.executable} -m approver_tui <&-"
    result = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert result.stdout.startswith("Usage: sayso-approver")
    assert "Traceback" not in result.stderr


def test_closed_output_is_not_a_success():
    """A reader that has ended is quiet, as in other programs. A closed stdout is an error."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "approver_tui", "--help"]
    piped = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (piped.returncode, piped.stderr) == (141, b"")
    shell = ["sh", "-c", f"exec {' '.join(command)} >&-"]
    closed = subprocess.run(shell, capture_output=True, text=True, check=False)
    message = "Error: The standard output is closed.\n"
    assert (closed.returncode, closed.stdout, closed.stderr) == (1, "", message)


def test_help_imports_no_network_or_ui_libraries():
    """Help loads no large libraries, so that shell completion stays fast."""
    program = (
        "import sys; from approver_tui.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print({'httpx', 'textual', 'cryptography'} & set(sys.modules))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stdout.endswith("set()\n")


def test_a_terminal_is_asked_for_the_pin(server, tmp_path, monkeypatch):
    """The login asks for the PIN twice and an approval once; the PIN is never echoed."""
    monkeypatch.setenv("SAYSO_APPROVER_HOME", str(tmp_path / "terminal"))
    approval = server.add()
    command = f"-m approver_tui login {server.url} --code {CODE}"
    with _terminal(command) as login:
        for _ in range(2):
            login.expect("(PIN|confirmation).*:")
            login.sendline(PIN)
        login.expect("Logged in")
        login.expect(pexpect.EOF)
    with _terminal(f"-m approver_tui show {approval['id']}") as show:
        show.expect("--fingerprint ([0-9a-f-]{9})")
        fingerprint = show.match.group(1)
        show.expect(pexpect.EOF)
    output = io.StringIO()
    with _terminal(
        f"-m approver_tui approve {approval['id']} --fingerprint {fingerprint}"
    ) as approve:
        approve.logfile_read = output
        approve.expect("Pay EUR")
        approve.expect("PIN:")
        approve.sendline(PIN)
        approve.expect("Approved: Pay EUR")
        approve.expect(pexpect.EOF)
    assert PIN not in output.getvalue()
    assert approval["state"] == "approved"


def _terminal(command):
    return pexpect.spawn(sys.executable, command.split(), encoding="utf-8", timeout=20)
