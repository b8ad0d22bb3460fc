"""The SDK runs in other people's programs: it depends only on the packages that it declares."""

import subprocess
import sys

from tests.support.checks.source import ROOT, modules, uses

_DEPENDENCIES = {"httpx", "jwt", "cryptography", "sayso"}
"""PyJWT with its `crypto` extra installs cryptography."""
_ADAPTERS = {
    "sayso/flask.py": {"flask"},
    "sayso/gateway/serving.py": {"uvicorn"},
    "sayso/mcp/package.py": {"mcp"},
    "sayso/mcp/fastmcp.py": {"fastmcp"},
    "sayso/mcp/tools.py": {"mcp", "mcp_types", "pydantic", "pydantic_core"},
}
"""The MCP package installs pydantic."""
_BLOCK_IMPORTS = """
import sys
class Shut:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"server", "approver_tui", "flask", "mcp", "pydantic", "click"}:
            raise ImportError(name)
sys.meta_path.insert(0, Shut())
import sayso, sayso.asgi, sayso.ask, sayso.mcp_server.open_requests
print(sorted({name.partition(".")[0] for name in sys.modules} & {"server", "approver_tui"}))
"""


def test_the_sdk_imports_no_third_party_packages_except_httpx_and_pyjwt():
    """Only an adapter imports a framework, and only its own."""
    foreign = {
        f"{module.path}:{line} {name}"
        for module in modules("sayso")
        for line, name in uses(module.tree)
        if name.partition(".")[0]
        not in {*sys.stdlib_module_names, *_DEPENDENCIES, *_ADAPTERS.get(module.path, ())}
    }
    assert foreign == set()


def test_the_sdk_can_be_imported_without_the_server_and_without_frameworks():
    """Only the adapter of a framework needs that framework."""
    result = subprocess.run(
        [sys.executable, "-c", _BLOCK_IMPORTS], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_the_sdk_declares_that_it_is_typed():
    """The package has the marker file that PEP 561 defines."""
    assert (ROOT / "sayso" / "py.typed").exists()


def test_the_examples_use_only_the_sdk():
    """The examples stand for other people's programs, so they import no server or test code."""
    foreign = {"server", "approver_tui", "tests"}
    programs = modules("examples")
    assert len(programs) > 1
    assert [
        f"{program.path}:{line} {name}"
        for program in programs
        for line, name in uses(program.tree)
        if name.partition(".")[0] in foreign
    ] == []
