"""A command that prints one line does not load modules that it never uses."""

import ast
import json
import subprocess
import sys

import pytest

from tests.bench.command_line import READING
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
            "approver_tui.cli.approvals.review",
            {"textual", "httpx", "http.client", "cryptography", "approver_tui.client.wire"},
        ),
        (
            "approver_tui.cli.approvals.inbox",
            {"textual", "rich", "pygments", "websockets", "keyring", "argon2", "subprocess"},
        ),
        (
            "approver_tui.cli.approvals.requests",
            {"textual", "rich", "pygments", "websockets", "keyring"},
        ),
    ],
)
def test_an_entry_point_does_not_load_heavy_modules(entrance, heavy):
    """`sayso --help` is instant, and the app draws its first frame before it loads the rest.

    `serve` must also patch sockets before anything imports them.
    """
    assert loaded_by(f"import {entrance}") & heavy == set()


@pytest.fixture(scope="module")
def installation(tmp_path_factory):
    """A data folder with a new database that a server has used."""
    folder = tmp_path_factory.mktemp("data")
    sayso = [sys.executable, "-m", "server", "--data-dir", folder]
    for verb in (["init"], ["audit", "tail", "--json"]):
        result = subprocess.run(
            [*sayso, *verb], capture_output=True, text=True, check=True, cwd=ROOT
        )
    (folder / "last-seen").write_text(json.loads(result.stdout)["items"][-1]["id"])
    return folder


UNUSED = {
    *("flask", "werkzeug", "jinja2", "gevent", "gunicorn", "httpx", "requests", "webauthn"),
    *("pywebpush", "alembic", "psycopg", "sqlalchemy.orm", "jwt", "argon2", "cryptography"),
    *("sqlalchemy.dialects.postgresql", "pydantic", "jsonschema", "prometheus_client", "structlog"),
    *("server.web", "server.http", "server.delivery", "server.services.reactions"),
    *("server.storage.all_tables", "server.services.devices.enrollment"),
    *("server.services.operations.trials", "server.services.operations.replays"),
}
"""Modules that a command does not need if it only reads the database."""

_MAX_OURS = 150
"""How many of our modules such a command may load; each takes about half a millisecond."""


@pytest.mark.parametrize("verb", sorted({*READING} - {"keys list"}))  # it has the signer
def test_a_command_that_only_reads_does_not_load_the_server(installation, verb):
    """Such a command takes about twice as long as loading SQLAlchemy alone."""
    loaded = _loaded_by_command(installation, verb)
    assert loaded & UNUSED == set()
    assert len({name for name in loaded if name.startswith("server.")}) <= _MAX_OURS


def test_the_doctor_loads_no_policy_without_agents(installation):
    """Evaluating policy would take a fifth of its time, and only agents need it."""
    loaded = _loaded_by_command(installation, "doctor")
    assert loaded & (UNUSED - {"cryptography"}) == set()
    assert not {name for name in loaded if name.startswith("server.services.policy")}


def _loaded_by_command(installation, verb):
    arguments = ["sayso", "--data-dir", str(installation), *verb.split()]
    return loaded_by(
        f"import sys; sys.argv = {arguments}\n"
        "from server.cli.main import main\n"
        "try: main()\n"
        "except SystemExit as ended: assert not ended.code"
    )


def test_a_command_that_lists_users_loads_the_tables_of_users(installation):
    """Each of the sixty tables would take a third of a millisecond to load."""
    arguments = ["sayso", "--data-dir", str(installation), "users", "list"]
    output = printed_by(
        f"import sys; sys.argv = {arguments}\n"
        "from server.cli.main import main\n"
        "try: main()\n"
        "except SystemExit as ended: assert not ended.code\n"
        "from server.storage.tables import metadata; print(sorted(metadata.tables))"
    )
    assert "users" in output
    assert "approvals" not in output
    assert "agents" not in output


def test_a_command_collects_no_garbage_at_its_end(installation):
    """Searching everything that a command has loaded would take a fifth of its time."""
    arguments = ["sayso", "--data-dir", str(installation), "users", "list"]
    frozen_count = printed_by(
        f"import sys; sys.argv = {arguments}\n"
        "import atexit, gc; atexit.register(lambda: print(gc.get_freeze_count()))\n"
        "from server.cli.main import main; main()"
    )
    assert int(frozen_count) > 10_000


LAZY = {
    *("app.py", "key_files.py", "services/operations/administration.py"),
    "services/policy/schemas.py",  # a validator takes a tenth of a second to load
    "services/operations/doctor.py",
    *("storage/audit/entries.py", "storage/directory.py", "storage/store.py"),
    # Most commands load these, and use a part of them.
    *("services/approvals/oversight.py", "services/approvers/groups.py"),
    *("services/consents/consents.py", "services/standing_grants/standing_grants.py"),
    *("services/clients/agent_checks.py", "services/clients/agents.py"),
    *("services/audit/audit.py", "storage/named_rows.py"),
}


def test_only_commands_and_a_few_modules_import_lazily():
    """A lazy name has no real class for a base, a decorator, `except` or `isinstance`.

    A lazy constant could not be used at all.
    """
    names_by_path = {path: _lazy_names(path) for path in (ROOT / "server").rglob("*.py")}
    names_by_path = {path: names for path, names in names_by_path.items() if names}
    paths_in_server = {path.relative_to(ROOT / "server") for path in names_by_path}
    assert {
        str(path_in_server)
        for path_in_server in paths_in_server
        if path_in_server.parts[0] != "cli"
    } == LAZY
    for path, names in names_by_path.items():
        tree = ast.parse(path.read_text("utf-8"))
        real = (part for expression in _real_classes(tree) for part in ast.walk(expression))
        needed = {part.id for part in real if isinstance(part, ast.Name)}
        assert needed & names == set(), path
        assert {name for name in names if name.isupper()} == set(), path


def _lazy_names(path):
    return {
        name.asname or name.name
        for block in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(block, ast.With) and ast.unparse(block.items[0]) == "lazily()"
        for imported in block.body
        for name in imported.names
    }


def _real_classes(tree):
    """Yields the expressions that need the real class."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and node.type is not None:
            yield node.type
        elif isinstance(node, ast.ClassDef):
            yield from (*node.bases, *node.decorator_list)
        elif isinstance(node, ast.FunctionDef):
            yield from node.decorator_list
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in {"isinstance", "issubclass"}:
            yield node.args[1]


def loaded_by(program):
    """Returns the modules and packages that a program has loaded when it ends."""
    expression = "[name for name, module in sys.modules.items() if module is not None]"
    program += f"\nimport json, sys; print(); print(json.dumps({expression}))"
    names = json.loads(printed_by(program))
    return {".".join(name.split(".")[:count]) for name in names for count in range(1, 5)}


def printed_by(program):
    """Returns the last line that a program prints."""
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return result.stdout.splitlines()[-1]
