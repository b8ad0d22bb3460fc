"""Settings from the environment and from the file."""

import time
from pathlib import Path

import pytest
from textual.theme import BUILTIN_THEMES

from approver_tui import settings
from approver_tui.client.errors import BadSetting
from approver_tui.widgets.theme import HIGH_CONTRAST, SAYSO


def test_a_named_home_is_absolute():
    """A relative path is resolved against the current folder."""
    assert settings.load({"SAYSO_APPROVER_HOME": "here"}).home == Path.cwd() / "here"


@pytest.mark.parametrize("variable", ["SAYSO_APPROVER_HOME", "SAYSO_DATA_DIR"])
def test_a_folder_may_be_written_with_a_tilde(monkeypatch, variable):
    """The tilde expands to the home folder, as in a shell."""
    monkeypatch.setenv("HOME", "/home/ana")
    loaded = settings.load({"SAYSO_APPROVER_HOME": "/x", variable: "~/sayso"})
    assert Path("/home/ana/sayso") in {loaded.home, loaded.server_folder}
    with pytest.raises(BadSetting, match=f"{variable}: ~nobody-here/x has no home folder"):
        settings.load({variable: "~nobody-here/x"})


def test_without_a_home_the_platform_decides():
    """An empty variable counts as unset."""
    assert settings.load({}).home is None
    assert settings.load({"SAYSO_APPROVER_HOME": ""}).home is None


def test_the_server_folder_is_that_of_the_server():
    """The server's own variable for its data folder is used, or else the server's default."""
    assert settings.load({"SAYSO_DATA_DIR": "/srv/sayso"}).server_folder == Path("/srv/sayso")
    assert settings.load({}).server_folder.name == "sayso"


def test_the_wall_clock_counts_milliseconds():
    """The clock returns milliseconds since 1970."""
    assert abs(settings.wall_clock() - time.time() * 1000) < 1_000


def test_the_time_zone_comes_from_the_environment_or_the_machine(tmp_path):
    """TZ can be a file. POSIX rules name no time zone, so the zone is unknown."""
    zone = tmp_path / "zoneinfo" / "Europe" / "Berlin"
    link = tmp_path / "localtime"
    link.symlink_to(zone)
    assert settings.local_zone({"TZ": ":Asia/Tokyo"}, link) == "Asia/Tokyo"
    assert settings.local_zone({}, link) == "Europe/Berlin"
    assert settings.local_zone({"TZ": f":{link}"}, tmp_path / "none") == "Europe/Berlin"
    assert settings.local_zone({"TZ": "NPT-5:45"}, link) is None
    assert settings.local_zone({"TZ": ""}, tmp_path / "none") is None


def test_every_theme_exists():
    """Every theme in the settings is one of ours or one of Textual's."""
    own_themes = {SAYSO.name, HIGH_CONTRAST.name}
    assert set(settings.THEMES) - own_themes <= set(BUILTIN_THEMES)
    assert own_themes <= set(settings.THEMES)


def test_own_colors_have_a_name_and_a_value():
    """The error shows the valid form. Without a value, no colors are changed."""
    variable = "SAYSO_APPROVER_COLORS"
    loaded = settings.load({variable: "accent = #FF8800; error=#aa0000;"})
    assert loaded.colors == {"accent": "#ff8800", "error": "#aa0000"}
    assert settings.load({}).colors == {}
    for invalid in (
        "accent",
        "accent = orange",
        "accent = #f80",
        "border = #ff8800",
        "a=#ff8800=b",
    ):
        with pytest.raises(BadSetting, match=f"{variable}: colors must be NAME = #RRGGBB"):
            settings.load({variable: invalid})


def test_two_actions_with_one_key_are_refused(tmp_path):
    """The error names both actions, and a reserved key is refused too."""
    home = {"SAYSO_APPROVER_HOME": str(tmp_path)}
    assert settings.load(home).keymap.key("approve") == "a"
    duplicate_keys = settings.load({**home, "SAYSO_APPROVER_KEY_APPROVE": "d"})
    with pytest.raises(BadSetting, match="key_approve and key_deny are both d"):
        duplicate_keys.keymap  # noqa: B018  # reading the property raises
    with pytest.raises(BadSetting, match="KEY_DENY"):
        settings.load({**home, "SAYSO_APPROVER_KEY_DENY": "j"})
