"""Clients written by others are pinned, wherever their packages are downloaded from."""

import json
import re

import pytest

from tests.support.checks.source import ROOT
from tests.support.clients.third_party import (
    AXE,
    FOLDER,
    JOSE,
    LIBRARIES,
    MCP_SUITE,
    MCP_TYPESCRIPT,
    MCP_TYPESCRIPT_2,
    PUSH_SERVICE,
)

ALL = {*LIBRARIES, PUSH_SERVICE, AXE, JOSE, MCP_SUITE, MCP_TYPESCRIPT, MCP_TYPESCRIPT_2}
FRAMEWORKS = {"fastmcp", "langgraph", "openai-agents", "pydantic-ai-slim"}


def test_each_client_is_pinned_and_locked():
    """Each package has one version, which is also in the lock file, with a hash."""
    pinned = json.loads((FOLDER / "package.json").read_text("utf-8"))["dependencies"]
    packages = json.loads((FOLDER / "package-lock.json").read_text("utf-8"))["packages"]
    assert set(pinned) == ALL
    for name, version in pinned.items():
        assert packages[f"node_modules/{name}"]["version"] == version
    fetched = [package for path, package in packages.items() if path]
    assert [p for p in fetched if not p["integrity"].startswith("sha512-")] == []


@pytest.mark.parametrize(
    ("file", "packages"),
    [
        ("mcp-python-1.txt", {"mcp==1.", "fastmcp==2."}),
        (
            "agent-frameworks.txt",
            {"fastmcp==4.", "langgraph==", "openai-agents==", "pydantic-ai-slim=="},
        ),
    ],
)
def test_each_package_of_python_is_pinned(file, packages):
    """Each package and everything that it needs has one version."""
    lines = (FOLDER / file).read_text("utf-8").splitlines()[1:]
    assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []
    assert {
        package for package in packages if not any(line.startswith(package) for line in lines)
    } == set()


def test_the_lock_names_no_registry():
    """Each machine has its own registry, so a package is identified by its hash."""
    assert "resolved" not in (FOLDER / "package-lock.json").read_text("utf-8")
    assert "omit-lockfile-registry-resolved=true" in (FOLDER / ".npmrc").read_text("utf-8")


def test_each_client_has_its_reason():
    """Each client has a row in the decision about dependencies."""
    page = (ROOT / "docs" / "decisions" / "0002-dependencies.md").read_text("utf-8")
    assert set(re.findall(r"^\| `([\w@/-]+)` \|", page, re.MULTILINE)) == ALL | FRAMEWORKS
