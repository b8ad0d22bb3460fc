"""What Sayso uses from the package `mcp`, in version 2.x or 1.x.

Owns: where each version has it. Never: how it is used.
"""

try:
    from mcp.server.mcpserver import Context, MCPServer
    from mcp.server.mcpserver.exceptions import ToolError
except ImportError:  # 1.x
    from mcp.server.fastmcp import Context  # type: ignore[attr-defined,no-redef]  # 2.x lacks it
    from mcp.server.fastmcp import FastMCP as MCPServer  # type: ignore[attr-defined,no-redef]  # as above
    from mcp.server.fastmcp.exceptions import (  # type: ignore[import-not-found,no-redef]  # as above
        ToolError,
    )

__all__ = ["Context", "MCPServer", "ToolError"]
