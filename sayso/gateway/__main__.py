"""`python -m sayso.gateway`, which `sayso gateway` starts.

Owns: the command line, the environment, and the log on stdout. Never: a rule.
"""

import argparse
import asyncio
import json
import os
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

import httpx

from sayso.agent import AsyncAgent
from sayso.gateway import config, draft, messages
from sayso.gateway.app import Gateway
from sayso.gateway.config import BadFile, Config, Header
from sayso.gateway.tools import ToolMap
from sayso.gateway.upstream import Upstream, UpstreamError
from sayso.guard import AsyncGuard

_USAGE: Final = 2
_MAX_PAGES: Final = 100
_MAX_BYTES: Final = 4 * 1024 * 1024
_OLDEST: Final = "2025-06-18"


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command, and exit."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if given[:1] == ["init"]:
            _init(given[1:])
        else:
            _serve(given)
    except (BadFile, UpstreamError, ValueError, OSError) as error:
        sys.stderr.write(f"Error: {error}\n")
        sys.exit(_USAGE if isinstance(error, BadFile) else 1)
    sys.exit(0)


def _serve(given: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(
        "sayso gateway",
        description="Protect an MCP server: sign clients in, and ask people before risky calls.",
        epilog="`sayso gateway init --upstream URL > gateway.toml` writes the file.",
    )
    _add_upstream(parser)
    parser.add_argument("--config", type=Path, required=True, help="the gateway's file")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    parser.add_argument("--port", type=int, default=8480)
    options = parser.parse_args(given)
    import uvicorn  # noqa: PLC0415  # an extra

    if not options.config.is_file():
        raise BadFile("", str(options.config), "no such file. Write it with `sayso gateway init`.")
    read = config.read(options.config.read_text("utf-8"), os.environ)
    app = build(read, options.upstream).app
    sys.stderr.write(f"The gateway serves {read.resource} in front of {options.upstream}.\n")
    uvicorn.run(
        app,
        host=options.host,
        port=options.port,
        log_level="warning",
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=5,
    )


def build(read: Config, upstream: str) -> Gateway:
    """The gateway with its connections."""
    many = httpx.Limits(max_connections=None, max_keepalive_connections=100)
    agent = None
    if read.agent is not None:
        http = httpx.AsyncClient(limits=many)
        agent = AsyncAgent(read.issuer, read.agent[0], secret=read.agent[1], http=http)
    scopes = (each for tool in read.tools.tools.values() for each in tool.scope.split())
    guard = AsyncGuard(
        read.issuer,
        read.resource,
        credentials=read.credentials,
        scopes=tuple(dict.fromkeys(scopes)),
        http=httpx.AsyncClient(limits=many),
    )
    return Gateway(read, Upstream(upstream, read, agent), guard, agent, _log)


def _init(given: Sequence[str]) -> None:
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
    options = parser.parse_args(given)
    header = None
    if options.value_env:
        if not os.environ.get(options.value_env):
            raise ValueError(f"--value-env: the variable {options.value_env} is not set.")
        header = Header(options.header, os.environ[options.value_env])
    known_by = (options.header, options.value_env) if header else None
    listed = asyncio.run(_listed(options.upstream, header))
    text = draft.write(options.issuer, options.resource, known_by, *listed)
    sys.stdout.write(f"{json.dumps(tomllib.loads(text))}\n" if options.json else text)


def _add_upstream(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--upstream", required=True, type=_url, help="the MCP server's URL")


def _url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise argparse.ArgumentTypeError("must be an http or https URL")
    return text


async def _listed(url: str, header: Header | None) -> tuple[object, Sequence[Mapping[str, Any]]]:
    """The instructions and the tools of an MCP server."""
    empty = Config("", "", ("", ""), None, header, ToolMap({}), 30, 1, _MAX_BYTES)
    upstream = Upstream(url, empty, None)
    headers = {"accept": "application/json, text/event-stream", "content-type": "application/json"}

    async def ask(method: str, params: Mapping[str, object]) -> messages.Json:
        asked = messages.request(method, method, params)
        async with upstream.send(None, "POST", headers, messages.write(asked)) as answer:
            if answer.session is not None:
                headers["mcp-session-id"] = answer.session
            said = await answer.result(asked)
        if "result" not in said:
            raise UpstreamError(f"The upstream server refused {method}. Check the URL.")
        return messages.members(said, "result")

    client = {"name": "sayso-gateway", "version": "1"}
    about = {"protocolVersion": _OLDEST, "capabilities": {}, "clientInfo": client}
    hello = await ask("initialize", about)
    headers["mcp-protocol-version"] = str(hello.get("protocolVersion", _OLDEST))
    ready = messages.write({"jsonrpc": "2.0", "method": "notifications/initialized"})
    async with upstream.send(None, "POST", headers, ready):
        pass
    tools: list[Mapping[str, Any]] = []
    params: dict[str, object] = {}
    for _ in range(_MAX_PAGES):
        page = await ask("tools/list", params)
        tools += [each for each in page.get("tools", []) if isinstance(each, dict)]
        if not page.get("nextCursor"):
            break
        params = {"cursor": page["nextCursor"]}
    await upstream.aclose()
    return hello.get("instructions"), tools


def _log(record: Mapping[str, object]) -> None:
    sys.stdout.write(json.dumps(record) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
