"""`login` and `logout`; the PIN is never an argument."""

import json

import pytest

from approver_tui.cli.exits import Exit
from tests.approver_tui.cli.conftest import PIN
from tests.support.builders.approval_texts import USER
from tests.support.fakes.fake_device_auth import DEVICE
from tests.support.fakes.fake_server import CODE
from tests.support.fakes.fake_wire import USER_CODE


def test_login_prints_user_device_and_server(run, server):
    """The document also says where the keys are stored and which weaknesses were found."""
    result = run(
        "login", server.url, "--code", CODE, "--name", "laptop", "--pin-stdin", "--json", stdin=PIN
    )
    assert result.document == {
        "schema": "sayso.login/1",
        "profile": "default",
        "issuer": server.issuer,
        "user": {"id": USER, "name": "alice"},
        "device": {"id": DEVICE, "name": "laptop"},
        "secrets": "files",
        "warnings": [],
    }


def test_login_prints_the_next_command(run, server):
    """The output ends with the next command and says that the session key is stored in files."""
    result = run("login", server.url, "--code", CODE, "--pin-stdin", stdin=PIN)
    assert result.out.endswith("See your requests: sayso-approver\n")
    assert "session key is stored in files" in result.out


def test_code_and_pin_are_read_from_two_lines(run, server):
    """The first line is the code and the second the PIN; CRLF line endings are accepted."""
    stdin = f"{CODE.lower()}\r\n{PIN}\r\n"
    result = run("login", server.url, "--code-stdin", "--pin-stdin", "--json", stdin=stdin)
    assert result.code == 0
    server.add()
    item = run("inbox", "--json").document["items"][0]
    approve = ("approve", item["id"], "--fingerprint", item["fingerprint"], "--pin-stdin")
    assert run(*approve, stdin=PIN).code == 0


@pytest.mark.parametrize(
    ("arguments", "stdin", "code"),
    [
        (["--code", CODE, "--pin-stdin"], "12345\n", Exit.USAGE),
        (["--code", CODE, "--pin-stdin"], "", Exit.USAGE),
        (["--code", CODE], PIN, Exit.NOT_ALLOWED),
        (["--code", CODE, "--code-stdin", "--pin-stdin"], PIN, Exit.USAGE),
        (["--code", CODE, "--pin-stdin", "--name", "a[b]"], PIN, Exit.USAGE),
        (["--code", CODE, "--pin", PIN], "", Exit.USAGE),
        (["--code", "AAAA-BBBB", "--pin-stdin"], PIN, Exit.LOGIN_FIRST),
    ],
    ids=["short", "no line", "no terminal", "both", "name", "argument", "wrong code"],
)
def test_a_failed_login_leaves_nothing(run, server, tmp_path, arguments, stdin, code):
    """After a failed login, the code is still unused and no profile exists."""
    result = run("login", server.url, "--json", *arguments, stdin=stdin)
    assert result.code == code
    assert result.error["detail"]
    assert not server.code_used
    assert not list((tmp_path / "home" / "profiles").glob("*"))


def test_login_without_a_code_is_approved_on_another_device(run, server):
    """The page and the code are printed on stderr, without a QR code if it is not a terminal."""
    result = run("login", server.url, "--name", "laptop", "--pin-stdin", "--json", stdin=PIN)
    assert result.code == 0
    assert json.loads(result.out)["device"] == {"id": DEVICE, "name": "laptop"}
    assert f"{server.issuer}/device" in result.err
    assert USER_CODE in result.err
    assert f"sayso-approver login {server.url} --code CODE" in result.err
    assert "No browser? On that device, run sayso-approver devices add" in result.err
    assert "█" not in result.err
    assert run("inbox", "--json").code == 0


@pytest.mark.parametrize(
    ("refusal", "code"),
    [("access_denied", Exit.NOT_ALLOWED), ("expired_token", Exit.EXPIRED)],
)
def test_a_login_that_is_not_approved_leaves_nothing(run, server, tmp_path, refusal, code):
    """A denied login and an expired one have different exit codes."""
    server.sign_in = [refusal]
    result = run("login", server.url, "--pin-stdin", stdin=PIN)
    assert result.code == code
    assert not list((tmp_path / "home" / "profiles").glob("*"))


def test_an_active_login_is_not_replaced(logged_in, server):
    """A second login is a conflict, and the error says how to log out."""
    result = logged_in("login", server.url, "--code", CODE, "--pin-stdin", stdin=PIN)
    assert result.code == Exit.CONFLICT
    assert "sayso-approver logout" in result.err


def test_an_ended_login_is_replaced(logged_in, server):
    """If the session has ended, a new code is enough to log in again."""
    server.tokens.clear()
    server.refresh_token, server.code_used = "another", False
    result = logged_in("login", server.url, "--code", CODE, "--pin-stdin", "--json", stdin=PIN)
    assert result.document["user"]["name"] == "alice"


def test_plain_http_to_another_machine_is_refused(run):
    """With plain HTTP, others on the network could read the code."""
    url = "http://approvals.example"
    result = run("login", url, "--code", CODE, "--pin-stdin", stdin=PIN)
    assert result.code == Exit.USAGE
    assert "https://" in result.err


def test_insecure_allows_plain_http(run):
    """With --insecure, the only error left is that the server cannot be reached."""
    url = "http://127.0.0.2:1"
    flags = ("--code", CODE, "--pin-stdin")
    assert "https://" in run("login", url, *flags, stdin=PIN).err
    result = run("login", url, "--insecure", *flags, stdin=PIN)
    assert result.code == Exit.UNREACHABLE
    assert "https://" not in result.err


def test_login_warns_of_a_readable_server_folder(run, server, tmp_path):
    """The PIN does not protect against a program that can read the server's keys."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "master.key").write_bytes(b"k")
    result = run("login", server.url, "--code", CODE, "--pin-stdin", "--json", stdin=PIN)
    assert str(tmp_path / "data") in result.document["warnings"][0]


def test_after_logout_every_command_says_to_log_in(logged_in, server):
    """After a logout, every command exits with 4 and names the login command."""
    assert logged_in("logout", "--json").document["server_confirmed"] is True
    assert server.revoked == ["self"]
    for verb in ("whoami", "status", "inbox", "history", "devices", "logout", "watch"):
        result = logged_in(verb)
        assert result.code == Exit.LOGIN_FIRST
        assert "sayso-approver login" in result.err


def test_logout_without_the_server_says_what_is_left(logged_in, server):
    """The keys are deleted here, and the output names the device that the server still lists."""
    server.stop()
    result = logged_in("logout")
    assert result.code == 0
    assert DEVICE in result.out


def test_a_login_with_an_unreachable_server_counts_as_active(logged_in, server):
    """The error offers two solutions: log out first, or log in under a different profile name."""
    server.stop()
    url = "https://other.example"
    result = logged_in("login", url, "--code", CODE, "--pin-stdin", "--json", stdin=PIN)
    assert result.code == Exit.CONFLICT
    assert result.error["error"] == "already_logged_in"
    assert "Log out first: sayso-approver logout" in result.error["detail"]
    assert "sayso-approver --profile NAME login URL" in result.error["detail"]


@pytest.mark.parametrize("url", ["ftp://approvals.example", "approvals.example", "https://"])
def test_an_invalid_server_address_is_a_usage_error(run, url):
    """The error says that the address must begin with https://."""
    result = run("login", url, "--code", CODE, "--pin-stdin", stdin=PIN)
    assert result.code == Exit.USAGE
    assert "starts with https://" in result.err
