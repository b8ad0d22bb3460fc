"""`python -m sayso.mcp_server`, which `sayso mcp` starts.

Owns: the tools that MCP shows, on stdin and stdout. Never: their texts (`open_requests`).
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NoReturn

from sayso.environment import agent_from_env
from sayso.errors import SaysoError
from sayso.mcp.package import Context, MCPServer, ToolError
from sayso.mcp_server.open_requests import BadCall, OpenRequests

_INSTRUCTIONS = """\
People approve what you do before you do it. Call request_approval with the person, the action type
and the facts. Then call wait until the answer is not pending. Act only on an answer that begins
with Approved, exactly as it says, and once."""


def build_server(requests: OpenRequests) -> MCPServer:
    """Return the MCP server for these requests."""

    @asynccontextmanager
    async def lifespan(_: MCPServer) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await _withdraw(requests)

    server = MCPServer("sayso", instructions=_INSTRUCTIONS, log_level="WARNING", lifespan=lifespan)

    @server.tool(structured_output=False)
    async def request_approval(
        user: str, action: str, details: dict[str, Any], message: str = ""
    ) -> str:
        """Ask a person to approve one action. Returns an ID for wait; nothing is approved yet.

        user is a user name, email address or ID. action is a registered action type, such as
        payment.transfer, and details its facts, such as {"payee": "Nordwind", "amount": {"minor":
        482000, "currency": "EUR"}}. message, up to 200 characters, is shown as your own words.
        """
        try:
            return await requests.request(user, action, details, message)
        except (SaysoError, BadCall) as error:
            raise ToolError(f"Nobody was asked. {error}") from error

    @server.tool(structured_output=False)
    async def wait(id: str, context: Context, seconds: float = 50) -> str:  # noqa: A002  # the argument that models pass
        """Wait for the answer to a request, for at most this many seconds (up to 600).

        If the answer is still pending, call it again.
        """

        async def progress(elapsed: float, text: str) -> None:
            await context.report_progress(elapsed, seconds, text)

        try:
            return await requests.wait(id, seconds, progress)
        except BadCall as error:
            raise ToolError(str(error)) from error

    @server.tool(name="list", structured_output=False)
    async def list_requests() -> str:
        """List your requests with their ids and states."""
        return requests.list_requests()

    return server


async def _withdraw(requests: OpenRequests) -> None:
    try:
        await requests.withdraw()
    except (SaysoError, TimeoutError) as error:
        sys.stderr.write(f"A request may stay open until it expires: {str(error) or 'no answer'}\n")


def main() -> NoReturn:
    """Serve on stdin and stdout until stdin is closed."""
    try:
        agent = agent_from_env()
    except ValueError as error:
        sys.stderr.write(f"Error: {error}\n")
        sys.exit(2)
    build_server(OpenRequests(agent)).run("stdio")
    sys.exit(0)


if __name__ == "__main__":
    main()
