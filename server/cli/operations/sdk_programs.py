"""`sayso ask`, `mcp` and `gateway`: replace this process with a program of the SDK.

Defines the flags only. The programs talk to the server over HTTP.
"""

import importlib.util
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NoReturn

import click

_GATEWAY_EXTRA: Final = ("uvicorn", "gateway")


@click.command()
@click.option("--user", metavar="NAME", help="The person: a user name, email address or ID.")
@click.option("--action", metavar="TYPE", help="The action type.")
@click.option(
    "--details",
    metavar="JSON",
    help="The details of the action; @FILE reads a file, @- reads stdin.",
)
@click.option("--scope", help="Scopes, separated by spaces.")
@click.option("--resource", metavar="URI", help="The API, if the agent can use several.")
@click.option("--message", help="Up to 200 characters, shown as the agent's own message.")
@click.option("--risk", metavar="RISK", help="Raise the risk: low, medium, high or critical.")
@click.option("--expires-in", metavar="SECONDS", help="Expire the request after this many seconds.")
@click.option("--idempotency-key", help="Run again with the same key to resume the request.")
@click.option(
    "--accept-narrowed", is_flag=True, help="Also exit with 0 if the approver narrowed the request."
)
@click.option("--json", is_flag=True, help="Print the result as one JSON document.")
def ask(**options: str | bool | None) -> None:
    """Ask a person for approval as an agent, and wait. Exit 0 means approved.

    Set the agent in the environment: SAYSO_ISSUER, SAYSO_AGENT_ID, and SAYSO_AGENT_SECRET or
    SAYSO_AGENT_KEY_FILE. See docs/ask-from-a-shell.md.
    """
    _run("sayso.ask", options=options)


@click.command()
def mcp() -> None:
    """Serve an agent the tools request_approval, wait and list, on stdin and stdout.

    Set the agent in the environment: SAYSO_ISSUER, SAYSO_AGENT_ID, and SAYSO_AGENT_SECRET or
    SAYSO_AGENT_KEY_FILE. See docs/my-mcp-agent.md.
    """
    _run("sayso.mcp_server", extra=("mcp", "mcp"))


def _upstream_options(function: Callable[..., Any]) -> Callable[..., Any]:
    url = click.option("--upstream", metavar="URL", help="The URL of the MCP server to protect.")
    command = click.option(
        "--stdio", metavar="COMMAND", help="Start the MCP server with this command, and use stdio."
    )
    return url(command(function))


@click.group(invoke_without_command=True)
@_upstream_options
@click.option("--config", metavar="FILE", help="The configuration file.")
@click.option("--host", help="The address to listen on; 127.0.0.1 by default.")
@click.option("--port", help="The port to listen on; 8480 by default.")
@click.pass_context
def gateway(context: click.Context, /, **options: str | None) -> None:
    """Protect an existing MCP server: sign clients in, and ask people before risky calls.

    It logs each call of a tool as one line of JSON on stdout. See docs/gateway.md.
    """
    if context.invoked_subcommand is None:
        _run("sayso.gateway", [], options, extra=_GATEWAY_EXTRA)


@gateway.command("init")
@_upstream_options
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
    _run("sayso.gateway", ["init"], options, extra=_GATEWAY_EXTRA)


def _run(
    module: str,
    args: Sequence[str] = (),
    options: Mapping[str, str | bool | None] | None = None,
    *,
    extra: tuple[str, str] | None = None,
) -> NoReturn:
    """Run a module of the SDK with these arguments and options.

    `extra` is an additional package that the module needs, and the extra of Sayso that installs it.
    """
    if extra is not None and importlib.util.find_spec(extra[0]) is None:
        raise click.ClickException(
            f"This command needs the package {extra[0]}. In the checkout of Sayso, run: "
            f"pip install '.[{extra[1]}]'"
        )
    program = [sys.executable, "-m", module, *args]
    for name, value in (options or {}).items():
        flag = f"--{name.replace('_', '-')}"
        if value is True:
            program.append(flag)
        elif value not in (None, False):
            program.append(f"{flag}={value}")
    sys.stdout.flush()
    os.execv(program[0], program)  # noqa: S606  # our own program; it receives the signals
