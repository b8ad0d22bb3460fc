"""The exit code of every error."""

import io
import re
import signal
import sys

import pexpect
import pytest

from approver_tui.cli.exits import BY_CODE, BY_STATUS, Exit, exit_code
from approver_tui.client.errors import ApiError
from server.http import openapi
from server.http.routes import ROUTES
from tests.support.builders.site import ISSUER
from tests.support.fakes.fake_wire import RETRY_AFTER
from tests.support.servers.server import ROOT

_UNSAID = {405, 413, 429, 500}
"""What no operation of the document names, because any may be refused so."""
_OF_A_PROXY = {502, 504}


def _told() -> set[int]:
    """Every status with which the document says that something is refused."""
    paths = openapi.document(ISSUER, ROUTES)["paths"].values()
    operations = [operation for path in paths for operation in path.values()]
    statuses = {int(status) for one in operations for status in one["responses"]}
    return {status for status in statuses if status >= 400}


def test_the_reference_has_every_exit_code_and_no_other():
    """It also lists the reserved ones."""
    page = (ROOT / "docs" / "reference" / "command-line.md").read_text("utf-8")
    table = page.partition("| exit of `sayso-approver` | means |")[2].partition("\n\n")[0]
    assert {int(found) for found in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)} == set(Exit)
    assert not {10, 11, 14} & set(Exit)
    assert "10, 11 and 14 are reserved" in page


def test_every_status_of_the_server_has_an_exit_code():
    """There are no unused rows."""
    assert set(BY_STATUS) == _told() | _UNSAID | _OF_A_PROXY


@pytest.mark.parametrize(
    ("code", "status", "exit_"),
    [
        ("invalid_body", 422, Exit.USAGE),
        ("not_narrower", 422, Exit.USAGE),
        ("not_grantable", 400, Exit.USAGE),
        ("invalid_decision", 422, Exit.ERROR),
        ("invalid_statement", 422, Exit.ERROR),
        ("invalid_grant", 400, Exit.LOGIN_FIRST),
        ("agent_stopped", 409, Exit.LOCKED),
        ("not_expired", 409, Exit.CONFLICT),
        ("not_found", 404, Exit.NOT_FOUND),
        ("rate_limited", 429, Exit.RATE_LIMITED),
        ("server_error", 500, Exit.ERROR),
        ("http_502", 502, Exit.UNREACHABLE),
        ("http_418", 418, Exit.ERROR),
    ],
)
def test_a_refusal_exits_by_its_code_or_status(code, status, exit_):
    """Invalid input, other refusals and an unreachable server differ."""
    assert exit_code(ApiError(code, status, "Refused.")) is exit_


def test_no_code_has_the_same_exit_as_its_status():
    """A row for a code is an exception from its status."""
    refused_with = {"invalid_decision": 422, "invalid_statement": 422, "agent_stopped": 409}
    for code, exit_ in BY_CODE.items():
        assert BY_STATUS[refused_with.get(code, 400)] is not exit_


def test_an_unknown_user_is_a_usage_error(logged_in, server):
    """The name was typed."""
    asked = server.add()
    command = ("deny", asked["id"], "--code", "ask_other", "--ask", "nobody", "--json")
    done = logged_in(*command)
    assert (done.code, done.error["error"]) == (Exit.USAGE, "invalid_body")
    assert asked["state"] == "pending"


def test_a_rate_limit_reports_when_to_retry(logged_in, server):
    """The command does not retry by itself."""
    server.faults.is_too_often = True
    done = logged_in("inbox", "--json")
    assert (done.code, done.error["error"]) == (Exit.RATE_LIMITED, "rate_limited")
    assert done.error["retry_after"] == RETRY_AFTER
    assert logged_in("inbox", "--json").code == Exit.DONE


class _Interrupted(io.StringIO):
    """A stdin at which somebody presses ^C instead of an answer."""

    def readline(self, *_: object) -> str:
        """The signal interrupts the wait for a line in this way."""
        raise KeyboardInterrupt

    read = readline


def test_an_interrupted_command_answers_nothing(logged_in, server):
    """While it waits for a line from a pipe."""
    asked = server.add()
    code = logged_in("show", asked["id"], "--json").document["fingerprint"]
    command = ("approve", asked["id"], "--fingerprint", code, "--pin-stdin", "--json")
    done = logged_in(*command, stdin=_Interrupted())
    assert (done.code, done.error["detail"]) == (Exit.INTERRUPTED, "Interrupted.")
    assert asked["state"] == "pending"


def _heeds_interrupts():
    """As at a terminal; whatever runs the tests may have been started beside something else."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.mark.parametrize("end", ["sendintr", "sendeof"], ids=["^C", "^D"])
def test_an_interrupted_question_answers_nothing(logged_in, server, end):
    """The PIN question of a terminal is interrupted."""
    asked = server.add()
    code = logged_in("show", asked["id"], "--json").document["fingerprint"]
    command = ["-m", "approver_tui", "approve", asked["id"], "--fingerprint", code]
    with pexpect.spawn(
        sys.executable, command, encoding="utf-8", timeout=60, preexec_fn=_heeds_interrupts
    ) as terminal:
        terminal.expect("PIN:")
        getattr(terminal, end)()
        terminal.expect("Error: Interrupted.")
        terminal.expect(pexpect.EOF)
        terminal.wait()
    assert terminal.exitstatus == Exit.INTERRUPTED
    assert asked["state"] == "pending"
