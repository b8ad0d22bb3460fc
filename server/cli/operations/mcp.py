"""`sayso mcp`: replaces this process with the MCP server of the SDK (`sayso.mcp_server`)."""

import click

from server.cli import sdk_programs


@click.command()
def command() -> None:
    """Serve an agent the tools request_approval, wait and list, on stdin and stdout.

    Set the agent in the environment: SAYSO_ISSUER, SAYSO_AGENT_ID, and SAYSO_AGENT_SECRET or
    SAYSO_AGENT_KEY_FILE. See docs/my-mcp-agent.md.
    """
    sdk_programs.run("sayso.mcp_server", extra=("mcp", "mcp"))
