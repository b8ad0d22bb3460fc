"""The first version of the file for an upstream server, written from the tools that it lists.

Owns: its text, and the guess of each tool's risk. Never: deciding; the operator reviews it
first.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from sayso.gateway.messages import members
from sayso.gateway.tools import Risk, digest, read_by_models
from sayso.text import one_line

_NAME: Final = re.compile(r"[A-Za-z0-9_./-]{1,128}")
_HEAD: Final = """\
# Configuration of the gateway. Check the risk of each tool, and fill in the empty values.
issuer = {issuer}
resource = {resource}
credentials_env = "SAYSO_GATEWAY_CREDENTIALS" # ID:SECRET of `sayso agents add --serves`
instructions = {instructions}

# How the gateway authenticates to the upstream server; it never forwards the caller's token.
{upstream}
# The gateway forwards a method that reads data only if it is listed here with its required scope.
# [methods]
# "resources/" = ""
# "prompts/" = ""
"""
_NO_HEADER: Final = """\
# [upstream]
# header = "Authorization"
# value_env = "UPSTREAM_AUTHORIZATION" # such as Bearer ...
# or: exchange = "https://upstream.example", scope = "..."
"""
_HEADER: Final = """\
[upstream]
header = {header}
value_env = {value_env}
"""
_TOOL: Final = """
# {description}
[tools.{name}]
scope = {scope}
risk = "{risk}"
digest = "{digest}"
"""
_HIGH: Final = """\
action = "" # the action type to show to people; `sayso actions builtin` has examples
# members = {{ {argument} = "..." }} # arguments whose names differ from the members of the action
"""


def risk_of(tool: Mapping[str, Any]) -> Risk:
    """Guess the risk from the tool's own annotations; without any, it is high."""
    hints = members(tool, "annotations")
    if hints.get("readOnlyHint") is True:
        return Risk.LOW
    return Risk.MEDIUM if hints.get("destructiveHint") is False else Risk.HIGH


def write(
    issuer: str,
    resource: str,
    header_and_variable: tuple[str, str] | None,
    instructions: object,
    tools: Iterable[Mapping[str, Any]],
) -> str:
    """Return the text of the file.

    `header_and_variable` names the upstream header, and the variable that has its value.
    """
    upstream = _NO_HEADER
    if header_and_variable is not None:
        upstream = _HEADER.format(
            header=_toml_string(header_and_variable[0]),
            value_env=_toml_string(header_and_variable[1]),
        )
    head = _HEAD.format(
        issuer=_toml_string(issuer),
        resource=_toml_string(resource),
        instructions=_toml_string(digest(instructions) if instructions else ""),
        upstream=upstream,
    )
    return head + "".join(_tables(tools))


def _tables(tools: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a table for each name. A tool with two definitions could not be called."""
    definitions: dict[str, set[str]] = {}
    for tool in tools:
        definitions.setdefault(str(tool.get("name", "")), set()).add(_table(tool))
    for name, tables in definitions.items():
        if len(tables) == 1:
            yield tables.pop()
        else:
            reason = "because it is listed twice with different definitions"
            yield f"\n# Left out, {reason}: {one_line(name)}\n"


def _table(tool: Mapping[str, Any]) -> str:
    name = str(tool.get("name", ""))
    if not _NAME.fullmatch(name):
        return f"\n# Left out, because of its name: {one_line(name)}\n"
    risk = risk_of(tool)
    text = _TOOL.format(
        description=one_line(str(tool.get("description", "No description."))),
        name=_toml_string(name),
        scope=_toml_string("tools:read" if risk is Risk.LOW else "tools:write"),
        risk=risk,
        digest=digest(read_by_models(tool)),
    )
    if risk is not Risk.HIGH:
        return text
    arguments = members(members(tool, "inputSchema"), "properties")
    usable_names = [argument for argument in arguments if re.fullmatch(r"[A-Za-z0-9_-]+", argument)]
    return text + _HIGH.format(argument=usable_names[0] if usable_names else "argument")


def _toml_string(text: str) -> str:
    """Return a TOML string."""
    return json.dumps(one_line(text), ensure_ascii=False)
