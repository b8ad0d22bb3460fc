"""The rules of the gateway: which tools are shown, which calls pass, and what people must approve.

1. A tool is identified by everything that a model reads about it. If any of it changes, the tool is
   neither listed nor called until someone has reviewed it and mapped it again.
2. The arguments of a call are the facts of its action, and the granted facts become the arguments.
3. Methods that read data need an entry in the file. Tasks are not passed on, because their
   handles have no owner.

Owns: these rules. Never: HTTP, asking, or reading the file.
"""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from sayso.gateway.messages import Json, members
from sayso.keys import b64
from sayso.text import quote

_READ_BY_MODELS: Final = (
    "name",
    "title",
    "description",
    "inputSchema",
    "outputSchema",
    "annotations",
)
_DATA_PREFIXES: Final = ("resources/", "prompts/", "completion/")
_REFUSED_PREFIXES: Final = ("tools/", "tasks/")


class Risk(StrEnum):
    """The risk of a tool. A person must approve each call of a high-risk tool."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class MappedTool:
    """A tool of the upstream server, as configured in the file."""

    name: str
    scope: str
    """Scopes that the caller needs, separated by spaces."""
    risk: Risk
    digest: str
    action: str = ""
    """The action type that people see."""
    members: Mapping[str, str] = field(default_factory=dict)
    """Action members by argument, where their names differ."""


def digest(text: object) -> str:
    """Return the SHA-256 of a JSON value, in base64url."""
    encoded = json.dumps(text, sort_keys=True, separators=(",", ":"))
    return b64(hashlib.sha256(encoded.encode()).digest())


def read_by_models(tool: Mapping[str, Any]) -> Json:
    """Return the members of a tool that are shown and compared."""
    return {name: tool[name] for name in _READ_BY_MODELS if name in tool}


@dataclass(frozen=True, slots=True)
class ToolMap:
    """The tools and methods of the file."""

    tools: Mapping[str, MappedTool]
    methods: Mapping[str, str] = field(default_factory=dict)
    """The scopes of methods that read data, by method prefix."""
    instructions: str = ""
    """The digest of the server's instructions for models."""

    def digests(self, listed: Sequence[object]) -> dict[str, set[str]]:
        """Return all digests that a list has for each tool of the file."""
        digests_by_name: dict[str, set[str]] = {}
        for tool in listed:
            if isinstance(tool, dict) and tool.get("name") in self.tools:
                digests_by_name.setdefault(tool["name"], set()).add(digest(read_by_models(tool)))
        return digests_by_name

    def filter_message(self, message: Json, scopes: Collection[str]) -> Json:
        """Return a message of the upstream server without what this caller may not see.

        The form of the result decides this, not the request, so a resumed stream shows no more.
        """
        result = message.get("result")
        if not isinstance(result, dict):
            return message
        visible_result = dict(result)
        if isinstance(result.get("tools"), list):
            visible_result["tools"] = [
                read_by_models(tool) for tool in result["tools"] if self._visible(tool, scopes)
            ]
        if "instructions" in result and digest(result["instructions"]) != self.instructions:
            del visible_result["instructions"]
        return {**message, "result": visible_result}

    def required_scopes(self, method: str) -> Sequence[str]:
        """Return the scopes that a method needs. Raises ValueError if it is not passed on."""
        if method.startswith(_REFUSED_PREFIXES) and method != "tools/list":
            raise ValueError(f"This gateway does not pass on {quote(method)}.")
        if not method.startswith(_DATA_PREFIXES):
            return ()
        scopes = [scope for prefix, scope in self.methods.items() if method.startswith(prefix)]
        if not scopes:
            raise ValueError(
                f"This gateway does not pass on {quote(method)}. Its operator can allow it in "
                "[methods] of the gateway's file."
            )
        return " ".join(scopes).split()

    def _visible(self, tool: object, scopes: Collection[str]) -> bool:
        if not isinstance(tool, dict) or not isinstance(tool.get("name"), str):
            return False
        mapped = self.tools.get(tool["name"])
        return (
            mapped is not None
            and mapped.digest == digest(read_by_models(tool))
            and set(mapped.scope.split()) <= set(scopes)
        )


def unknown_tool_text(name: object) -> str:
    """Return the message for a tool that is not in the file."""
    return (
        f"The tool {quote(str(name))} is not offered here. Nothing has run. The operator of the "
        "gateway can add it to the gateway's file."
    )


def mapping_problem(tool: MappedTool, seen: Collection[str]) -> str | None:
    """Return why a tool of the file cannot be called now, or None."""
    if set(seen) == {tool.digest}:
        return None
    remedy = "The operator of the gateway must review it and map it again: sayso gateway init."
    if len(seen) > 1:
        reason = "is listed twice by its server, with different definitions"
        remedy = "The operator of the server must rename or remove one of them."
    elif seen:
        reason = "has changed since it was mapped"
    else:
        reason = "is no longer offered by its server"
    return f"The tool {quote(tool.name)} {reason}. Nothing has run. {remedy}"


def action(tool: MappedTool, arguments: Mapping[str, Any]) -> Json:
    """Return the action to approve, with the arguments as facts. Raises ValueError."""
    facts = {tool.members.get(name, name): value for name, value in arguments.items()}
    if len(facts) < len(arguments) or "type" in facts:
        raise ValueError(
            f"Two arguments of {quote(tool.name)} map to the same member of {tool.action}, or "
            "one maps to type. Nothing has run."
        )
    present_facts = {name: value for name, value in facts.items() if value is not None}
    return {"type": tool.action, **present_facts}


def granted_arguments(tool: MappedTool, granted: Mapping[str, Any]) -> Json:
    """Return the granted arguments, which may be less than was requested."""
    names = {member: name for name, member in tool.members.items()}
    return {names.get(name, name): value for name, value in granted.items() if name != "type"}


def shows_urls(capabilities: Mapping[str, Any]) -> bool:
    """Return whether a client declares that it can show its user a URL."""
    return isinstance(members(capabilities, "elicitation").get("url"), dict)
