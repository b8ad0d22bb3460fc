"""The exit code of every error."""

import io
import re
import signal
import sys

import pexpect
import pytest

from approver_tui.cli.exits import BY_CODE, BY_STATUS, Exit, error_document, error_lines, exit_code
from approver_tui.client.errors import ApiError
from server.http import openapi
from server.http.routes import ROUTES
from tests.support.builders.site import ISSUER
from tests.support.fakes.fake_wire import RETRY_AFTER
from tests.support.servers.server import ROOT

_ANY_OPERATION = {405, 413, 429, 500}
"""Statuses that any operation may return; the OpenAPI document does not repeat them."""
_PROXY_STATUSES = {502, 504}


def _documented_error_statuses() -> set[int]:
    """Return every error status that the OpenAPI document names."""
    paths = openapi.document(ISSUER, ROUTES)["paths"].values()
    operations = [operation for path in paths for operation in path.values()]
    statuses = {int(status) for operation in operations for status in operation["responses"]}
    return {status for status in statuses if status >= 400}


def test_the_reference_has_every_exit_code_and_no_other():
    """They have the same order. The reference also lists the reserved codes, which no error has."""
    page = (ROOT / "docs" / "reference" / "command-line.md").read_text("utf-8")
    table = page.partition("| exit of `sayso-approver` | means |")[2].partition("\n\n")[0]
    assert [int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)] == list(Exit)
    assert not {10, 11, 14} & set(Exit)
    assert "10, 11 and 14 are reserved" in page


def test_every_status_of_the_server_has_an_exit_code():
    """The table has a row for each status that the server or a proxy can return, and no others."""
    assert set(BY_STATUS) == _documented_error_statuses() | _ANY_OPERATION | _PROXY_STATUSES


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("invalid_body", 422, Exit.USAGE),
        ("not_narrower", 422, Exit.USAGE),
        ("not_grantable", 400, Exit.USAGE),
        ("invalid_decision", 422, Exit.ERROR),
        ("invalid_statement", 422, Exit.ERROR),
        ("invalid_grant", 400, Exit.LOGIN_FIRST),
        ("agent_disabled", 409, Exit.LOCKED),
        ("not_expired", 409, Exit.CONFLICT),
        ("not_found", 404, Exit.NOT_FOUND),
        ("rate_limited", 429, Exit.RATE_LIMITED),
        ("server_error", 500, Exit.ERROR),
        ("http_502", 502, Exit.UNREACHABLE),
        ("http_418", 418, Exit.ERROR),
    ],
)
def test_the_exit_code_follows_the_error_code_or_status(code, status, expected):
    """Invalid input, other refusals and an unreachable server have different exit codes."""
    assert exit_code(ApiError(code, status, "Refused.")) is expected


def test_no_code_has_the_same_exit_as_its_status():
    """A row for an error code is only needed if it differs from the row for its status."""
    refused_with = {"invalid_decision": 422, "invalid_statement": 422, "agent_disabled": 409}
    for code, exit_ in BY_CODE.items():
        assert BY_STATUS[refused_with.get(code, 400)] is not exit_


def test_an_unknown_user_is_a_usage_error(logged_in, server):
    """The user typed an unknown name, so the exit code is that of a usage error."""
    approval = server.add()
    command = ("deny", approval["id"], "--code", "ask_other", "--ask", "nobody", "--json")
    result = logged_in(*command)
    assert (result.code, result.error["error"]) == (Exit.USAGE, "invalid_body")
    assert approval["state"] == "pending"


def test_a_system_error_has_a_code_and_a_message():
    """The code is `os_error`, not `o_s_error`, and the message names the file."""
    document = error_document(OSError(28, "No space left on device", "/x/config.toml"), Exit.ERROR)
    assert document["error"] == "os_error"
    assert document["detail"] == "No space left on device: /x/config.toml."


@pytest.mark.parametrize(
    ("detail", "text"),
    [
        ("/retry_at: must be in the future.", "retry at: must be in the future."),
        ("Ask /admin for access.", "Ask /admin for access."),
        ("/0/amount: is not less.", "/0/amount: is not less."),
    ],
)
def test_a_refused_member_is_named_in_words(detail, text):
    """The server names a member by a JSON pointer, which means nothing to people."""
    error = ApiError("invalid_body", 422, detail)
    assert error_lines(error)[0] == f"Error: {text}"
    assert error.detail == detail


def test_a_rate_limit_reports_when_to_retry(logged_in, server):
    """The command does not retry by itself; its error has the number of seconds to wait."""
    server.faults.is_rate_limited = True
    result = logged_in("inbox", "--json")
    assert (result.code, result.error["error"]) == (Exit.RATE_LIMITED, "rate_limited")
    assert result.error["retry_after"] == RETRY_AFTER
    assert logged_in("inbox", "--json").code == Exit.DONE


class _Interrupted(io.StringIO):
    """A stdin at which the user presses ^C instead of answering."""

    def readline(self, *_: object) -> str:
        """Raise the exception that the signal raises during a read."""
        raise KeyboardInterrupt

    read = readline


def test_an_interrupted_command_sends_no_answer(logged_in, server):
    """If ^C interrupts the read from a pipe, nothing is sent."""
    approval = server.add()
    fingerprint = logged_in("show", approval["id"], "--json").document["fingerprint"]
    command = ("approve", approval["id"], "--fingerprint", fingerprint, "--pin-stdin", "--json")
    result = logged_in(*command, stdin=_Interrupted())
    assert (result.code, result.error["detail"]) == (Exit.INTERRUPTED, "Interrupted.")
    assert approval["state"] == "pending"


def _enable_interrupts():
    """Restore the default handler, because the test runner may have been started without it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.mark.parametrize("key", ["sendintr", "sendeof"], ids=["^C", "^D"])
def test_an_interrupted_question_answers_nothing(logged_in, server, key):
    """If ^C or ^D interrupts the PIN prompt in a terminal, nothing is sent."""
    approval = server.add()
    fingerprint = logged_in("show", approval["id"], "--json").document["fingerprint"]
    command = ["-m", "approver_tui", "approve", approval["id"], "--fingerprint", fingerprint]
    with pexpect.spawn(
        sys.executable, command, encoding="utf-8", timeout=60, preexec_fn=_enable_interrupts
    ) as terminal:
        terminal.expect("PIN:")
        getattr(terminal, key)()
        terminal.expect("Error: Interrupted.")
        terminal.expect(pexpect.EOF)
        terminal.wait()
    assert terminal.exitstatus == Exit.INTERRUPTED
    assert approval["state"] == "pending"
