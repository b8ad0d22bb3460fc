"""The rules of the gateway: which tools are shown, which calls pass, and what a person is asked.

1. A tool is known by all that a model reads of it. If anything of it changes, the tool is neither
   listed nor called until someone has looked at it and has mapped it again.
2. The arguments of a call are the facts of its action, and what was granted becomes the arguments.
3. Methods that read data need an entry in the file. Tasks are not passed on: their handles belong
   to nobody.

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
from sayso.text import quoted

_READ_BY_MODELS: Final = (
    "name",
    "title",
    "description",
    "inputSchema",
    "outputSchema",
    "annotations",
)
_DATA: Final = ("resources/", "prompts/", "completion/")
_REFUSED: Final = ("tools/", "tasks/")


class Risk(StrEnum):
    """What a call of a tool may do. A person approves each call of a high one."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class MappedTool:
    """A tool of the upstream server, as the file has it."""

    name: str
    scope: str
    """Scopes that the caller needs, separated by spaces."""
    risk: Risk
    digest: str
    action: str = ""
    """The action type by which a person is asked."""
    members: Mapping[str, str] = field(default_factory=dict)
    """Arguments whose member of the action has another name."""


def digest(text: object) -> str:
    """SHA-256 of JSON, base64url."""
    encoded = json.dumps(text, sort_keys=True, separators=(",", ":"))
    return b64(hashlib.sha256(encoded.encode()).digest())


def read_by_models(tool: Mapping[str, Any]) -> Json:
    """The members of a tool that count and are shown."""
    return {name: tool[name] for name in _READ_BY_MODELS if name in tool}


@dataclass(frozen=True, slots=True)
class ToolMap:
    """The tools and methods of the file."""

    tools: Mapping[str, MappedTool]
    methods: Mapping[str, str] = field(default_factory=dict)
    """The scopes of methods that read data, by the beginning of their names."""
    instructions: str = ""
    """The digest of the server's instructions for models."""

    def digests(self, listed: Sequence[object]) -> dict[str, set[str]]:
        """All digests under which the tools of the file are listed now."""
        found: dict[str, set[str]] = {}
        for tool in listed:
            if isinstance(tool, dict) and tool.get("name") in self.tools:
                found.setdefault(tool["name"], set()).add(digest(read_by_models(tool)))
        return found

    def shown(self, message: Json, scopes: Collection[str]) -> Json:
        """A message of the upstream server without what this caller may not see.

        The shape of a result counts and not the request, so a stream that is resumed shows no more.
        """
        result = message.get("result")
        if not isinstance(result, dict):
            return message
        changed = dict(result)
        if isinstance(result.get("tools"), list):
            changed["tools"] = [
                read_by_models(tool) for tool in result["tools"] if self._visible(tool, scopes)
            ]
        if "instructions" in result and digest(result["instructions"]) != self.instructions:
            del changed["instructions"]
        return {**message, "result": changed}

    def needed(self, method: str) -> Sequence[str]:
        """The scopes that a method takes besides calls of tools. Raises ValueError if none do."""
        if method.startswith(_REFUSED) and method != "tools/list":
            raise ValueError(f"This gateway does not pass on {quoted(method)}.")
        if not method.startswith(_DATA):
            return ()
        found = [scope for start, scope in self.methods.items() if method.startswith(start)]
        if not found:
            raise ValueError(
                f"This gateway does not pass on {quoted(method)}. Its operator can allow it in "
                "[methods] of the gateway's file."
            )
        return " ".join(found).split()

    def _visible(self, tool: object, scopes: Collection[str]) -> bool:
        if not isinstance(tool, dict) or not isinstance(tool.get("name"), str):
            return False
        mapped = self.tools.get(tool["name"])
        return (
            mapped is not None
            and mapped.digest == digest(read_by_models(tool))
            and set(mapped.scope.split()) <= set(scopes)
        )


def unknown(name: object) -> str:
    """Says that a tool is not in the file."""
    return (
        f"The tool {quoted(str(name))} is not offered here. Nothing has run. The operator of the "
        "gateway can add it to the gateway's file."
    )


def changed(tool: MappedTool, seen: Collection[str]) -> str | None:
    """Says why a tool of the file cannot be called now, if it cannot."""
    if set(seen) == {tool.digest}:
        return None
    what = "has changed since it was mapped" if seen else "is no longer offered by its server"
    return (
        f"The tool {quoted(tool.name)} {what}. Nothing has run. The operator of the gateway must "
        "look at it and map it again: sayso gateway init."
    )


def action(tool: MappedTool, arguments: Mapping[str, Any]) -> Json:
    """What a person is asked: the arguments as facts. Raises ValueError."""
    facts = {tool.members.get(name, name): value for name, value in arguments.items()}
    if len(facts) < len(arguments) or "type" in facts:
        raise ValueError(
            f"Two arguments of {quoted(tool.name)} are the same member of {tool.action}, or one is "
            "called type. Nothing has run."
        )
    stated = {name: value for name, value in facts.items() if value is not None}
    return {"type": tool.action, **stated}


def granted_arguments(tool: MappedTool, granted: Mapping[str, Any]) -> Json:
    """The arguments that were granted, which may be less than was asked."""
    names = {member: name for name, member in tool.members.items()}
    return {names.get(name, name): value for name, value in granted.items() if name != "type"}


def shows_urls(capabilities: Mapping[str, Any]) -> bool:
    """Return whether a client declares that it can show its user a URL."""
    return isinstance(members(capabilities, "elicitation").get("url"), dict)
