"""Documentation and code agree: what exists is documented, and what is documented exists."""

import importlib
import json
import re
import tomllib
from pathlib import Path
from urllib.parse import unquote

import pytest
from jsonschema import Draft202012Validator

from tests.support.builders.clock import MovableClock
from tests.support.checks.source import ROOT

_FILE = re.compile(r"\.\w+$")
_API_FILES = {"/api/openapi.json"}
_SETTING = re.compile(r"\bSAYSO_[A-Z_]*[A-Z]\b")
_CREDENTIALS = {"client_id", "client_secret", "client_assertion", "client_assertion_type"}
_MULTILINE = re.DOTALL | re.MULTILINE
_LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#]+)(?:#[^)]*)?\)")


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The method and path of everything that an installation serves, except files."""
    app = importlib.import_module("server.app")
    settings = importlib.import_module("server.settings").Settings
    data = tmp_path_factory.mktemp("routes") / "data"
    services = app.build(settings(data_dir=data, issuer="http://localhost:8470"), MovableClock())
    rules = list(app.create_app(app.create_site(services)).url_map.iter_rules())
    services.store.close()
    return {
        f"{method} {_placeholders(rule.rule)}"
        for rule in rules
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if rule.rule in _API_FILES or not _FILE.search(rule.rule)
    }


def test_every_route_is_in_the_http_api_reference(served):
    """The reference also lists the routes of pages."""
    page = _page("reference/http-api.md")
    assert len(served) > 200
    assert {route for route in served if f"`{route}`" not in page} == set()


def test_every_documented_route_exists(served):
    """Each route on any page of the documentation is served."""
    pages = "".join(path.read_text("utf-8") for path in _pages())
    named = set(re.findall(r"`((?:GET|POST|PUT|PATCH|DELETE) /[^`?]*)[`?]", pages))
    assert len(named) > 200
    assert {_placeholders(route) for route in named} - served == set()


def test_routes_closed_to_browser_cookies_are_documented():
    """A browser with a session cookie can use all other routes of a user."""
    routes = importlib.import_module("server.http.routes").ROUTES
    closed = {
        f"{route.method} {_placeholders(route.path)}"
        for route in routes
        if route.caller.name == "PERSON" and not route.browsers
    }
    sentence = re.search(
        r"including administration, except .*?\.$", _page("approver-api.md"), _MULTILINE
    )
    assert sentence is not None
    assert set(re.findall(r"`([A-Z]+ /[^`]*)`", sentence[0])) == closed


@pytest.mark.parametrize(
    ("route", "name", "heading"),
    [
        ("POST /bc-authorize", "ask-for-approval.md", "Send the request"),
        ("POST /device_authorization", "sign-in-people.md", "Sign in on a device"),
        ("POST /par", "sign-in-people.md", "Send the authorization request"),
    ],
)
def test_the_documented_form_parameters_are_those_of_the_route(route, name, heading):
    """The section also names every header of the route."""
    routes = importlib.import_module("server.http.routes").ROUTES
    row = next(entry for entry in routes if f"{entry.method} {entry.path}" == route)
    sections = re.split(r"^## ", _page(name), flags=re.MULTILINE)
    section = next(entry for entry in sections if entry.startswith(heading))
    cells = re.findall(r"^\| (`[^|]+`[^|]*) \|", section, re.MULTILINE)
    named = {name for cell in cells for name in re.findall(r"`([\w-]+)`", cell)}
    assert named - set(row.headers) - _CREDENTIALS == set(row.form) - _CREDENTIALS
    assert {header for header in row.headers if f"`{header}`" not in section} == set()


@pytest.mark.parametrize("package", ["server", "approver_tui"])
def test_every_setting_is_in_the_configuration_reference(package):
    """Each environment variable of a settings module has a row in the tables."""
    page = _page("reference/configuration.md")
    names = _environment_names(importlib.import_module(f"{package}.settings"))
    assert names
    assert {name for name in names if f"\n| `{name}` |" not in page} == set()


def test_every_documented_setting_exists():
    """Each row of `docs/reference/configuration.md` names a variable that is read."""
    read = {"SAYSO_TEST_WITHOUT_POSTGRESQL", "SAYSO_TEST_WITHOUT_CLIENTS"}
    for package in ("server", "approver_tui"):
        read |= _environment_names(importlib.import_module(f"{package}.settings"))
    rows = re.findall(r"^\| `(SAYSO_\w+)` \|", _page("reference/configuration.md"), re.MULTILINE)
    assert set(rows) - read == set()


def test_the_documented_action_type_is_valid():
    """The file in `docs/action-types.md` can be registered, and its example can be sent."""
    actions = importlib.import_module("server.protocol.policy.action_types")
    page = _page("action-types.md")
    file, details = re.findall(r"^```json\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    action = actions.read_action_type(json.loads(file))
    (detail,) = json.loads(details)
    Draft202012Validator(dict(action.schema)).validate(detail)
    rendering = importlib.import_module("server.protocol.policy.rendering")
    assert f"**{rendering.render_headline(action, detail)}**" in page
    for fact in rendering.facts(action, detail):
        assert fact.label == "Type" or f"*{fact.label}: {fact.value}*" in page
    members = set(re.findall(r"`(\w+)`", "".join(_rows_of("| Member | Description |", page))))
    assert members >= actions._MEMBERS | actions._TEMPLATE_MEMBERS | actions._OPTIONAL


def test_every_error_code_is_documented():
    """Each error of the OAuth endpoints has a row with its code and its status."""
    page = _page("reference/errors.md")
    refusals = list(_descendants(importlib.import_module("server.protocol.errors").ProtocolError))
    assert refusals
    rows = {f"| `{refusal.code}` | {refusal.status} |" for refusal in refusals}
    assert {row for row in rows if row not in page} == set()


def test_every_problem_code_is_documented():
    """Each `Problem(status, "code", …)` that is raised has a row."""
    page = _page("reference/errors.md")
    raised = {
        f"| `{code}` | {status} |"
        for path in sorted((ROOT / "server").rglob("*.py"))
        for status, code in re.findall(r"\bProblem\(\s*(\d{3}),\s*\"(\w+)\"", path.read_text())
    }
    assert raised
    assert {row for row in raised if row not in page} == set()


def test_every_audit_entry_type_is_documented():
    """Each type of entry has a row in the reference."""
    types = importlib.import_module("server.services.audit.audit").Type
    page = _page("reference/audit-entries.md")
    assert types
    assert {kind for kind in types if f"| `{kind}` |" not in page} == set()


def test_every_dependency_has_a_documented_reason():
    """The table of the decision has no other packages."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    groups = project["dependency-groups"].values()
    requirements = [
        *project["project"]["dependencies"],
        *(requirement for group in groups for requirement in group),
    ]
    rows = re.findall(r"^\| ([\w-]+) \|", _page("decisions/0002-dependencies.md"), re.MULTILINE)
    assert {re.match(r"[\w-]+", requirement)[0] for requirement in requirements} == set(rows) - {
        "package"
    }


