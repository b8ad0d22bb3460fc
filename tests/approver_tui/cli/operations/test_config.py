"""`config` shows each setting with its source."""

import tomllib

import pytest

from approver_tui import settings
from approver_tui.cli.exits import Exit
from approver_tui.state.keymap import KEY_FORM


def value_of(run, name):
    """Return the value and the source of a setting as `config` prints them."""
    items = run("config", "--json").document["items"]
    return next((item["value"], item["source"]) for item in items if item["name"] == name)


def test_the_environment_overrides_the_file_which_overrides_the_default(run, monkeypatch):
    """`config` prints the source of each value."""
    path = run("config", "path").out.strip()
    assert value_of(run, "notify_low") == ("off", "default")
    assert run("config", "set", "notify_low", "bell").code == 0
    assert value_of(run, "notify_low") == ("bell", path)
    monkeypatch.setenv("SAYSO_APPROVER_NOTIFY_LOW", "desktop")
    assert value_of(run, "notify_low") == ("desktop", "SAYSO_APPROVER_NOTIFY_LOW")
    assert "notify_low          desktop  SAYSO_APPROVER_NOTIFY_LOW" in run("config").out


def test_a_change_keeps_the_other_lines(run):
    """Comments and other settings are kept. A setting that is changed has only one line."""
    path = settings.load().file
    path.parent.mkdir(parents=True)
    path.write_text("# mine\nplain = true\nnotify_repeat = 10\n")
    run("config", "set", "notify_repeat", "20")
    run("config", "set", "notify_high", "bell")
    assert path.read_text() == 'notify_high = "bell"\nnotify_repeat = 20\n# mine\nplain = true\n'
    assert value_of(run, "plain") == ("yes", str(path))
    run("config", "unset", "notify_repeat")
    assert tomllib.loads(path.read_text()) == {"notify_high": "bell", "plain": True}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("notify_repeat", "007"),
        ("filters", "mine = by:me\nrisk:high"),
        ("filters", 'said = "\x7f" \x1b \\ ü 支'),
    ],
)
def test_every_valid_value_can_be_read_back(run, name, value):
    """A value that needs escaping in TOML does not make the file unreadable."""
    assert run("config", "set", name, value).code == 0
    assert value_of(run, name) == (value, str(settings.load().file))


@pytest.mark.parametrize(
    "content", ['"theme" = "nord"\n', 'theme = """\\\nnord"""\n', 'theme = """\\\n  nord\\\n"""']
)
def test_a_value_on_several_lines_or_a_quoted_name_is_not_replaced(run, content):
    """The user's file stays as it is, and the error names it."""
    path = settings.load().file
    path.parent.mkdir(parents=True)
    path.write_text(content)
    result = run("config", "set", "theme", "gruvbox", "--json")
    assert result.code == Exit.USAGE
    assert str(path) in result.error["detail"]
    assert path.read_text() == content


@pytest.mark.parametrize("command", [("set", "theme", "nord"), ("unset", "theme")])
def test_a_file_with_an_unknown_setting_is_refused_before_it_is_changed(run, command):
    """The error names the file and the setting; a wrong value can still be replaced."""
    path = settings.load().file
    path.parent.mkdir(parents=True)
    content = 'theme = "gruvbox"\ncolour = "red"\n'
    path.write_text(content)
    refused = run("config", *command, "--json")
    assert (refused.code, path.read_text()) == (Exit.USAGE, content)
    assert f"{path}: there is no setting colour." in refused.error["detail"]
    path.write_text('theme = "none"\n')
    assert run("config", *command).code == 0


def test_a_wrong_value_in_the_environment_is_refused_before_the_file_is_changed(run, monkeypatch):
    """A command that fails changes nothing."""
    monkeypatch.setenv("SAYSO_APPROVER_NOTIFY_HIGH", "loud")
    assert run("config", "set", "theme", "nord").code == Exit.USAGE
    assert not settings.settings_file().exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("notify_high", "loud"),
        ("notify_repeat", "-1"),
        ("notify_repeat", "3601"),
        ("colour", "red"),
    ],
)
def test_an_invalid_value_is_a_usage_error_and_changes_nothing(run, name, value):
    """The error names the setting, and no file is written."""
    result = run("config", "set", "--json", "--", name, value)
    assert result.code == Exit.USAGE
    assert name in result.error["detail"]
    assert not settings.load().file.exists()


