"""The gateway's file, read and checked as a whole before the gateway starts.

Owns: its tables and members, and errors that say how to fix it. Never: writing it (`draft`).
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sayso.environment import misspelled
from sayso.gateway.tools import MappedTool, Risk, ToolMap
from sayso.issuer import split_url
from sayso.text import one_line

_MAX_BYTES: Final = 4 * 1024 * 1024
_AGENT_PREFIX: Final = "sayso_ag_"
"""The prefix of an agent's client ID. Client IDs of resources have a different one."""


class BadFile(ValueError):
    """The file is invalid. The message names the table, the member and the fix."""

    def __init__(self, table: str, member: str, remedy: str) -> None:
        where = f"[{table}] {member}" if table else member
        super().__init__(f"{one_line(where)}: {remedy}")


@dataclass(frozen=True, slots=True)
class Header:
    """A header that authenticates the gateway to the upstream server."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """The exchange of the caller's token for one for this resource."""

    resource: str
    scope: str


@dataclass(frozen=True, slots=True)
class Config:
    """The whole file, with the secrets that it names."""

    issuer: str
    resource: str
    credentials: tuple[str, str]
    """Client ID and secret of an agent that serves the resource, or of the resource itself."""
    agent: tuple[str, str] | None
    upstream: Header | Exchange | None
    tools: ToolMap
    timeout: float
    """The number of seconds for which the upstream server may be silent."""
    wait: float
    """Seconds for which a call waits for a person before the client is told to call again."""
    max_bytes: int
    """The maximum size of one message from the upstream server."""
    max_processes: int = 20
    """The maximum number of processes of an upstream server that speaks stdio."""
    secrets: frozenset[str] = frozenset()
    """The names of the environment variables that only the gateway may read."""


def read(text: str, environment: Mapping[str, str]) -> Config:
    """Read the file. Raises BadFile."""
    try:
        parsed = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadFile("", "TOML", f"{error}. Correct that line.") from error
    top = _Table("", parsed, environment)
    tools = {name: _tool(name, top, value) for name, value in top.tables("tools").items()}
    methods = top.table("methods")
    credentials = top.pair("credentials_env", "what `sayso agents add --serves` printed")
    config = Config(
        issuer=top.url("issuer", "the URL of your Sayso server, as `sayso serve` prints it"),
        resource=top.url("resource", "the gateway's URL, as registered with `sayso resources add`"),
        credentials=credentials,
        agent=_agent(top, credentials),
        upstream=_upstream(top.table("upstream")),
        tools=ToolMap(
            tools,
            {prefix: methods.text(prefix, 'a scope, or ""', "") for prefix in methods.values},
            top.text("instructions", "the digest that `sayso gateway init` writes", ""),
        ),
        timeout=top.number("timeout", 60),
        wait=top.number("wait", 50),
        max_bytes=int(top.number("max_bytes", _MAX_BYTES)),
        max_processes=int(top.number("max_processes", 20)),
        secrets=frozenset(str(parsed.get(name)) for name in ("credentials_env", "agent_env")),
    )
    for table in (top, methods):
        table.check_known()
    _check_agent(config)
    return config


def _tool(name: str, top: "_Table", value: object) -> MappedTool:
    table = _Table(f"tools.{name}", value, top.environment)
    risk = table.text("risk", "low, medium or high")
    if risk not in set(Risk):
        raise BadFile(table.name, "risk", f"{risk!r} is unknown. Use low, medium or high.")
    renames = table.table("members")
    action_hint = "the action type that people see; `sayso actions list` lists them"
    tool = MappedTool(
        name=name,
        scope=table.text("scope", 'a scope from `sayso resources add`, or "" for every caller', ""),
        risk=Risk(risk),
        digest=table.text("digest", "the digest that `sayso gateway init` writes"),
        action=table.text("action", action_hint, None if risk == Risk.HIGH else ""),
        members={
            argument: renames.text(argument, "a member of the action type")
            for argument in renames.values
        },
    )
    if len(set(tool.members.values())) < len(tool.members) or "type" in tool.members.values():
        remedy = "map each argument to a different member, and none to type."
        raise BadFile(renames.name, "", remedy)
    table.check_known()
    return tool


