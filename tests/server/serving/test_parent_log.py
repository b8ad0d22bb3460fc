"""The lines of gunicorn's parent process have the format of the server's own log."""

import json
from pathlib import Path

import pytest

from server.serving.main import ServeOptions, _Application
from server.settings import Settings


def _log(folder: Path, log_format: str) -> None:
    settings = Settings(data_dir=folder, log_format=log_format)
    configuration = _Application(settings, ServeOptions(), None).cfg
    configuration.logger_class(configuration).error("Worker %s was killed.\nOut of memory?", 7)


def test_a_killed_worker_is_one_json_object(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A collector of JSON lines can read it."""
    _log(tmp_path, "json")
    (line,) = capfd.readouterr().err.splitlines()
    entry = json.loads(line)
    assert entry["event"] == "Worker 7 was killed.\nOut of memory?"
    assert (entry["level"], entry["correlation_id"]) == ("error", "local")


def test_a_killed_worker_is_plain_text_in_a_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """People read the text as gunicorn writes it."""
    _log(tmp_path, "text")
    assert "[ERROR] Worker 7 was killed.\n" in capfd.readouterr().err