def test_every_benchmark_is_documented_with_its_command_and_goal():
    """`tests/bench/README.md` must list every script that `python -m tests.bench` runs."""
    page = (ROOT / "tests" / "bench" / "README.md").read_text("utf-8")
    source = (ROOT / "tests" / "bench" / "__main__.py").read_text("utf-8")
    benches = set(re.findall(r"^    (\w+),$", source, re.MULTILINE))
    assert len(benches) > 10
    assert {name for name in benches if f"-m tests.bench.{name} " not in page} == set()
    assert {name for name in benches if f"\n| `{name}` |" not in page} == set()


def test_every_relative_link_points_to_an_existing_file():
    """All Markdown files of the project and its examples are checked."""
    folders = ("docs", "scripts", "examples")
    pages = [
        *ROOT.glob("*.md"),
        *(page for folder in folders for page in (ROOT / folder).rglob("*.md")),
    ]
    broken = {
        f"{page.relative_to(ROOT)} → {link}"
        for page in pages
        for link in _LINK.findall(page.read_text("utf-8"))
        if not (page.parent / unquote(link)).exists()
    }
    assert broken == set()


def test_every_file_named_in_the_developer_pages_exists():
    """Readers follow these names to the code and tests."""
    named = re.findall(r"`((?:server|approver_tui|tests)/[\w/]+\.(?:py|json))`", _developer_pages())
    assert sorted({name for name in named if not (ROOT / name).exists()}) == []


def _pages() -> list[Path]:
    return sorted((ROOT / "docs").rglob("*.md"))


def _page(name: str) -> str:
    return (ROOT / "docs" / name).read_text("utf-8")


def _rows_of(head: str, page: str) -> list[str]:
    """Return the first cells of the table that begins with this header."""
    table = page.split(head, 1)[1].split("\n\n", 1)[0]
    return re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE)


def _developer_pages() -> str:
    names = ("reference/protocol.md", "architecture.md", "decisions/0005-routes-are-table-rows.md")
    return "\n".join([*map(_page, names), Path(ROOT / "CONTRIBUTING.md").read_text("utf-8")])


def _placeholders(path: str) -> str:
    """Replace both `<string:approval>` and `{approval}` with `<id>`."""
    return re.sub(r"<[^>]+>|\{[^}]+\}", "<id>", path)


def _environment_names(settings) -> set[str]:
    """Return the server's names from its fields, and others from the source."""
    from_fields = {f"{settings.PREFIX}{name.upper()}" for name in getattr(settings, "NAMES", ())}
    return from_fields | set(_SETTING.findall(Path(settings.__file__).read_text("utf-8")))


def _descendants(root):
    for child in root.__subclasses__():
        yield child
        yield from _descendants(child)


def test_no_file_installs_sayso_by_a_package_name():
    """Sayso is not published, so an attacker could register the name."""
    install_command = re.compile(r"\b(?:install|uvx|pipx run|uv tool run) +(?:-\S+ +)*sayso\b")
    kinds = ("*.md", "*.py", "*.html", "*.service", "*.sh")
    texts = [path for kind in kinds for path in _texts(kind)]
    assert len(texts) > 100
    assert [str(path) for path in texts if install_command.search(path.read_text("utf-8"))] == []


def _texts(kind: str) -> list[Path]:
    """Return the documents and program sources of this kind."""
    folders = ("docs", "server", "approver_tui", "sayso", "scripts", "examples")
    return [*ROOT.glob(kind), *(path for folder in folders for path in (ROOT / folder).rglob(kind))]
