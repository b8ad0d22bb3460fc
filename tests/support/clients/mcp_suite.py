"""MCP's own conformance suite, which acts as the client.

Owns: running it and reading its results. Never: the expected results.
"""

import contextlib
import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from tests.support.clients.third_party import FOLDER, MCP_SUITE, typescript_node

_TIMEOUT: Final = 300
_WORST_FIRST: Final = ("FAILURE", "WARNING", "SKIPPED", "SUCCESS")
_NAME: Final = re.compile(r"(?:authorization-)?server-(.+)-\d{4}-\d\d-\d\dT[\d-]+Z")

CheckResults = Mapping[tuple[str, str], str]
"""The worst status of each check, by scenario and check."""


def run_server_suite(url: str, folder: Path, *options: str) -> CheckResults:
    """Run all scenarios against an MCP server."""
    program = _program("server", "--url", url, "--suite", "all", *options, "-o", str(folder))
    subprocess.run(program, stdout=subprocess.DEVNULL, timeout=_TIMEOUT, check=False)
    return read_results(folder)


@contextlib.contextmanager
def running_authorization_suite(folder: Path, *options: str) -> Iterator[str]:
    """Run the scenarios against an authorization server; the block opens the link it receives."""
    program = _program("authorization", *options, "-o", str(folder))
    process = subprocess.Popen(program, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        links = (line.strip() for line in process.stdout if "/authorize?" in line)
        yield next(links)
        process.stdout.read()
        assert process.wait(_TIMEOUT) == 0
    finally:
        process.kill()
        process.communicate()


def read_results(folder: Path) -> CheckResults:
    """Return the results of a run from the folder that it wrote."""
    found: dict[tuple[str, str], str] = {}
    for results in folder.glob("*/checks.json"):
        match = _NAME.fullmatch(results.parent.name)
        assert match is not None, results
        for check in json.loads(results.read_text()):
            if check["status"] == "INFO":  # information, not a verdict
                continue
            key = match[1], check["id"]
            statuses = (check["status"], found.get(key, "SUCCESS"))
            found[key] = min(statuses, key=_WORST_FIRST.index)
    return found


def _program(*words: str) -> list[str]:
    return [typescript_node(), str(FOLDER / "node_modules" / MCP_SUITE / "dist/index.js"), *words]