def _upstream(table: "_Table") -> Header | Exchange | None:
    upstream: Header | Exchange | None = None
    if "exchange" in table.values:
        upstream = Exchange(
            table.text("exchange", "the URI of the upstream server's resource"),
            table.text("scope", "the scopes that the gateway needs there", ""),
        )
    elif table.values:
        name = table.text("header", "the header that carries the credential, or use exchange")
        if not name.replace("-", "").isalnum() or not name.isascii():
            raise BadFile(table.name, "header", f"{name!r} is not a valid header name.")
        value = table.secret("value_env", "the whole value of the header, such as Bearer …")
        if not value.isascii() or not value.isprintable():
            raise BadFile(
                table.name, "value_env", "the value must be printable ASCII, on one line."
            )
        upstream = Header(name, value)
    table.check_known()
    return upstream


def _agent(top: "_Table", credentials: tuple[str, str]) -> tuple[str, str] | None:
    """Return the agent that asks: a separate one, or the one that serves the resource."""
    if "agent_env" in top.values:
        return top.pair("agent_env", "what `sayso agents add` printed")
    return credentials if credentials[0].startswith(_AGENT_PREFIX) else None


def _check_agent(config: Config) -> None:
    high_tools = [tool.name for tool in config.tools.tools.values() if tool.risk is Risk.HIGH]
    if config.agent is None and (high_tools or isinstance(config.upstream, Exchange)):
        reason = f"the tool {high_tools[0]} is high" if high_tools else "[upstream] exchange is set"
        raise BadFile(
            "",
            "credentials_env",
            f"is not the credential of an agent, and {reason}. Create one: sayso agents add NAME "
            f"--resource {config.resource} --serves {config.resource}",
        )


class _Table:
    """One table; remembers which members were read."""

    def __init__(self, name: str, values: object, environment: Mapping[str, str]) -> None:
        if not isinstance(values, dict):
            raise BadFile("", name, f"must be a table: write [{name}].")
        self.name, self.environment = name, environment
        self.values: dict[str, Any] = values
        self._known: set[str] = set()

    def text(self, member: str, what: str, default: str | None = None) -> str:
        """Return a string; without a default it must be present and not empty."""
        self._known.add(member)
        value = self.values.get(member, default)
        if not isinstance(value, str) or (not value and default is None):
            raise BadFile(self.name, member, f"is missing or not a string. Set it to {what}.")
        return value

    def url(self, member: str, what: str) -> str:
        """Return a URL."""
        value = self.text(member, what)
        try:
            parts = split_url("the value", value)
        except ValueError as error:
            raise BadFile(self.name, member, f"{error} Set it to {what}.") from error
        if not parts.scheme or not parts.hostname:
            raise BadFile(self.name, member, f"{value!r} is not a URL. Set it to {what}.")
        return value

    def number(self, member: str, default: float) -> float:
        """Return a number above zero."""
        self._known.add(member)
        value = self.values.get(member, default)
        if type(value) not in {int, float} or not 0 < value < float("inf"):
            raise BadFile(self.name, member, "must be a number above 0, or left out.")
        return float(value)

    def secret(self, member: str, what: str) -> str:
        """Return the value of the environment variable that this member names."""
        variable = self.text(member, f"the name of an environment variable that has {what}")
        if not self.environment.get(variable):
            raise BadFile(
                self.name,
                member,
                f"the environment variable {variable} is not set. Set it to {what}."
                + misspelled(variable, self.environment),
            )
        return self.environment[variable]

    def pair(self, member: str, what: str) -> tuple[str, str]:
        """Return a client ID and secret from one environment variable."""
        client_id, colon, secret = self.secret(member, f"ID:SECRET, {what}").partition(":")
        if not (client_id and colon and secret):
            raise BadFile(self.name, member, f"the variable must be ID:SECRET, {what}.")
        return client_id, secret

    def table(self, member: str) -> "_Table":
        """Return a table in this one; empty if it is missing."""
        return _Table(self._path(member), self.values.get(member, {}), self.environment)

    def tables(self, member: str) -> Mapping[str, object]:
        """Return the tables in a table."""
        return self.table(member).values

    def _path(self, member: str) -> str:
        self._known.add(member)
        return f"{self.name}.{member}" if self.name else member

    def check_known(self) -> None:
        """Refuse an unknown member, such as a misspelled one."""
        for member in self.values:
            if member not in self._known:
                known = ", ".join(sorted(self._known)) or "nothing"
                raise BadFile(self.name, member, f"is unknown. Remove it. Allowed: {known}.")
