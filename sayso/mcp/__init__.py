"""Protects the tools of an MCP server. `sayso.mcp.fastmcp` is for the package `fastmcp`.

Owns: the adapters for MCP server frameworks.
Never: asking people (`open_calls`).
"""

from sayso.mcp.tools import Tools

__all__ = ["Tools"]
