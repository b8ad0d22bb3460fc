"""`sayso gateway`: starts the gateway, a program of the kit, in place of this process.

Owns: its flags. Never: what they mean; the gateway and the server meet only on the wire.
"""

from typing import NoReturn

import click

from server.cli import kit_programs


@click.group(invoke_without_command=True)
@click.option("--upstream", metavar="URL", help="The URL of the MCP server to protect.")
@click.option("--stdio", metavar="COMMAND", help="Its command instead, if it speaks stdio.")
@click.option("--config", metavar="FILE", help="The gateway's file.")
@click.option("--host", help="The address to listen on; 127.0.0.1 by default.")
@click.option("--port", help="8480 by default.")
@click.pass_context
def command(context: click.Context, /, **given: str | None) -> None:
    """Protect an existing MCP server: sign clients in, and ask people before risky calls.

    It logs each call of a tool as one line of JSON on stdout. See docs/gateway.md.
    """
    if context.invoked_subcommand is None:
        _run([], given)


@command.command("init")
@click.option("--upstream", metavar="URL", help="The URL of the MCP server to protect.")
@click.option("--stdio", metavar="COMMAND", help="Its command instead, if it speaks stdio.")
@click.option("--issuer", metavar="URL", help="Your Sayso server.")
@click.option("--resource", metavar="URL", help="Where clients reach the gateway.")
@click.option("--header", help="The header of --value-env; Authorization by default.")
@click.option("--value-env", metavar="NAME", help="The environment variable with its value.")
@click.option("--json", is_flag=True, help="Print one JSON document.")
def init(**given: str | bool | None) -> None:
    """Print the gateway's file, with each tool that the MCP server lists.

    Read it before you use it: the risk of a tool is a guess from what the tool says of itself.
    """
    _run(["init"], given)


def _run(words: list[str], given: dict[str, str | None] | dict[str, str | bool | None]) -> NoReturn:
    kit_programs.run("sayso.gateway", words, given, extra=("uvicorn", "gateway"))
