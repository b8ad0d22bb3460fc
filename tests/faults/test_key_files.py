"""A server with a wrong key file prints one sentence and exits, with any number of workers."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.builders.databases import upgraded_database
from tests.support.servers.postgres import PostgresServer
from tests.support.servers.server import ROOT, LiveServer


def _run_serve(server: LiveServer, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "server", "serve", "--port", str(server.port), *options]
    return subprocess.run(
        command,
        cwd=ROOT,
        env=server.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


_WRONG, _MISSING = b"x" * 32, None
_BROKEN_KEYS = [("master.key", _WRONG), ("pin.key", _MISSING), ("log.key", _WRONG)]
"""`tests/server/test_key_files.py` tests the other cases."""


def _check(server: LiveServer, broken: Sequence[tuple[str, bytes | None]], *options: str) -> None:
    """Breaks each key in its own copy of the installation, and checks what the server prints."""
    server.prepare()
    server.services.audit_log.sign()
    server.services.store.close()
    with ThreadPoolExecutor(2) as threads:
        checks = [
            threads.submit(_check_key, server, name, content, *options) for name, content in broken
        ]
        for check in checks:
            check.result()


def _check_key(server: LiveServer, name: str, content: bytes | None, *options: str) -> None:
    copy = server.folder / f"{name}-{'wrong' if content else 'missing'}"
    shutil.copytree(server.folder / "data", copy / "data")
    key = copy / "data" / name
    if content:
        key.write_bytes(content)
    else:
        key.unlink()
    result = _run_serve(LiveServer(copy, server.settings), *options)
    assert key.exists() == bool(content)
    assert (result.returncode, result.stdout) == (1, "")
    what = "is not the " if content else "is missing. "
    assert result.stderr.startswith(f"Error: {key} {what}")
    assert result.stderr.count("\n") == 1
    assert f"SAYSO_{name.upper().replace('.', '_')}_FILE" in result.stderr


def test_a_wrong_or_missing_key_stops_the_server_with_one_sentence(tmp_path: Path) -> None:
    """The server exits with 1, without a traceback or a line from the worker manager."""
    _check(LiveServer(tmp_path), _BROKEN_KEYS)


def test_a_key_that_cannot_be_read_stops_the_server_with_one_sentence(tmp_path: Path) -> None:
    """A folder cannot be read as a file, even if the tests run as root."""
    server = LiveServer(tmp_path)
    server.prepare()
    server.services.store.close()
    key = tmp_path / "data" / "master.key"
    key.unlink()
    key.mkdir(mode=0o700)
    result = _run_serve(server)
    expected = (1, "", f"Error: {key}: Is a directory.\n")
    assert (result.returncode, result.stdout, result.stderr) == expected


@pytest.mark.postgresql
def test_a_wrong_or_missing_key_stops_several_workers_with_one_sentence(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    """All workers notice the problem, but the sentence is printed once."""
    settings = {"database_url": upgraded_database(postgres_server)}
    some = [("master.key", _WRONG), ("log.key", _MISSING)]
    _check(LiveServer(tmp_path, settings), some, "--workers", "2")
