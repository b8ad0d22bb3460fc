"""The upstream server's tool list.

Owns: reading its pages, remembering lists that pass through, and fetching a new one when they are
old. Never: which tools may be called.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from sayso.gateway import messages, tools
from sayso.gateway.answers import UpstreamError, UpstreamServer
from sayso.gateway.incoming import Incoming
from sayso.gateway.messages import Json, members
from sayso.gateway.tools import MappedTool, ToolMap

_MAX_PAGES: Final = 100
_MAX_TOOLS: Final = 10_000
_MAX_AGE_SECONDS: Final = 60.0
"""Seconds after which the list is fetched again."""


async def read_pages(
    fetch: Callable[[Mapping[str, object]], Awaitable[Json]], params: Mapping[str, object]
) -> list[object]:
    """Return the tools of all pages. `fetch` returns the page for these parameters.

    Raises UpstreamError if the list does not end, because the rest of it is unknown.
    """
    all_tools: list[object] = []
    for _ in range(_MAX_PAGES):
        page = await fetch(params)
        page_tools = page.get("tools")
        all_tools += page_tools if isinstance(page_tools, list) else []
        if len(all_tools) > _MAX_TOOLS:
            break
        if not page.get("nextCursor"):
            return all_tools
        params = {**params, "cursor": page["nextCursor"]}
    raise UpstreamError(
        f"The upstream server's tool list does not end after {_MAX_PAGES} pages or {_MAX_TOOLS:,} "
        "tools. Its last page must have no nextCursor."
    )


class ToolList:
    """The digests of the file's tools, as last listed."""

    def __init__(self, tool_map: ToolMap, upstream: UpstreamServer) -> None:
        self._map, self._upstream = tool_map, upstream
        self._digests: dict[str, tuple[float, set[str]]] = {}
        """For each tool, when its digests expire, and all digests that were listed for it."""

    def note(self, result: Json) -> None:
        """Remember the tools of a list that passes through."""
        listed_tools = result.get("tools")
        for name, digests in self._map.digests(
            listed_tools if isinstance(listed_tools, list) else []
        ).items():
            self._note(name, digests)

    async def mapping_problem(
        self, incoming: Incoming, message: Json, tool: MappedTool
    ) -> str | None:
        """Return why this tool cannot be called as mapped, or None. Raises UpstreamError."""
        now = asyncio.get_running_loop().time()
        expires_at, digests = self._digests.get(tool.name, (now, set()))
        if expires_at <= now:
            await self._refresh(incoming, message)
            _, digests = self._digests[tool.name]
        return tools.mapping_problem(tool, digests)

    async def _refresh(self, incoming: Incoming, message: Json) -> None:
        """Fetch the list of tools as this caller's session sees it."""
        headers = {
            name: value
            for name, value in incoming.headers.items()
            if not name.startswith("mcp-param-")
        }
        headers.pop("mcp-name", None)
        if "mcp-method" in headers:
            headers["mcp-method"] = "tools/list"

        async def fetch(params: Mapping[str, object]) -> Json:
            request = messages.request("tools/list", params)
            body = messages.write(request)
            async with self._upstream.send(incoming.caller, "POST", headers, body) as answer:
                async with asyncio.timeout(answer.timeout):
                    return members(await answer.result(request), "result")

        all_tools = await read_pages(fetch, messages.quiet_meta(message))
        digests = self._map.digests(all_tools)
        for name in self._map.tools:
            self._note(name, digests.get(name, set()))

    def _note(self, name: str, digests: set[str]) -> None:
        self._digests[name] = asyncio.get_running_loop().time() + _MAX_AGE_SECONDS, digests
