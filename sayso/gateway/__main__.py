"""`python -m sayso.gateway`, which `sayso gateway` starts.

Owns: the command line, the environment, and the log on stdout. Never: rules.
"""

import argparse
import asyncio
import json
import os
import shlex
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

import httpx

from sayso.agent import AsyncAgent
from sayso.errors import Refused, Unreachable
from sayso.gateway import config, draft, messages
from sayso.gateway.answers import UpstreamError, UpstreamServer
from sayso.gateway.app import Gateway
from sayso.gateway.config import BadFile, Config, Header
from sayso.gateway.stdio import StdioServer
from sayso.gateway.tool_list import read_pages
from sayso.gateway.tools import ToolMap
from sayso.gateway.upstream import Upstream
from sayso.guard import AsyncGuard
from sayso.issuer import Issuer, split_url
from sayso.transport import new_http, run

_USAGE: Final = 2
_MAX_PORT: Final = 65_535
_MAX_BYTES: Final = 4 * 1024 * 1024
_OLDEST_VERSION: Final = "2025-06-18"


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command, and exit."""
    cli_args = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if cli_args[:1] == ["init"]:
            _init(cli_args[1:])
        else:
            _serve(cli_args)
    except (BadFile, UpstreamError, ValueError, OSError) as error:
        sys.stderr.write(f"Error: {error}\n")
        sys.exit(_USAGE if isinstance(error, BadFile) else 1)
    sys.exit(0)


def _serve(cli_args: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(
        "sayso gateway",
        description="Protect an MCP server: sign clients in, and ask people before risky calls.",
        epilog="`sayso gateway init --upstream URL > gateway.toml` writes the file.",
    )
    _add_upstream(parser)
    parser.add_argument("--config", type=Path, required=True, help="the gateway's file")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    parser.add_argument("--port", type=_port, default=8480)
    options = parser.parse_args(cli_args)
    from sayso.gateway.serving import serve  # noqa: PLC0415  # uvicorn is an extra

    if not options.config.is_file():
        raise BadFile("", str(options.config), "no such file. Write it with `sayso gateway init`.")
    file_config = config.read(options.config.read_text("utf-8-sig"), os.environ)
    _check_issuer(file_config.issuer)
    agent = _agent(file_config)
    upstream: UpstreamServer
    if options.stdio:
        upstream = StdioServer(options.stdio, file_config, os.environ, _log)
    else:
        upstream = Upstream(options.upstream, file_config, agent)
    name = options.upstream or shlex.join(options.stdio)
    sys.stderr.write(f"The gateway serves {file_config.resource} in front of {name}.\n")
    serve(build(file_config, upstream, agent), options.host, options.port)


def _check_issuer(url: str) -> None:
    """Refuse a wrong issuer. An issuer that does not respond may still be starting."""
    try:
        with new_http(httpx.Client) as http:
            run(Issuer(url).endpoint("token_endpoint"), http)
    except Refused as error:
        raise BadFile("", "issuer", str(error)) from error
    except Unreachable:
        sys.stderr.write(f"{url} is not responding yet. Calls are refused until it responds.\n")


def build(file_config: Config, upstream: UpstreamServer, agent: AsyncAgent | None) -> Gateway:
    """Return the gateway with its connections."""
    scopes = (part for tool in file_config.tools.tools.values() for part in tool.scope.split())
    guard = AsyncGuard(
        file_config.issuer,
        file_config.resource,
        credentials=file_config.credentials,
        scopes=tuple(dict.fromkeys(scopes)),
    )
    return Gateway(file_config, upstream, guard, agent, _log)


def _agent(file_config: Config) -> AsyncAgent | None:
    if file_config.agent is None:
        return None
    return AsyncAgent(file_config.issuer, file_config.agent[0], secret=file_config.agent[1])


def _init(cli_args: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(
        "sayso gateway init", description="Write the gateway's file from what the server lists."
    )
    _add_upstream(parser)
    parser.add_argument("--issuer", default="http://localhost:8470", help="your Sayso server")
    parser.add_argument(
        "--resource", default="http://localhost:8480/mcp", help="where clients reach the gateway"
    )
    parser.add_argument("--header", default="Authorization", help="the header of --value-env")
    parser.add_argument(
        "--value-env", help="the environment variable that has the header's value, if one is needed"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args(cli_args)
    header = None
    if options.value_env:
        if not os.environ.get(options.value_env):
            raise ValueError(f"--value-env: the variable {options.value_env} is not set.")
        header = Header(options.header, os.environ[options.value_env])
    credential_names = (options.header, options.value_env) if header else None
    if header is not None and options.stdio:
        raise ValueError("--value-env: --stdio has no header. The server reads its environment.")
    instructions_and_tools = asyncio.run(_list_tools(options.upstream, options.stdio, header))
    text = draft.write(options.issuer, options.resource, credential_names, *instructions_and_tools)
    sys.stdout.write(f"{json.dumps(tomllib.loads(text))}\n" if options.json else text)


def _add_upstream(parser: argparse.ArgumentParser) -> None:
    group = parser.add_mutually_exclusive_group(required=True)
    group.add_argument("--upstream", type=_url, help="the MCP server's URL")
    group.add_argument(
        "--stdio", type=_command, metavar="COMMAND", help="the MCP server's command, if it is local"
    )


def _command(text: str) -> list[str]:
    try:
        parts = shlex.split(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"cannot be read: {error}") from error
    if not parts:
        raise argparse.ArgumentTypeError("must be a program and its arguments")
    return parts


def _url(text: str) -> str:
    try:
        parts = split_url("the upstream server", text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise argparse.ArgumentTypeError("must be an http or https URL")
    return text


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= _MAX_PORT:
        raise argparse.ArgumentTypeError(f"must be a number from 1 to {_MAX_PORT}")
    return int(text)


async def _list_tools(
    url: str | None, command: Sequence[str] | None, header: Header | None
) -> tuple[object, Sequence[Mapping[str, Any]]]:
    """Return the instructions and the tools of an MCP server."""
    empty_config = Config("", "", ("", ""), None, header, ToolMap({}), 30, 1, _MAX_BYTES)
    upstream: UpstreamServer
    if command:
        upstream = StdioServer(command, empty_config, os.environ, _log_to_stderr)
    else:
        upstream = Upstream(url or "", empty_config, None)
    try:
        return await _fetch_tools(upstream)
    finally:
        await upstream.aclose()


async def _fetch_tools(upstream: UpstreamServer) -> tuple[object, Sequence[Mapping[str, Any]]]:
    headers = {"accept": "application/json, text/event-stream", "content-type": "application/json"}

    async def ask(method: str, params: Mapping[str, object]) -> messages.Json:
        request = messages.request(method, params)
        async with upstream.send(None, "POST", headers, messages.write(request)) as answer:
            if answer.session is not None:
                headers["mcp-session-id"] = answer.session
            async with asyncio.timeout(answer.timeout):
                reply = await answer.result(request)
        if "result" not in reply:
            raise UpstreamError(f"The upstream server refused {method}. Check the URL.")
        return messages.members(reply, "result")

    client = {"name": "sayso-gateway", "version": "1"}
    client_info = {"protocolVersion": _OLDEST_VERSION, "capabilities": {}, "clientInfo": client}
    initialized = await ask("initialize", client_info)
    headers["mcp-protocol-version"] = str(initialized.get("protocolVersion", _OLDEST_VERSION))
    notification = messages.write({"jsonrpc": "2.0", "method": "notifications/initialized"})
    async with upstream.send(None, "POST", headers, notification):
        pass
    listed = await read_pages(lambda params: ask("tools/list", params), {})
    tools = [tool for tool in listed if isinstance(tool, dict)]
    return initialized.get("instructions"), tools


def _log(record: Mapping[str, object]) -> None:
    sys.stdout.write(json.dumps(record) + "\n")
    sys.stdout.flush()


def _log_to_stderr(record: Mapping[str, object]) -> None:
    sys.stderr.write(json.dumps(record) + "\n")


if __name__ == "__main__":
    main()
