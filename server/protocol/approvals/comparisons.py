"""The input of all signals: a request, and the earlier approvals that it is compared with.

Owns: the data types of facts and history. Never: what is unusual (`unusual.py`), or where history
is stored. Members (`frozenset[str]`) and marks are opaque and only compared for equality.
Labels are objects that render their text on use, because most requests are not unusual.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from server.protocol.policy import rendering


@dataclass(slots=True, unsafe_hash=True)  # not frozen: each policy decision creates many
class PastApprovals:
    """Earlier approvals of one thing: their number, first time, amounts and values."""

    count: int = 0
    total: int = 0
    most: int = 0
    since: int = 0
    """The time of the first approval, in milliseconds."""
    days: int = 0
    """The number of days with an approval."""
    members: frozenset[str] = frozenset()
    """Marks of the values in these approvals."""

    @property
    def usual(self) -> int:
        """The mean of the earlier amounts, rounded down."""
        return self.total // self.count if self.count else 0


NO_PAST_APPROVALS = PastApprovals()


@dataclass(frozen=True, slots=True)
class Baseline:
    """Earlier amounts that an amount is compared with; `phrase` describes them."""

    past: PastApprovals
    phrase: str
    """Words in which `name` replaces {}."""
    name: object = ""

    def __str__(self) -> str:
        return self.phrase.replace("{}", str(self.name))


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount in a request, of one action type and unit."""

    label: object
    value: int
    currency: str | None
    """None for a number."""
    baselines: tuple[Baseline, ...] = ()
    """The amounts it is compared with, closest first."""
    new_currency: bool = False
    """The approver has approved this type before, but never in this currency."""

    def format(self, value: int) -> str:
        """Format a value of this unit as in a fact."""
        if self.currency is None:
            return rendering.render(value)
        return rendering.render({"minor": value, "currency": self.currency})


@dataclass(frozen=True, slots=True)
class SameDay:
    """All requests for one target on one day."""

    amount: Amount
    """Its value is the sum."""
    count: int
    target: object
    """The label of the target in the action type."""


@dataclass(frozen=True, slots=True)
class NamedTarget:
    """A target, such as an account, and its name, such as the payee."""

    label: object
    mark: str
    known: bool
    """The approver has approved this target for this agent before."""
    name_label: object = ""
    name_mark: str = ""
    names: frozenset[str] = frozenset()
    """Names with which this target was approved before."""
    targets: frozenset[str] = frozenset()
    """Targets with which this name was approved before."""


@dataclass(frozen=True, slots=True)
class TextValue:
    """A text value, and earlier approved values that look like it."""

    label: object
    mark: str
    look_alikes: frozenset[str] = frozenset()
    mixes_scripts: bool = False
    """One of its words mixes scripts."""


@dataclass(frozen=True, slots=True)
class RequestingAgent:
    """The agent: marks of its name, keys, types, scopes and resource, with their labels."""

    name: str
    mark: str
    """The mark of its name."""
    keys: frozenset[str] = frozenset()
    past: PastApprovals = NO_PAST_APPROVALS
    """The approver's earlier approvals for this agent. Members are marks of the values below."""
    types: Mapping[str, str] = field(default_factory=dict)
    scopes: Mapping[str, str] = field(default_factory=dict)
    resource: Mapping[str, str] = field(default_factory=dict)
    before: PastApprovals = NO_PAST_APPROVALS
    """The approver's approvals for this agent before the day of the request."""
    this_hour: int = 0
    """Requests of this agent to the approver in this hour and on this day, including this one."""
    today: int = 0
    formerly: tuple[str, int] | None = None
    """The latest former name under which the approver approved it, and when it was renamed."""


@dataclass(frozen=True, slots=True)
class AnswerHours:
    """The hours (UTC) in which the approver usually answers, and the hour of the request."""

    hour: int = 0
    answers: int = 0
    near: int = 0
    """Answers in this hour and the two adjacent hours."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A request, with the earlier approvals that it is compared with."""

    asker: RequestingAgent
    comparable: PastApprovals = NO_PAST_APPROVALS
    """The approver's earlier approvals for this agent and these types."""
    targets: tuple[NamedTarget, ...] = ()
    amounts: tuple[Amount, ...] = ()
    same_day: tuple[SameDay, ...] = ()
    values: tuple[TextValue, ...] = ()
    hours: AnswerHours = AnswerHours()
