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
    assert loaded_by(f"import {entrance}") & heavy == set()


@pytest.fixture(scope="module")
def installation(tmp_path_factory):
    """A data folder with a new database, which a server has used."""
    folder = tmp_path_factory.mktemp("data")
    sayso = [sys.executable, "-m", "server", "--data-dir", folder]
    for verb in (["init"], ["audit", "tail", "--json"]):
        done = subprocess.run([*sayso, *verb], capture_output=True, text=True, check=True, cwd=ROOT)
    (folder / "last-seen").write_text(json.loads(done.stdout)["items"][-1]["id"])
    return folder


UNUSED = {
    *("flask", "werkzeug", "jinja2", "gevent", "gunicorn", "httpx", "requests", "webauthn"),
    *("pywebpush", "alembic", "psycopg", "sqlalchemy.orm", "jwt", "argon2"),
    *("server.web", "server.delivery", "server.services.reactions"),
}
"""What no command needs that only reads the database."""


@pytest.mark.parametrize("verb", ["agents list", "users list", "approvals list", "audit tail"])
def test_a_command_that_reads_loads_no_server(installation, verb):
    """It costs about twice as much as SQLAlchemy does."""
    arguments = ["sayso", "--data-dir", str(installation), *verb.split()]
    loaded = loaded_by(
        f"import sys; sys.argv = {arguments}\n"
        "from server.cli.main import main\n"
        "try: main()\n"
        "except SystemExit as ended: assert not ended.code"
    )
    assert loaded & UNUSED == set()


def loaded_by(program):
    """The modules and packages that a program has loaded when it ends."""
    there = "[name for name, module in sys.modules.items() if module is not None]"
    program += f"\nimport json, sys; print(); print(json.dumps({there}))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    names = json.loads(done.stdout.splitlines()[-1])
    return {".".join(name.split(".")[:count]) for name in names for count in range(1, 5)}
