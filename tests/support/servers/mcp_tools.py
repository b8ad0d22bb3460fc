"""A protected MCP server, for `mcp` 2.x and 1.x: `python mcp_tools.py PORT LEDGER SETTINGS`.

Owns: its tools. Never: Sayso's server, which an environment with `mcp` 1.x does not have.
"""

import json
import sys
from pathlib import Path
from typing import Any

import uvicorn

from sayso.mcp import Tools

try:
    from mcp.server.mcpserver import MCPServer
except ImportError:  # 1.x
    from mcp.server.fastmcp import (  # type: ignore[attr-defined,no-redef]  # checked with 2.x
        FastMCP as MCPServer,
    )


def main(port: int, ledger: Path, settings: dict[str, Any]) -> None:
    """Serve three tools."""
    pair = {name: tuple(settings[name]) for name in ("credentials", "agent")}
    tools = Tools(**{**settings, **pair})
    mcp = MCPServer("notes", log_level="WARNING")

    @mcp.tool()
    @tools.low("notes:read")
    def read() -> str:
        """Read the notes."""
        return "milk"

    @mcp.tool()
    @tools.medium("notes:write")
    def write(text: str) -> str:
        """Write a note."""
        return f"wrote {text}"

    @mcp.tool()
    @tools.high("payment.transfer", "notes:pay")
    def pay(payee: str, amount: dict[str, Any]) -> str:
        """Pay an amount in minor units."""
        with ledger.open("a") as lines:
            lines.write(json.dumps([payee, amount["minor"]]) + "\n")
        return f"paid {amount['minor']} to {payee}"

    app = tools.protect(mcp.streamable_http_app())
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3]))
