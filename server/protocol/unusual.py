"""What is unusual about a request, as codes that stay and sentences that a person reads.

Owns: from which numbers on something is unusual, and how that is said. Never: history itself, nor
any word of an agent's: the sentences hold registered names and numbers alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from server.protocol.text import SafeText, display_safe


class Code(StrEnum):
    """Why something is unusual. The names are part of the API; members are only ever added."""

    NEW_AGENT = "new_agent"
    """This person approved no request of this agent before."""
    NEW_KEY = "new_key"
    """The agent has a key or secret that it had not when this person last approved something."""
    NEW_SCOPE = "new_scope"
    """No request of this agent with this scope at this resource was approved before."""
    NEW_TARGET = "new_target"
    """This person approved no request of this agent for this target before."""
    LARGE_AMOUNT = "large_amount"
    """It is several times what is usually approved for this agent and type."""
    UNUSUAL_HOUR = "unusual_hour"
    """This person rarely answers at this time of day."""


@dataclass(frozen=True, slots=True)
class Oddity:
    """One thing that is unusual."""

    code: Code
    text: SafeText


@dataclass(frozen=True, slots=True)
class Unusual:
    """Everything that is unusual about one request; what policy may look at."""

    codes: frozenset[Code] = frozenset()

    def __contains__(self, code: Code) -> bool:
        """Reports whether it is unusual in this way."""
        return code in self.codes


LEAST_AMOUNTS: Final = 3
"""Approved amounts from which on there is a usual one."""
LARGE: Final = 3
"""Times the usual amount that are unusual."""
LEAST_ANSWERS: Final = 20
"""Answers from which on somebody has usual hours."""
RARE: Final = 20
"""An hour is unusual when it and its two neighbours have less than one in so many answers."""

_MOST_CHARACTERS = 600


def times_usual(amount: int, *, count: int, total: int) -> int | None:
    """How many times the usual amount this is, if that is unusual; the usual one is the mean."""
    if count < LEAST_AMOUNTS or total <= 0 or amount * count < LARGE * total:
        return None
    return amount * count // total


def is_rare(answers: int, *, near: int) -> bool:
    """Reports whether so few of somebody's answers fell into this hour and its neighbours."""
    return answers >= LEAST_ANSWERS and near * RARE < answers


def new_agent(agent: str) -> Oddity:
    """Nothing of it was approved before."""
    return _oddity(Code.NEW_AGENT, f"You never approved anything of {display_safe(agent)} before.")


def new_key(agent: str) -> Oddity:
    """It has another key."""
    name = display_safe(agent)
    return _oddity(Code.NEW_KEY, f"{name} has a new key since you last approved something of it.")


def new_scope(agent: str, scopes: Iterable[str]) -> Oddity:
    """These scopes were never approved for it."""
    text = f"Never approved before for {display_safe(agent)}: {', '.join(scopes)}."
    return _oddity(Code.NEW_SCOPE, text)


def new_target(labels: Iterable[str]) -> Oddity:
    """These facts have a value that was never approved; the labels are the type's own."""
    return _oddity(Code.NEW_TARGET, f"Never approved before: {', '.join(dict.fromkeys(labels))}.")


def large_amount(label: str, times: int, usual: str) -> Oddity:
    """So many times what is usual."""
    text = f"{label} is {times:,} times the usual amount, {usual}."
    return _oddity(Code.LARGE_AMOUNT, text)


def unusual_hour(hour: int) -> Oddity:
    """An hour of the day in UTC."""
    text = f"Asked between {hour:02}:00 and {(hour + 1) % 24:02}:00 UTC, when you rarely answer."
    return _oddity(Code.UNUSUAL_HOUR, text)


def _oddity(code: Code, text: str) -> Oddity:
    return Oddity(code, display_safe(text, max_chars=_MOST_CHARACTERS))
