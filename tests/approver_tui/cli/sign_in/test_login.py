"""Logging in: a code once, a PIN never as an argument."""

import json

import pytest

from approver_tui.cli.exits import Exit
from tests.approver_tui.cli.conftest import PIN
from tests.support.builders.approval_texts import USER
from tests.support.fakes.fake_device_auth import DEVICE
from tests.support.fakes.fake_server import CODE
from tests.support.fakes.fake_wire import USER_CODE


def test_login_says_who_and_where(run, server):
    """One document: server, person, device, where the keys lie, what is weak."""
    done = run(
        "login", server.url, "--code", CODE, "--name", "laptop", "--pin-stdin", "--json", stdin=PIN
    )
    assert done.document == {
        "schema": "sayso.login/1",
        "profile": "default",
        "issuer": server.issuer,
        "user": {"id": USER, "name": "alice"},
        "device": {"id": DEVICE, "name": "laptop"},
        "secrets": "files",
        "warnings": [],
    }


def test_login_prints_the_next_command(run, server):
    """A person reads what to do next, and that keys lie in files."""
    done = run("login", server.url, "--code", CODE, "--pin-stdin", stdin=PIN)
    assert done.out.endswith("See your requests: sayso-approver\n")
    assert "session key is stored in files" in done.out


def test_code_and_pin_come_from_two_lines(run, server):
    """The first line is the code, the second the PIN, whatever ends a line."""
    stdin = f"{CODE.lower()}\r\n{PIN}\r\n"
    done = run("login", server.url, "--code-stdin", "--pin-stdin", "--json", stdin=stdin)
    assert done.code == 0
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
        (["--code", CODE, "--pin-stdin", "--name", "a/b"], PIN, Exit.USAGE),
        (["--code", CODE, "--pin", PIN], "", Exit.USAGE),
        (["--code", "AAAA-BBBB", "--pin-stdin"], PIN, Exit.LOGIN_FIRST),
    ],
    ids=["short", "no line", "no terminal", "both", "name", "argument", "wrong code"],
)
def test_a_login_that_cannot_work_leaves_nothing(run, server, tmp_path, arguments, stdin, code):
    """The right exit code, an error as JSON, no code spent, no file kept."""
    done = run("login", server.url, "--json", *arguments, stdin=stdin)
    assert done.code == code
    assert done.error["detail"]
    assert not server.code_used
    assert not (tmp_path / "home" / "profiles").exists()


def test_without_a_code_another_device_lets_this_one_in(run, server):
    """Where to go and what to type stand on stderr; a pipe gets no picture."""
    done = run("login", server.url, "--name", "laptop", "--pin-stdin", "--json", stdin=PIN)
    assert done.code == 0
    assert json.loads(done.out)["device"] == {"id": DEVICE, "name": "laptop"}
    assert f"{server.issuer}/device" in done.err
    assert USER_CODE in done.err
    assert f"sayso-approver login {server.url} --code CODE" in done.err
    assert "█" not in done.err
    assert run("inbox", "--json").code == 0


@pytest.mark.parametrize(
    ("refusal", "code"),
    [("access_denied", Exit.NOT_ALLOWED), ("expired_token", Exit.EXPIRED)],
)
def test_a_sign_in_that_nobody_let_in_leaves_nothing(run, server, tmp_path, refusal, code):
    """Denied is not expired, and neither leaves a file."""
    server.sign_in = [refusal]
    done = run("login", server.url, "--pin-stdin", stdin=PIN)
    assert done.code == code
    assert not (tmp_path / "home" / "profiles").exists()


def test_a_living_login_is_not_thrown_away(logged_in, server):
    """Logging in over it is a conflict, and names the way out."""
    done = logged_in("login", server.url, "--code", CODE, "--pin-stdin", stdin=PIN)
    assert done.code == Exit.CONFLICT
    assert "sayso-approver logout" in done.err


def test_a_dead_login_makes_room(logged_in, server):
    """Once the server has ended the session, a new code is all it takes."""
    server.tokens.clear()
    server.refresh_token, server.code_used = "another", False
    done = logged_in("login", server.url, "--code", CODE, "--pin-stdin", "--json", stdin=PIN)
    assert done.document["user"]["name"] == "alice"


def test_plain_http_to_another_machine_is_refused(run):
    """Everyone on the way could read the code."""
    url = "http://approvals.example"
    done = run("login", url, "--code", CODE, "--pin-stdin", stdin=PIN)
    assert done.code == Exit.USAGE
    assert "https://" in done.err


def test_plain_http_to_another_machine_is_tried_where_that_is_wanted(run):
    """At an address of nobody, so that the next thing that fails is the way to it."""
    url = "http://127.0.0.2:1"
    flags = ("--code", CODE, "--pin-stdin")
    assert "https://" in run("login", url, *flags, stdin=PIN).err
    done = run("login", url, "--insecure", *flags, stdin=PIN)
    assert done.code == Exit.UNREACHABLE
    assert "https://" not in done.err


def test_a_readable_server_folder_is_said(run, server, tmp_path):
    """A PIN does not protect from whoever can read the server's keys, and login says so."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "master.key").write_bytes(b"k")
    done = run("login", server.url, "--code", CODE, "--pin-stdin", "--json", stdin=PIN)
    assert str(tmp_path / "data") in done.document["warnings"][0]


def test_logout_and_then_log_in_first(logged_in, server):
    """Afterwards every verb says what to do."""
    assert logged_in("logout", "--json").document["server_told"] is True
    assert server.revoked == ["self"]
    for verb in ("whoami", "status", "inbox", "history", "devices", "logout", "watch"):
        done = logged_in(verb)
        assert done.code == Exit.LOGIN_FIRST
        assert "sayso-approver login" in done.err


def test_logout_without_the_server_says_what_is_left(logged_in, server):
    """The keys are gone here; the device still stands there."""
    server.stop()
    done = logged_in("logout")
    assert done.code == 0
    assert DEVICE in done.out


def test_a_login_whose_server_is_down_is_a_login_all_the_same(logged_in, server):
    """Another one is refused with both ways on, and not with the old server's silence."""
    server.stop()
    url = "https://other.example"
    done = logged_in("login", url, "--code", CODE, "--pin-stdin", "--json", stdin=PIN)
    assert done.code == Exit.CONFLICT
    assert done.error["error"] == "already_logged_in"
    assert "Log out first: sayso-approver logout" in done.error["detail"]
    assert "sayso-approver --profile NAME login URL" in done.error["detail"]


@pytest.mark.parametrize("url", ["ftp://approvals.example", "approvals.example", "https://"])
def test_what_is_no_address_of_a_server_is_bad_usage(run, url):
    """As every value that cannot be taken."""
    done = run("login", url, "--code", CODE, "--pin-stdin", stdin=PIN)
    assert done.code == Exit.USAGE
    assert "begins with https://" in done.err
