"""A command that prints one line does not load what it never uses."""

import json
import subprocess
import sys

import pytest

from tests.support.checks.source import ROOT


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
        ("server.app", {"psycopg", "alembic", "requests", "gunicorn", "click", "webauthn"}),
        (
            "approver_tui.cli.main",
            {"textual", "rich", "httpx", "websockets", "cryptography", "keyring"},
        ),
        (
            "approver_tui.app",
            {
                *("httpx", "h11", "websockets", "cryptography", "argon2", "keyring"),
                "approver_tui.state.approvals.approvals",
            },
        ),
        (
            "approver_tui.cli.approvals.inbox",
            {"textual", "rich", "pygments", "websockets", "keyring", "argon2", "subprocess"},
        ),
        (
            "approver_tui.cli.approvals.show",
            {"textual", "rich", "pygments", "websockets", "keyring"},
        ),
    ],
)
def test_an_entry_point_loads_nothing_heavy(entrance, heavy):
    """`sayso --help` is instant, and the app draws its first frame before loading the rest.

    And `serve` patches sockets before anything imports them.
    """
    there = "[name for name, module in sys.modules.items() if module is not None]"
    program = f"import json, sys, {entrance}; print(json.dumps({there}))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    names = json.loads(done.stdout)
    loaded = {*names, *(name.partition(".")[0] for name in names)}
    assert loaded & heavy == set()
