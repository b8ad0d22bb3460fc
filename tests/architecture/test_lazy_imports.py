"""A command that prints one line does not wait for what it never uses."""

import json
import subprocess
import sys

import pytest

from tests.support.source import ROOT


@pytest.mark.parametrize(
    ("entrance", "heavy"),
    [
        (
            "server.cli.main",
            {"sqlalchemy", "alembic", "flask", "gevent", "pydantic", "cryptography", "psycopg"},
        ),
        (
            "server.serving.worker",
            {"sqlalchemy", "flask", "requests", "urllib3", "cryptography", "psycopg", "jwt"},
        ),
        (
            "approver_tui.cli.main",
            {"textual", "rich", "httpx", "websockets", "cryptography", "keyring"},
        ),
    ],
)
def test_an_entrance_loads_nothing_heavy(entrance, heavy):
    """`sayso --help` is instant; and `serve` patches sockets before anybody has imported them."""
    program = f"import json, sys, {entrance}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    loaded = {name.partition(".")[0] for name in json.loads(done.stdout)}
    assert loaded & heavy == set()
