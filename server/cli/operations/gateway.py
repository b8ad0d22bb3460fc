"""`sayso gateway`: replaces this process with the gateway (`sayso.gateway`).

Defines the flags only. The gateway talks to the server over HTTP.
"""

from typing import NoReturn

import click

from server.cli import sdk_programs


@click.group(invoke_without_command=True)
@click.option("--upstream", metavar="URL", help="The URL of the MCP server to protect.")
@click.option(
    "--stdio", metavar="COMMAND", help="Start the MCP server with this command, and use stdio."
)
@click.option("--config", metavar="FILE", help="The configuration file.")
@click.option("--host", help="The address to listen on; 127.0.0.1 by default.")
@click.option("--port", help="The port to listen on; 8480 by default.")
@click.pass_context
def command(context: click.Context, /, **options: str | None) -> None:
    """Protect an existing MCP server: sign clients in, and ask people before risky calls.

    It logs each call of a tool as one line of JSON on stdout. See docs/gateway.md.
    """
    if context.invoked_subcommand is None:
        _run([], options)


@command.command("init")
@click.option("--upstream", metavar="URL", help="The URL of the MCP server to protect.")
@click.option(
    "--stdio", metavar="COMMAND", help="Start the MCP server with this command, and use stdio."
)
@click.option("--issuer", metavar="URL", help="Your Sayso server.")
@click.option(
    "--resource", metavar="URL", help="The public URL of the gateway, which is its resource URI."
)
@click.option("--header", help="Header to send to the MCP server; Authorization by default.")
@click.option("--value-env", metavar="NAME", help="Environment variable with the header's value.")
@click.option("--json", is_flag=True, help="Print one JSON document.")
def init(**options: str | bool | None) -> None:
    """Print a configuration file with each tool that the MCP server lists.

    Review it first: the risk of each tool is guessed from the tool's own description.
    """
    _run(["init"], options)


def _run(
    args: list[str], options: dict[str, str | None] | dict[str, str | bool | None]
) -> NoReturn:
    sdk_programs.run("sayso.gateway", args, options, extra=("uvicorn", "gateway"))
