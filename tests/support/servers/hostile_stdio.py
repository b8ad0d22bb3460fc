"""An MCP server over stdio that answers each tool call in the way that the tool's name says.

Owns: every bad answer that a process can give. Never: a library, so that it starts immediately.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any


def main() -> None:
    """Read messages, and answer them."""
    sys.stderr.write("starting \x1b[31mred\u202e\n")
    sys.stderr.flush()
    for line in sys.stdin:
        message = json.loads(line)
        _RECEIVED.append(message.get("method"))
        if "id" in message and "method" in message:
            _answer(message)


def _answer(message: dict[str, Any]) -> None:
    if message["method"] != "tools/call":
        _say({"id": message["id"], "result": {"opened": message["method"]}})
        return
    tool = message["params"]["name"]
    if tool == "silent":
        return
    if tool in _ACTIONS_BEFORE:
        _ACTIONS_BEFORE[tool](message)
    result = {"pid": os.getpid(), "environment": dict(os.environ), "received": _RECEIVED}
    _say({"id": message["id"], "result": result})


def _send_unrelated_messages(_: object) -> None:
    _say({"id": 999, "result": "nobody's"})
    _say({"method": "notifications/message", "params": {"data": "note"}})


def _report_progress(message: dict[str, Any]) -> None:
    token = message["params"]["_meta"]["progressToken"]
    text = message["params"]["arguments"]["text"]
    params = {"progressToken": token, "progress": 1, "message": text}
    _say({"method": "notifications/progress", "params": {**params, "progressToken": "unknown"}})
    _say({"method": "notifications/progress", "params": params})
    time.sleep(0.3)


def _flood(_: object) -> None:
    for _number in range(1_000):
        _write("stray")
        sys.stderr.write("stray\n")


def _say(message: dict[str, Any]) -> None:
    _write(json.dumps({"jsonrpc": "2.0", **message}))


def _write(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


_RECEIVED: list[str | None] = []
_ACTIONS_BEFORE: dict[str, Callable[[dict[str, Any]], None]] = {
    "die": lambda _: os._exit(3),
    "huge": lambda sent: _say({"id": sent["id"], "result": {"text": "x" * 10_000_000}}),
    "not json": lambda _: _write("Hello from a library\x1b[2J\n[1]\n{"),
    "others first": _send_unrelated_messages,
    "floods": _flood,
    "progress": _report_progress,
    "deaf": lambda _: time.sleep(60),
}
"""Tool name → what it does before the regular answer."""

main()
