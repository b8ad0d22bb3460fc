"""The environment is read in one place."""

import time
from pathlib import Path

from approver_tui import settings


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
