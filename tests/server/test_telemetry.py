"""The log of a running server, in both of its formats: read by people, in terminals."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.source import ROOT

_HOSTILE = "\x1b[2J\x9b31m\u202e\r\nforged"
_REQUEST = """
import sys
from pathlib import Path
from server import telemetry
from tests.support.site import open_site
telemetry.configure_logging(as_json=sys.argv[1] == "json", level="debug")
local = open_site(Path(sys.argv[2]))
local.post_form("/token", {"planted" + sys.argv[3]: ["1", "2"]})
local.services.store.close()
"""
_EVERYWHERE = """
import sys
from server import telemetry
telemetry.configure_logging(as_json=sys.argv[1] == "json", level="debug")
hostile = "planted" + sys.argv[3]
telemetry.log().info(hostile, text=hostile, inside={hostile: [hostile]}, error=ValueError(hostile))
try:
    raise ValueError(hostile)
except ValueError:
    telemetry.log().exception("fault")
"""


def _log(script: str, form: str, folder: Path) -> str:
    run = [sys.executable, "-c", script, form, str(folder), _HOSTILE]
    done = subprocess.run(run, capture_output=True, check=True, cwd=ROOT)
    return done.stderr.decode()


@pytest.mark.parametrize("form", ["json", "text"])
@pytest.mark.parametrize("script", [_REQUEST, _EVERYWHERE], ids=["request", "everywhere"])
def test_nothing_that_somebody_sent_moves_a_cursor(tmp_path: Path, script: str, form: str) -> None:
    """Not even in the name of a parameter, from somebody who has no credentials.

    Whoever reads the log sees what was sent, as signs for it.
    """
    said = _log(script, form, tmp_path)

    assert "planted" in said
    assert [c for c in said if c != "\n" and not c.isprintable()] == []


@pytest.mark.parametrize("form", ["json", "text"])
def test_nobody_writes_a_line_of_the_log_with_a_parameter(tmp_path: Path, form: str) -> None:
    """One event is one line."""
    said = _log(_REQUEST, form, tmp_path)

    assert [line for line in said.splitlines() if line.startswith("forged")] == []
