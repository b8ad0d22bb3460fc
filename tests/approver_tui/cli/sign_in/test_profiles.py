"""Several servers on one machine: which login a command uses."""

import pytest

from approver_tui import settings
from approver_tui.cli.exits import Exit
from approver_tui.client.operations import diagnosis
from approver_tui.client.sign_in.profile import Home
from approver_tui.wiring import app_environment
from tests.approver_tui.cli.conftest import PIN
from tests.support.builders.approval_texts import USER
from tests.support.fakes.fake_device_auth import DEVICE
from tests.support.fakes.fake_server import CODE, FakeServer


@pytest.fixture
def second_server():
    """A second server."""
    with FakeServer() as running:
        yield running


@pytest.fixture
def run_with_both(logged_in, second_server):
    """The command on a machine that is logged in to two servers."""
    login = ("login", second_server.url, "--code", CODE, "--name", "laptop", "--pin-stdin")
    result = logged_in("--profile", "work", *login, stdin=PIN)
    assert result.code == 0, result
    return logged_in


def _issuer(run, *flags):
    return run(*flags, "whoami", "--json").document["issuer"]


def test_each_profile_is_its_own_login(run_with_both, server, second_server):
    """A request from one server is listed and answered only with that server's profile."""
    assert _issuer(run_with_both) == server.issuer
    assert _issuer(run_with_both, "--profile", "work") == second_server.issuer
    item = second_server.add()
    assert run_with_both("inbox", "--json").document["items"] == []
    (listed,) = run_with_both("--profile", "work", "inbox", "--json").document["items"]
    assert listed["id"] == item["id"]
    answer = ("approve", listed["id"], "--fingerprint", listed["fingerprint"], "--pin-stdin")
    assert run_with_both("--profile", "work", *answer, stdin=PIN).code == 0


def test_the_flag_overrides_the_environment_and_the_file(
    run_with_both, server, second_server, monkeypatch
):
    """The profile is looked up in the same order as every other setting."""
    assert run_with_both("config", "set", "profile", "work").code == 0
    assert _issuer(run_with_both) == second_server.issuer
    monkeypatch.setenv("SAYSO_APPROVER_PROFILE", "default")
    assert _issuer(run_with_both) == server.issuer
    assert _issuer(run_with_both, "--profile=work") == second_server.issuer


def test_whoami_and_status_name_the_profile(run_with_both, monkeypatch):
    """Both commands print the profile's name, in plain lines and in JSON. `doctor` does too."""
    monkeypatch.setattr(diagnosis, "_FEED_SECONDS", 0.1)
    assert "profile:       work" in run_with_both("--profile", "work", "whoami").out
    assert run_with_both("--profile", "work", "whoami", "--json").document["profile"] == "work"
    assert run_with_both("status", "--json").document["profile"] == "default"
    assert "profile:       default" in run_with_both("status").out
    doctor_output = run_with_both("--profile", "work", "doctor").out
    assert "Checked profile: work." in doctor_output
    assert "Other profiles: default." in doctor_output
    assert "sayso-approver --profile NAME doctor" in doctor_output
    assert "sayso-approver --profile work " in doctor_output


def test_all_profiles_are_listed(run_with_both, server, second_server):
    """The list has the server of each profile and marks the profile in use."""
    user, device = {"id": USER, "name": "alice"}, {"id": DEVICE, "name": "laptop"}
    items = run_with_both("profiles", "--json").document["items"]
    assert items == [
        {
            "name": name,
            "in_use": name == "default",
            "issuer": profile_server.issuer,
            "user": user,
            "device": device,
        }
        for name, profile_server in (("default", server), ("work", second_server))
    ]
    text = run_with_both("--profile", "work", "profiles").out
    assert "work, in use" in text
    assert second_server.issuer in text
    assert "sayso-approver config set profile NAME" in text


def test_an_unreadable_profile_does_not_hide_the_others(run_with_both, tmp_path):
    """An unreadable profile is listed with the command that fixes it."""
    (tmp_path / "home" / "profiles" / "work.json").write_text("{")
    items = run_with_both("profiles", "--json").document["items"]
    assert [item["issuer"] is None for item in items] == [False, True]
    assert "sayso-approver --profile work login URL" in run_with_both("profiles").out


def test_an_empty_list_of_profiles_has_the_next_command(run):
    """Without any profile, the output has the login command."""
    assert "sayso-approver login URL" in run("profiles").out
    assert run("profiles", "--json").document["items"] == []


def test_an_unknown_profile_error_lists_the_profiles(run_with_both):
    """The error also suggests the login command with the requested profile name."""
    result = run_with_both("--profile", "elsewhere", "inbox")
    assert result.code == Exit.LOGIN_FIRST
    assert "no login named elsewhere on this machine. Existing logins: default, work." in result.err
    assert "sayso-approver --profile elsewhere login URL" in result.err
    assert "sayso-approver login URL" not in result.err


@pytest.mark.parametrize("name", ["../x", "A", "", "-"])
def test_an_invalid_profile_name_is_a_usage_error(run, name):
    """The error describes a valid profile name."""
    result = run(f"--profile={name}", "inbox")
    assert result.code == Exit.USAGE
    assert "a profile name must have 1 to 32 lowercase letters" in result.err


def test_logging_out_of_one_server_keeps_the_other(run_with_both, second_server):
    """The other profile stays logged in."""
    assert run_with_both("logout").code == 0
    assert run_with_both("inbox").code == Exit.LOGIN_FIRST
    assert _issuer(run_with_both, "--profile", "work") == second_server.issuer


def test_a_second_login_with_the_same_name_says_how_to_keep_both(logged_in, second_server):
    """The error suggests logging in to the second server under a new profile name."""
    result = logged_in("login", second_server.url, "--code", CODE, "--pin-stdin", stdin=PIN)
    assert result.code == Exit.CONFLICT
    assert "sayso-approver --profile NAME login URL" in result.err


def test_a_suggested_command_uses_the_same_profile(run_with_both, second_server):
    """Without `--profile`, the command would run at the other server."""
    shown = second_server.add()
    output = run_with_both("--profile", "work", "show", shown["id"]).out
    assert f"sayso-approver --profile work approve {shown['id']}" in output
    assert f"sayso-approver --profile work deny {shown['id']}" in output


def test_advice_names_each_profile_once(run_with_both):
    """Advice about other profiles already has a profile in its command."""
    login = ("login", "http://localhost:1", "--code", CODE, "--pin-stdin")
    error = run_with_both("--profile", "work", *login, stdin=PIN).err
    assert "sayso-approver --profile work logout" in error
    assert "sayso-approver --profile NAME login URL" in error
    assert "--profile work --profile" not in error


def test_the_app_suggests_commands_for_its_own_login(run_with_both):
    """Only the sole login that needs no profile is left out of the suggested commands."""
    home = Home.in_folder(settings.load().home)

    def program(name):
        return app_environment(home.with_profile(name), settings.load(), None).program

    assert program("work") == "sayso-approver --profile work"
    assert program("default") == "sayso-approver --profile default"
    run_with_both("--profile", "work", "logout")
    assert program("default") == "sayso-approver"
