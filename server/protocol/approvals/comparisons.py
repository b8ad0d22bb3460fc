"""What one request says, beside what was approved before: what every signal is found in.

Owns: the shape of facts and history. Never: what of it is unusual (`unusual.py`), or where history
comes from. Members (`frozenset[str]`) and marks are opaque: they are only compared for equality.
Labels are objects whose text is made on use, because most requests are not unusual.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from server.protocol.policy import rendering


@dataclass(slots=True, unsafe_hash=True)  # not frozen: many are made for each decision of policy
class Past:
    """What was approved before of one thing: how often, since when, how much."""

    count: int = 0
    total: int = 0
    most: int = 0
    since: int = 0
    """When the first was approved, in milliseconds."""
    days: int = 0
    """On how many days."""
    members: frozenset[str] = frozenset()
    """Marks of what belonged to it."""

    @property
    def usual(self) -> int:
        """The mean amount."""
        return self.total // self.count if self.count else 0


NOTHING = Past()


@dataclass(frozen=True, slots=True)
class Baseline:
    """What an amount is compared with; `whose` says so in words."""

    past: Past
    whose: str
    """Words in which {} stands for `of`."""
    of: object = ""

    def __str__(self) -> str:
        return self.whose.replace("{}", str(self.of))


@dataclass(frozen=True, slots=True)
class Amount:
    """What one request has of one type and unit."""

    label: object
    value: int
    currency: str | None
    """None for a number."""
    baselines: tuple[Baseline, ...] = ()
    """What it is compared with, the closest first."""
    new_currency: bool = False
    """This person approved this type before, but never in this currency."""

    def shown(self, value: int) -> str:
        """Another value of this unit, as a fact shows it."""
        if self.currency is None:
            return rendering.shown(value)
        return rendering.shown({"minor": value, "currency": self.currency})


@dataclass(frozen=True, slots=True)
class SameDay:
    """What is asked for one target within one day."""

    amount: Amount
    """Its value is the sum."""
    count: int
    target: object
    """What the type calls the target."""


@dataclass(frozen=True, slots=True)
class Named:
    """A target, such as an account, and the name that stands beside it, such as the payee."""

    label: object
    mark: str
    known: bool
    """This person approved it for this agent before."""
    name_label: object = ""
    name_mark: str = ""
    names: frozenset[str] = frozenset()
    """Names with which this target was approved before."""
    targets: frozenset[str] = frozenset()
    """Targets with which this name was approved before."""


@dataclass(frozen=True, slots=True)
class Value:
    """A text, and the values that look like it and were approved before."""

    label: object
    mark: str
    alike: frozenset[str] = frozenset()
    mixed: bool = False
    """A word in it mixes scripts."""


@dataclass(frozen=True, slots=True)
class Asker:
    """The agent: marks of what it has, with what a person reads."""

    name: str
    mark: str
    """Of its name."""
    keys: frozenset[str] = frozenset()
    past: Past = NOTHING
    """What this person approved of it. Its members are marks of all that follows here."""
    types: Mapping[str, str] = field(default_factory=dict)
    scopes: Mapping[str, str] = field(default_factory=dict)
    resource: Mapping[str, str] = field(default_factory=dict)
    before: Past = NOTHING
    """What this person approved of it before the day on which this was asked."""
    this_hour: int = 0
    """Requests of it to this person in this hour, and on this day, with this one."""
    today: int = 0
    formerly: tuple[str, int] | None = None
    """The newest of its former names that this person approved, and until when it had it."""


@dataclass(frozen=True, slots=True)
class Hours:
    """When this person answers, and when this was asked (UTC)."""

    hour: int = 0
    answers: int = 0
    near: int = 0
    """Answers in this hour and its two neighbors."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One request beside what was approved before."""

    asker: Asker
    comparable: Past = NOTHING
    """What this person approved of this agent and these types."""
    targets: tuple[Named, ...] = ()
    amounts: tuple[Amount, ...] = ()
    same_day: tuple[SameDay, ...] = ()
    values: tuple[Value, ...] = ()
    hours: Hours = Hours()
