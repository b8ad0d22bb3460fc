"""Tool calls that a person must approve, whatever protocol carries them.

1. Calls of a tool with the same user, client and arguments are one call: they share one request to
   the person. A call with different arguments has its own request.
2. A call that was approved or denied has ended. The next call like it asks again.
3. A client that cannot wait is told how to resume. Resuming grants nothing: only the token and the
   arguments of the new call count.

Owns: these rules. Never: asking (`agent`), or the messages of a protocol (`mcp`).
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from enum import Enum, auto
from typing import Any, Final

from sayso.keys import b64

FIRST_STATELESS_VERSION: Final = "2026-07-28"
"""The first MCP version in which servers send no requests."""


class ResumeMethod(Enum):
    """How a client that cannot wait any longer gets the answer."""

    INPUT_REQUIRED = auto()
    """It shows a URL and repeats the call with the state that it received (from 2026-07-28)."""
    URL_REQUIRED = auto()
    """It shows a URL and repeats the call (2025-11-25)."""
    SAME_CALL = auto()
    """The model reads instructions and repeats the call."""


def call_id(user: str, client: str, tool: str, action: Mapping[str, Any]) -> str:
    """Return the ID of a call, derived from its caller and its contents."""
    encoded = json.dumps([user, client, tool, action], sort_keys=True, separators=(",", ":"))
    return b64(hashlib.sha256(encoded.encode()).digest())


def choose_resume_method(version: str, *, shows_urls: bool) -> ResumeMethod:
    """Choose how the client resumes, based on the protocol version and its capabilities."""
    if not shows_urls:
        return ResumeMethod.SAME_CALL
    return (
        ResumeMethod.INPUT_REQUIRED
        if version >= FIRST_STATELESS_VERSION
        else ResumeMethod.URL_REQUIRED
    )


def pending_text(tool: str, fingerprint: str) -> str:
    """Return the text that tells a model that a person has not answered yet, and what to do."""
    return (
        f"Approval pending ({fingerprint or 'not delivered yet'}). A person was asked and has not "
        f"answered. Nothing has run. Call {tool} again with exactly the same arguments to wait "
        "for the answer. Different arguments create a new request."
    )


def called_tools(body: bytes) -> Sequence[str]:
    """Return the tools that a JSON-RPC message or batch calls. Raises ValueError."""
    try:
        message = json.loads(body)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    calls = message if isinstance(message, list) else [message]
    if not all(isinstance(call, dict) for call in calls):
        raise ValueError("not a JSON-RPC message")
    params = [call.get("params") for call in calls if call.get("method") == "tools/call"]
    return [str(param.get("name")) for param in params if isinstance(param, dict)]
