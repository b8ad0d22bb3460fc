"""The environment is read in one place."""

import time
from pathlib import Path

import pytest
from textual.theme import BUILTIN_THEMES

from approver_tui import settings
from approver_tui.client.errors import BadSetting
from approver_tui.widgets.theme import HIGH_CONTRAST, SAYSO


def test_a_named_home_is_absolute():
    """A relative folder means the one it meant when the command was started."""
    assert settings.load({"SAYSO_APPROVER_HOME": "here"}).home == Path.cwd() / "here"


def test_without_it_the_platform_decides():
    """Empty is the same as not set."""
    assert settings.load({}).home is None
    assert settings.load({"SAYSO_APPROVER_HOME": ""}).home is None


def test_the_servers_folder_is_where_the_server_would_look():
    """The setting of the server wins over its default."""
    assert settings.load({"SAYSO_DATA_DIR": "/srv/sayso"}).server_folder == Path("/srv/sayso")
    assert settings.load({}).server_folder.name == "sayso"


def test_the_wall_clock_counts_milliseconds():
    """Since 1970, as everything on the wire does."""
    assert abs(settings.wall_clock() - time.time() * 1000) < 1_000


def test_the_time_zone_is_that_of_the_environment_or_of_the_machine(tmp_path):
    """Where neither names one there is none."""
    zone = tmp_path / "zoneinfo" / "Europe" / "Berlin"
    link = tmp_path / "localtime"
    link.symlink_to(zone)
    assert settings.local_zone({"TZ": ":Asia/Tokyo"}, link) == "Asia/Tokyo"
    assert settings.local_zone({}, link) == "Europe/Berlin"
    assert settings.local_zone({"TZ": ""}, tmp_path / "none") is None


def test_every_theme_that_may_be_chosen_is_there():
    """Our own two and those of Textual's that are named."""
    ours = {SAYSO.name, HIGH_CONTRAST.name}
    assert set(settings.THEMES) - ours <= set(BUILTIN_THEMES)
    assert ours <= set(settings.THEMES)


def test_two_things_with_one_key_are_refused(tmp_path):
    """With the names of both."""
    home = {"SAYSO_APPROVER_HOME": str(tmp_path)}
    assert settings.load(home).keymap.key("approve") == "a"
    twins = settings.load({**home, "SAYSO_APPROVER_KEY_APPROVE": "d"})
    with pytest.raises(BadSetting, match="key_approve and key_deny are both d"):
        twins.keymap  # noqa: B018  # asking is enough
    with pytest.raises(BadSetting, match="KEY_DENY"):
        settings.load({**home, "SAYSO_APPROVER_KEY_DENY": "j"})
