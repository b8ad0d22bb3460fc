"""What we remember of tokens that were used, as frozen records."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Result: TypeAlias = Literal["executed", "failed"]


@dataclass(frozen=True, slots=True)
class Consumption:
    """On which execution of a resource's an approval was spent. There is one per approval."""

    approval_id: str
    execution_id: str
    """The resource's own name for what it did."""
    token_id: str
    resource: str
    at: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """How that execution went, as the resource said afterwards. There is at most one of each."""

    approval_id: str
    result: Result
    text: str | None
    """In the resource's own words."""
    executed_digest: str | None
    """Of what ran, if it said that."""
    at: int