def test_a_linked_file_stays_a_link(run, tmp_path):
    """`config set` changes the target of a symbolic link, and leaves the target's folder open."""
    path, target = settings.load().file, tmp_path / "dotfiles" / "sayso.toml"
    path.parent.mkdir(parents=True)
    target.parent.mkdir(mode=0o755)
    target.write_text("# mine\n")
    path.symlink_to(target)
    assert run("config", "set", "theme", "nord").code == Exit.DONE
    assert path.is_symlink()
    assert target.read_text() == 'theme = "nord"\n# mine\n'
    assert target.parent.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("key", ["é", "ctrl+M", "ctrl+c", "j", "f13"])
def test_a_refused_key_names_the_allowed_keys(run, key):
    """The error lists the characters, function keys and Ctrl keys that are allowed."""
    detail = run("config", "set", "key_approve", key, "--json").error["detail"]
    assert detail.endswith(f"key_approve must be {KEY_FORM}.")


def test_two_actions_cannot_have_the_same_key(run):
    """The error names both actions. One command can swap their keys."""
    result = run("config", "set", "key_approve", "d")
    assert result.code == Exit.USAGE
    assert "key_approve and key_deny would both be d" in result.err
    assert not settings.load().file.exists()
    result = run("config", "set", "key_approve", "d", "key_deny", "a")
    assert result.out == "".join(
        f"{name} is {key} ({settings.load().file}).\n"
        for name, key in (("key_approve", "d"), ("key_deny", "a"))
    )
    assert run("config", "unset", "key_deny").code == Exit.USAGE
    assert value_of(run, "key_deny")[0] == "a"
    assert "key_deny has no value." in run("config", "set", "key_approve", "x", "key_deny").err


def test_config_path_works_with_a_broken_file(run):
    """`config path` must work, because the error for a broken file says to run it."""
    path = settings.load().file
    path.parent.mkdir(parents=True)
    path.write_text("plain = ")
    assert run("config").err.rstrip().endswith("Find the file with: sayso-approver config path")
    assert run("config", "path").out == f"{path}\n"
    assert run("config", "set", "plain", "yes").code == Exit.USAGE
    assert path.read_text() == "plain = "


@pytest.mark.parametrize(
    "content", ["plain = ", "plain = 1.5", 'notify_high = "loud"', "other = 1", b"\xff"]
)
def test_a_broken_file_is_an_error_with_a_remedy(run, content):
    """Every command fails and names the file, so that a broken file is never ignored silently."""
    path = settings.load().file
    path.parent.mkdir(parents=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    for command in (("inbox", "--json"), ("config", "set", "theme", "nord", "--json")):
        result = run(*command)
        assert result.code == Exit.USAGE
        assert str(path) in result.error["detail"]


def test_a_byte_order_mark_is_ignored(run):
    """Some editors begin every file with one."""
    path = settings.load().file
    path.parent.mkdir(parents=True)
    path.write_bytes(b'\xef\xbb\xbftheme = "nord"\nplain = "no"\n')
    assert settings.load().theme == "nord"
    assert run("config", "set", "theme", "sayso").code == Exit.DONE
    assert settings.load().theme == "sayso"


def test_an_invalid_variable_is_named(run, monkeypatch):
    """The error names the environment variable instead of the file."""
    monkeypatch.setenv("SAYSO_APPROVER_NOTIFY_REPEAT", "often")
    assert "SAYSO_APPROVER_NOTIFY_REPEAT" in run("config", "--json").error["detail"]


def test_an_unknown_setting_can_only_be_removed_from_the_file(run):
    """`config unset` exits with 2, as `config set` does, unless the file has the setting."""
    assert run("config", "unset", "colour").code == Exit.USAGE
    path = settings.load().file
    path.parent.mkdir(parents=True)
    path.write_text('theme = "gruvbox"\ncolour = "red"\n')
    removed = run("config", "unset", "colour")
    assert removed.out == f"colour is removed from {path}.\n"
    assert path.read_text() == 'theme = "gruvbox"\n'
