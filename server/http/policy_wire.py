"""What the API of policy is sent and answers, as models."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from server.http.admin_bodies import Body, Names, Text

_Way = Literal["request", "exchange", "client_credentials", "app"]
_Outcome = Literal["allow", "ask", "deny"]
_RiskWord = Literal["low", "medium", "high", "critical"]


class NewPolicy(Body):
    """A rule set, as the text of its TOML file."""

    document: str


class PolicyCase(Body):
    """What an agent would ask for; agents and people by name or id."""

    agent: Text
    way: _Way = "request"
    user: Text | None = None
    resource: Text | None = None
    scope: Names = Field(default_factory=list)
    authorization_details: list[dict[str, Any]] | None = None
    acr_values: str | None = None
    policy: str | None = None
    """Another rule set to ask."""


class PolicyTable(Body):
    """Cases with what is expected of them, as the text of a TOML file."""

    table: str
    policy: str | None = None


class PolicyReplay(Body):
    """How far back, in seconds, and under which rules."""

    last: int = Field(default=604_800, ge=1, le=2_678_400)
    policy: str | None = None


class PolicySource(BaseModel):
    """Which rule set answered."""

    version: int
    hash: str


class Policy(BaseModel):
    """A rule set and what its names meant when it was set."""

    version: int
    hash: str
    default: bool
    set_by: str
    set_at: str | None
    names: dict[str, dict[str, str]]
    document: str


class CitedRule(BaseModel):
    """A rule that made it so."""

    id: str
    outcome: _Outcome
    because: str


class AskedPerson(BaseModel):
    """Somebody who would be asked, and why."""

    name: str
    why: Literal["asked", "group", "backup", "deputy"]
    approves: bool
    group: str | None


class AskedLater(BaseModel):
    """The backup of the person; at once where it is critical, else while it still waits."""

    name: str
    at_once: bool


class PolicyAsks(BaseModel):
    """What the yes takes, and whose it takes."""

    risk: _RiskWord
    ceremony: str
    quorum: int
    ttl: int
    people: list[AskedPerson]
    excluded: list[str]
    deputies: list[str]
    backup: AskedLater | None


class CoveringGrant(BaseModel):
    """A standing grant that would answer, and how much of it is used."""

    id: str
    used: int
    uses: int


class PolicyExplanation(BaseModel):
    """What would happen to a case, and why."""

    outcome: _Outcome
    then: Literal["token", "person", "refused"]
    risk: _RiskWord
    because: str
    rules: list[CitedRule]
    unusual: list[str]
    consent: bool | None
    standing_grant: CoveringGrant | None
    asks: PolicyAsks | None
    policy: PolicySource
    token: dict[str, Any] | None
    token_seconds: int | None


class TriedCase(BaseModel):
    """One case of a table."""

    name: str
    passed: bool
    expected: dict[str, Any]
    found: dict[str, Any]
    problem: str | None


class TriedCases(BaseModel):
    """A table of cases."""

    passed: bool
    items: list[TriedCase]


class PolicyChange(BaseModel):
    """Something that would have gone otherwise."""

    at: str
    way: _Way
    id: str
    agent: str
    user: str | None
    resource: str | None
    scope: list[str]
    types: list[str]
    before: _Outcome
    after: _Outcome
    rules: list[str]
    standing_grant: str | None
    was_quorum: int | None
    quorum: int | None
    approvers: list[str]


class Replayed(BaseModel):
    """What a rule set would have changed."""

    since: str
    until: str
    policy: PolicySource
    judged: int
    skipped: int
    complete: bool
    before: dict[str, int]
    after: dict[str, int]
    changed: int
    changes: list[PolicyChange]
