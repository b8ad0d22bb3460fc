"""What we remember of tokens that were used, as frozen records."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Consumption:
    """On which execution of a resource's an approval was spent. There is one per approval."""

    approval_id: str
    execution_id: str
    """The resource's own name for what it did."""
    token_id: str
    resource: str
    at: int
