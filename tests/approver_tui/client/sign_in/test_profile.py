"""Profile files are private, and those of two profiles are separate."""

import json
import stat
from dataclasses import replace

import pytest

from approver_tui.client.errors import BrokenProfile
from approver_tui.client.sign_in import profile
from approver_tui.client.sign_in.profile import Home, Profile, is_name

MINE = Profile(
    issuer="https://as.example",
    user_id="u",
    user_name="alice",
    device_id="d",
    device_name="laptop",
    salt="s",
    low_blob="l",
    high_blob="h",
    low_key="lk",
    high_key="hk",
    vault="files",
)


def test_a_profile_is_loaded_as_it_was_saved(home):
    """A loaded profile equals the saved one."""
    profile.save(home, MINE)
    assert profile.load(home) == MINE


def test_other_users_cannot_read_the_profile(home):
    """The file has mode 0600 and its folder 0700."""
    profile.save(home, MINE)
    assert stat.S_IMODE(home.profile_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(home.profile_file.parent.stat().st_mode) == 0o700


def test_saving_leaves_no_temporary_file(home):
    """The file is written under a temporary name and renamed."""
    profile.save(home, MINE)
    profile.save(home, MINE)
    assert list(home.profile_file.parent.iterdir()) == [home.profile_file]


def test_before_a_login_there_is_no_profile(home):
    """A missing profile file is not an error."""
    assert profile.load(home) is None


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", '{"format": 2}', '{"format":1,"profile":{}}'],
)
def test_a_broken_profile_is_reported(home, content):
    """A file that is not a valid profile raises BrokenProfile."""
    profile.save(home, MINE)
    home.profile_file.write_text(content)
    with pytest.raises(BrokenProfile):
        profile.load(home)


def test_a_member_of_the_wrong_type_is_broken(home):
    """A wrong type is detected when the file is loaded, not when the value is used."""
    profile.save(home, MINE)
    document = json.loads(home.profile_file.read_text())
    document["profile"]["salt"] = 7
    home.profile_file.write_text(json.dumps(document))
    with pytest.raises(BrokenProfile):
        profile.load(home)


def test_a_named_folder_disables_the_keyring(tmp_path):
    """If the user names a folder, all secrets are stored there."""
    assert not Home.in_folder(tmp_path).may_use_keyring
    assert Home.in_folder(None).may_use_keyring


def test_two_profiles_share_no_file(home):
    """Each profile has its own login, secrets, lock and cursor."""
    work = home.with_profile("work")
    profile.save(home, MINE)
    profile.save(work, replace(MINE, issuer="https://work.example"))
    assert home.names == work.names == ("default", "work")
    assert profile.load(work).issuer == "https://work.example"
    assert profile.load(home) == MINE
    for attribute in ("profile_file", "secrets_folder", "lock_file", "cursor_file"):
        assert getattr(home, attribute) != getattr(work, attribute)


def test_removing_one_profile_keeps_the_other(home):
    """A user who leaves one server stays logged in to the other."""
    work = home.with_profile("work")
    profile.save(home, MINE)
    profile.save(work, MINE)
    profile.remove(home)
    assert home.names == ("work",)
    assert profile.load(home) is None


@pytest.mark.parametrize("name", ["", "a/b", "..", "Work", "-x", "a" * 33, "a.b", "wörk", "a\n"])
def test_a_name_that_is_not_a_safe_file_name_is_rejected(name):
    """Names that some file systems confuse, or that look like a flag, are rejected too."""
    assert not is_name(name)
    assert is_name("work-2_b")
