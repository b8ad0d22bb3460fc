"""Several servers on one machine: which login a command uses."""

import pytest

from approver_tui.cli.exits import Exit
from approver_tui.client.operations import diagnosis
from tests.approver_tui.cli.conftest import PIN
from tests.support.builders.approval_texts import USER
from tests.support.fakes.fake_device_auth import DEVICE
from tests.support.fakes.fake_server import CODE, FakeServer


@pytest.fixture
def other():
    """A second server."""
    with FakeServer() as running:
        yield running


@pytest.fixture
def both(logged_in, other):
    """The command on a machine that is logged in to two servers."""
    login = ("login", other.url, "--code", CODE, "--name", "laptop", "--pin-stdin")
    done = logged_in("--profile", "work", *login, stdin=PIN)
    assert done.code == 0, done
    return logged_in


def _issuer(run, *flags):
    return run(*flags, "whoami", "--json").document["issuer"]


def test_each_profile_is_its_own_login(both, server, other):
    """A request from one server is listed and answered only with that server's profile."""
    assert _issuer(both) == server.issuer
    assert _issuer(both, "--profile", "work") == other.issuer
    item = other.add()
    assert both("inbox", "--json").document["items"] == []
    (listed,) = both("--profile", "work", "inbox", "--json").document["items"]
    assert listed["id"] == item["id"]
    answer = ("approve", listed["id"], "--fingerprint", listed["fingerprint"], "--pin-stdin")
    assert both("--profile", "work", *answer, stdin=PIN).code == 0


def test_the_flag_overrides_the_environment_and_the_file(both, server, other, monkeypatch):
    """The profile is looked up in the same order as every other setting."""
    assert both("config", "set", "profile", "work").code == 0
    assert _issuer(both) == other.issuer
    monkeypatch.setenv("SAYSO_APPROVER_PROFILE", "default")
    assert _issuer(both) == server.issuer
    assert _issuer(both, "--profile=work") == other.issuer


def test_whoami_and_status_name_the_profile(both, monkeypatch):
    """Both commands print the profile's name, in plain lines and in JSON. `doctor` does too."""
    monkeypatch.setattr(diagnosis, "_FEED_SECONDS", 0.1)
    assert "profile:       work" in both("--profile", "work", "whoami").out
    assert both("--profile", "work", "whoami", "--json").document["profile"] == "work"
    assert both("status", "--json").document["profile"] == "default"
    assert "profile:       default" in both("status").out
    doctor_output = both("--profile", "work", "doctor").out
    assert "Checked profile: work." in doctor_output
    assert "Other profiles: default." in doctor_output


def test_all_profiles_are_listed(both, server, other):
    """The list has the server of each profile and marks the profile in use."""
    user, device = {"id": USER, "name": "alice"}, {"id": DEVICE, "name": "laptop"}
    items = both("profiles", "--json").document["items"]
    assert items == [
        {
            "name": name,
            "in_use": name == "default",
            "issuer": profile_server.issuer,
            "user": user,
            "device": device,
        }
        for name, profile_server in (("default", server), ("work", other))
    ]
    text = both("--profile", "work", "profiles").out
    assert "work, in use" in text
    assert other.issuer in text
    assert "sayso-approver config set profile NAME" in text


def test_an_unreadable_profile_does_not_hide_the_others(both, tmp_path):
    """An unreadable profile is listed with the command that fixes it."""
    (tmp_path / "home" / "profiles" / "work.json").write_text("{")
    items = both("profiles", "--json").document["items"]
    assert [item["issuer"] is None for item in items] == [False, True]
    assert "sayso-approver --profile work login URL" in both("profiles").out


def test_an_empty_list_of_profiles_has_the_next_command(run):
    """Without any profile, the output has the login command."""
    assert "sayso-approver login URL" in run("profiles").out
    assert run("profiles", "--json").document["items"] == []


def test_an_unknown_profile_error_lists_the_profiles(both):
    """The error also suggests the login command with the requested profile name."""
    done = both("--profile", "elsewhere", "inbox")
    assert done.code == Exit.LOGIN_FIRST
    assert "no login named elsewhere on this machine. Existing logins: default, work." in done.err
    assert "sayso-approver --profile elsewhere login URL" in done.err
    assert "sayso-approver login URL" not in done.err


@pytest.mark.parametrize("name", ["../x", "A", "", "-"])
def test_an_invalid_profile_name_is_a_usage_error(run, name):
    """The error describes a valid profile name."""
    done = run(f"--profile={name}", "inbox")
    assert done.code == Exit.USAGE
    assert "a profile name must have 1 to 32 lowercase letters" in done.err


def test_logging_out_of_one_server_keeps_the_other(both, other):
    """The other profile stays logged in."""
    assert both("logout").code == 0
    assert both("inbox").code == Exit.LOGIN_FIRST
    assert _issuer(both, "--profile", "work") == other.issuer


def test_a_second_login_with_the_same_name_says_how_to_keep_both(logged_in, other):
    """The error suggests logging in to the second server under a new profile name."""
    done = logged_in("login", other.url, "--code", CODE, "--pin-stdin", stdin=PIN)
    assert done.code == Exit.CONFLICT
    assert "sayso-approver --profile NAME login URL" in done.err
