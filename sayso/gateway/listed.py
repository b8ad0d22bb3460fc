"""What the upstream server lists its tools as now.

Owns: noting lists that pass, and asking when they are old. Never: which tools are called.
"""

import asyncio
from typing import Final

from sayso.gateway import messages, tools
from sayso.gateway.answers import UpstreamServer
from sayso.gateway.incoming import Incoming
from sayso.gateway.messages import Json, members
from sayso.gateway.tools import MappedTool, ToolMap

_MAX_PAGES: Final = 100
_MAX_TOOLS: Final = 10_000
_FRESH: Final = 60.0
"""Seconds after which the upstream server is asked again."""


class Listed:
    """The digests of the tools of the file, as they were listed last."""

    def __init__(self, known: ToolMap, upstream: UpstreamServer) -> None:
        self._map, self._upstream = known, upstream
        self._digests: dict[str, tuple[float, set[str]]] = {}
        """Until when they count, and all under which a tool was listed."""

    def note(self, result: Json) -> None:
        """Note a list that passes."""
        found = result.get("tools")
        for name, digests in self._map.digests(found if isinstance(found, list) else []).items():
            self._note(name, digests)

    async def changed(self, incoming: Incoming, message: Json, tool: MappedTool) -> str | None:
        """Why this tool cannot be called as it was mapped, if it cannot. Raises UpstreamError."""
        now = asyncio.get_running_loop().time()
        until, seen = self._digests.get(tool.name, (now, set()))
        if until <= now:
            await self._ask(incoming, message)
            _, seen = self._digests[tool.name]
        return tools.changed(tool, seen)

    async def _ask(self, incoming: Incoming, message: Json) -> None:
        """List the tools as this caller's session sees them."""
        headers = {n: v for n, v in incoming.headers.items() if not n.startswith("mcp-param-")}
        headers.pop("mcp-name", None)
        if "mcp-method" in headers:
            headers["mcp-method"] = "tools/list"
        params: dict[str, object] = messages.quiet_meta(message)
        found: list[object] = []
        for page in range(_MAX_PAGES):
            asked = messages.request(f"sayso-list-{page}", "tools/list", params)
            body = messages.write(asked)
            async with self._upstream.send(incoming.caller, "POST", headers, body) as answer:
                result = members(await answer.result(asked), "result")
            listed = result.get("tools")
            found += listed if isinstance(listed, list) else []
            if len(found) > _MAX_TOOLS or not result.get("nextCursor"):
                break
            params = {**params, "cursor": result["nextCursor"]}
        digests = self._map.digests(found)
        for name in self._map.tools:
            self._note(name, digests.get(name, set()))

    def _note(self, name: str, digests: set[str]) -> None:
        self._digests[name] = asyncio.get_running_loop().time() + _FRESH, digests
