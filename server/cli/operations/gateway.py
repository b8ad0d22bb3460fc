"""`sayso gateway`: starts the gateway, a program of the kit, in place of this process.

Owns: its flags. Never: what they mean; the gateway and the server meet only on the wire.
"""

import importlib.util
import os
import sys
from typing import NoReturn

import click


@click.group(invoke_without_command=True)
@click.option("--upstream", metavar="URL", help="The MCP server to protect.")
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
@click.option("--upstream", metavar="URL", help="The MCP server to protect.")
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
    if importlib.util.find_spec("uvicorn") is None:
        raise click.ClickException(
            "The gateway needs uvicorn. In the checkout of Sayso, run: pip install '.[gateway]'"
        )
    for name, value in given.items():
        flag = f"--{name.replace('_', '-')}"
        words += [flag] if value is True else [flag, str(value)] if value else []
    program = [sys.executable, "-m", "sayso.gateway", *words]
    sys.stdout.flush()
    os.execv(program[0], program)  # noqa: S606  # our own program, which takes the signals
