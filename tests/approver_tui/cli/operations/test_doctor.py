"""`doctor` finds problems and prints how to fix them."""

import json

import pytest

from approver_tui import settings
from approver_tui.client.operations import diagnosis
from approver_tui.client.sign_in import tokens
from approver_tui.client.sign_in.profile import Home
from approver_tui.client.sign_in.tokens import TokenKeeper
from tests.approver_tui.cli.conftest import PIN
from tests.support.builders.approval_texts import to_rfc3339


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Shorten the wait for the live feed, which the fake server does not have."""
    monkeypatch.setattr(diagnosis, "_FEED_SECONDS", 0.1)


def findings(result, level):
    """Return what `doctor` found at one level."""
    return [item["what"] for item in read_document(result)["items"] if item["level"] == level]


def read_document(result):
    """Return the JSON document, and check that the exit code matches it."""
    assert result.err == ""
    document = json.loads(result.out)
    assert result.code == int(document["broken"])
    return document


def test_doctor_without_a_login_says_how_to_log_in(run):
    """Without a login, `doctor` exits with 1 and prints the login command."""
    assert findings(run("doctor", "--json"), "broken") == ["You are not logged in on this machine."]
    result = run("doctor")
    assert result.code == 1
    assert "sayso-approver login URL" in result.out


@pytest.mark.parametrize("content", ["plain = ", 'key_approve = "d"'])
def test_invalid_settings_are_broken(run, content):
    """Invalid settings are the first finding, with the file to fix."""
    path = settings.settings_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    result = run("doctor", "--json", "--notify")
    first = read_document(result)["items"][0]
    assert first["level"] == "broken"
    assert str(path) in first["what"]
    assert first["fix"] == f"Fix {path}, or remove it"


def test_a_feed_that_cannot_connect_is_broken(logged_in):
    """Without the live feed, for example behind a proxy without WebSockets, the app is offline."""
    (what,) = findings(logged_in("doctor", "--json"), "broken")
    assert "live feed cannot connect" in what


def test_an_unreachable_server_is_reported(logged_in, server):
    """An unreachable server is the only broken item."""
    server.stop()
    (what,) = findings(logged_in("doctor", "--json"), "broken")
    assert what == f"{server.issuer} does not respond."


def test_a_session_that_cannot_be_stored_is_broken(logged_in, monkeypatch):
    """The fix is about this machine, not about the server."""

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tokens, "save", fail)
    monkeypatch.setattr(TokenKeeper, "_is_valid_for", lambda *_: False)
    result = logged_in("doctor", "--json")
    (item,) = [item for item in read_document(result)["items"] if item["level"] == "broken"]
    assert "No space left on device" in item["what"]
    assert "free space on its disk" in item["fix"]


def test_an_ended_session_is_broken(logged_in, server):
    """The fix for an ended session is to log in again."""
    server.revoked.append("self")
    server.refresh_token = ""
    result = logged_in("doctor", "--json")
    (item,) = [item for item in read_document(result)["items"] if item["level"] == "broken"]
    assert "login" in item["fix"]


def test_files_that_others_can_read_are_broken(logged_in):
    """Each file is named together with the command that makes it private."""
    home = Home.in_folder(settings.load().home)
    home.profile_file.chmod(0o644)
    assert f"Others can read {home.profile_file}." in findings(
        logged_in("doctor", "--json"), "broken"
    )
    assert f"chmod 600 {home.profile_file}" in logged_in("doctor").out


def test_problems_of_the_device_are_reported(logged_in, server, monkeypatch):
    """The findings include wrong PINs, a lock, an exhausted PIN, a new device and a wrong clock."""
    device = server.device
    changes = {}
    monkeypatch.setattr(server, "device", lambda **kw: device(**kw) | changes)
    pin = {"tries": 3, "left": 7, "locked": False, "exhausted": False}
    changes["pin"] = pin
    server.clock_ahead = 60_000
    weak = findings(logged_in("doctor", "--json"), "weak")
    assert "This machine's clock is 60 s behind the server's." in weak
    assert "3 wrong PINs were entered here since the last correct one." in weak
    changes |= {"pin": pin | {"locked": True}, "high_from": to_rfc3339(server.now() + 3_600_000)}
    result = logged_in("doctor", "--json")
    assert "This device is locked after too many wrong PINs." in findings(result, "broken")
    assert "This device is new and cannot approve high-risk requests yet." in findings(
        result, "note"
    )
    changes["pin"] = pin | {"exhausted": True}
    result = logged_in("doctor", "--json")
    assert "This PIN has had too many wrong attempts." in findings(result, "broken")


def test_a_readable_server_folder_is_a_weakness(logged_in, tmp_path):
    """A program that can read the server's folder can do without the PIN."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "master.key").write_text("k")
    weak = findings(logged_in("doctor", "--json"), "weak")
    assert any("Every program you run can read" in what for what in weak)


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"TERM": "xterm-kitty"}, "ring the bell and send osc99"),
        ({"SAYSO_APPROVER_NOTIFY_HIGH": "bell"}, "Notifications for high risk: bell."),
        ({"TERM": "xterm", "SAYSO_APPROVER_NOTIFY_TERMINAL": "none"}, "Only the bell"),
        ({"TERM": "dumb"}, "only plain lines"),
        ({"TERM": "tmux", "TMUX": "x", "PATH": ""}, "tmux blocks notifications"),
    ],
)
def test_the_alert_method_is_reported(run, monkeypatch, environment, words):
    """The reported method depends on the terminal and on the settings."""
    for name in ("TERM_PROGRAM", "KITTY_WINDOW_ID", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert words in run("doctor").out


def test_notify_reports_what_was_sent(run, monkeypatch, tmp_path):
    """Without a terminal there is no bell, and the desktop is notified by the installed program."""
    message_file = tmp_path / "said"
    program = tmp_path / "notify-send"
    program.write_text(f'#!/bin/sh\necho "$4" > {message_file}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    tried = read_document(run("doctor", "--notify", "--json"))["tried"]
    assert tried[0] == "No bell: stderr is not a terminal."
    assert tried[-1] == "Sent a desktop notification with notify-send."
    assert message_file.read_text().startswith(
        "Sayso: 1 high-risk request is waiting for you (test: desktop)"
    )
    assert PIN not in str(tried)
