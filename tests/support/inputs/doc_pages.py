"""A page of the documentation whose code blocks are run as printed.

Owns: running its commands and its Python. Never: the expected results.
"""

import re
import shlex
from typing import Any

from tests.support.checks.source import ROOT
from tests.support.inputs.commands import command
from tests.support.servers.server import LiveServer

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
_SECRETS = re.compile(r"(sayso_(?:ag|app|rs|cs|rk)_[\w-]+)")


class DocPage:
    """The blocks of a page, run in order in one namespace."""

    def __init__(self, name: str, **others: int) -> None:
        """Read the page; `others` replace its ports, such as `p8480=20001`."""
        text = (ROOT / name).read_text("utf-8")
        for port, other in others.items():
            text = text.replace(f":{port[1:]}", f":{other}").replace(
                f"--port {port[1:]}", f"--port {other}"
            )
        self._blocks = _BLOCK.findall(text)
        self.names: dict[str, Any] = {}

    def commands(self, server: LiveServer) -> list[str]:
        """Run the commands of the page's shell block; return the identifiers that they print."""
        kind, block = self._blocks.pop(0)
        assert kind == "sh"
        printed = ""
        for line in block.splitlines():
            _, *words = shlex.split(line)
            result = command("server", *words, "--json", environment=server.environment)
            assert result.returncode == 0, (line, result.stderr)
            printed += result.stdout
        return _SECRETS.findall(printed)

    def run(self) -> None:
        """Run the next block of Python; skip JSON and plain blocks before it."""
        kind, block = self._blocks.pop(0)
        while kind in {"json", ""}:
            kind, block = self._blocks.pop(0)
        assert kind == "python"
        exec(compile(block, "page", "exec"), self.names)  # noqa: S102  # the page's own text

    def text(self, kind: str) -> str:
        """Return the next block unchanged."""
        block_kind, block = self._blocks.pop(0)
        assert block_kind == kind
        return str(block)

    def only_block(self, kind: str) -> str:
        """Return the only block of this kind."""
        (only_block,) = [block for block_kind, block in self._blocks if block_kind == kind]
        return str(only_block)

    def skip(self) -> None:
        """Skip the block that starts a server, because it would never end."""
        kind, _ = self._blocks.pop(0)
        assert kind == ""

    def done(self) -> bool:
        """Report whether every block was run."""
        return self._blocks == []
