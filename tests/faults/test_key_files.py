"""A server with a wrong key file says one sentence and ends, however many workers it has."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.postgres import PostgresServer
from tests.support.server import ROOT, LiveServer


def _ended(server: LiveServer, *options: str) -> subprocess.CompletedProcess[str]:
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


def _check(server: LiveServer, *options: str) -> None:
    server.prepare()
    server.services.store.close()
    folder = server.folder / "data"
    for name in ("master.key", "pin.key"):
        right = (folder / name).read_bytes()
        (folder / name).write_bytes(b"x" * 32)
        wrong = _ended(server, *options)
        (folder / name).unlink()
        missing = _ended(server, *options)
        assert not (folder / name).exists()
        (folder / name).write_bytes(right)
        (folder / name).chmod(0o600)
        for ended, what in ((wrong, "is not the "), (missing, "is missing. ")):
            assert (ended.returncode, ended.stdout) == (1, "")
            assert ended.stderr.startswith(f"Error: {folder / name} {what}")
            assert ended.stderr.count("\n") == 1
            assert f"SAYSO_{name.upper().replace('.', '_')}_FILE" in ended.stderr


def test_a_wrong_or_missing_key_ends_the_server_with_one_sentence(tmp_path: Path) -> None:
    """No traceback, no line of the program that runs the workers, and exit 1."""
    _check(LiveServer(tmp_path))


@pytest.mark.postgresql
def test_so_do_several_workers(tmp_path: Path, postgres_server: PostgresServer) -> None:
    """They all see it; it is said once."""
    url = postgres_server.new_database()
    upgraded = LiveServer(tmp_path, {"database_url": url})
    subprocess.run(
        [sys.executable, "-m", "server", "db", "upgrade"],
        cwd=ROOT,
        env=upgraded.environment,
        check=True,
        capture_output=True,
    )
    _check(upgraded, "--workers", "2")
