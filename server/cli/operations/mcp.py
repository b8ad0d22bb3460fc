"""`sayso mcp`: starts the MCP server by which an agent asks for approval, a program of the kit.

Owns: its name. Never: what it does; the kit and the server meet only on the wire.
"""

import click

from server.cli import kit_programs


@click.command()
def command() -> None:
    """Serve an agent the tools request_approval, wait and list, on stdin and stdout.

    The environment says who the agent is: SAYSO_ISSUER, SAYSO_AGENT_ID, and SAYSO_AGENT_SECRET or
    SAYSO_AGENT_KEY_FILE. See docs/my-mcp-agent.md.
    """
    kit_programs.run("sayso.mcp_server", extra=("mcp", "mcp"))
