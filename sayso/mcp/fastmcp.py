"""Protects the tools of an MCP server that is built with the package `fastmcp`, 4.x or 2.x.

    from sayso.mcp.fastmcp import FastMCPTools as Tools

    app = tools.protect(mcp.http_app())

Owns: the differences from the package `mcp`. Never: the rules (`tools`).
"""

from typing import ClassVar

from fastmcp import Context  # type: ignore[import-not-found]  # not in the tests' environment
from fastmcp.exceptions import ToolError  # type: ignore[import-not-found]  # as above

from sayso.mcp import tools


class FastMCPTools(tools.Tools):
    """The tools of one server of `fastmcp`; see `sayso.mcp.Tools`."""

    context_class: ClassVar[type] = Context
    error_class: ClassVar[type[Exception]] = ToolError
    passes_errors: ClassVar[bool] = False
