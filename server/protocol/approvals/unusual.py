"""Signals that a request is unusual: a table with a test and a sentence for each signal.

Owns: the thresholds, the sentences, and when "nothing unusual" is shown. Never: reading history
(`comparisons.py` has its data types), or showing a value that an agent sent: sentences contain only
registered names, labels and numbers.

A signal is one row of `SIGNALS`. Its code is its name in the API and in policy (`when.unusual`).
All screens show these sentences.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from server.protocol.approvals.comparisons import Amount, Baseline, Comparison, PastApprovals
from server.protocol.text import SafeText, display_safe, pluralize
from server.protocol.times import day_text


class Code(StrEnum):
    """The codes of the signals. They are part of the API; codes are only added."""

    NEW_AGENT = "new_agent"
    RENAMED_AGENT = "renamed_agent"
    NEW_KEY = "new_key"
    NEW_TYPE = "new_type"
    NEW_RESOURCE = "new_resource"
    NEW_SCOPE = "new_scope"
    NEW_TARGET = "new_target"
    OTHER_NAME = "other_name"
    OTHER_TARGET = "other_target"
    LOOKALIKE = "lookalike"
    MIXED_SCRIPTS = "mixed_scripts"
    LARGE_AMOUNT = "large_amount"
    NEW_CURRENCY = "new_currency"
    SPLIT_AMOUNT = "split_amount"
    BURST = "burst"
    UNUSUAL_HOUR = "unusual_hour"


class Severity(StrEnum):
    """How serious a signal is. Clients highlight warnings."""

    NOTICE = "notice"
    """Something happens for the first time."""
    WARNING = "warning"
    """Something differs from what was approved before."""


NO_HISTORY: Final = SafeText("No earlier approval to compare with.")

SentenceValues: TypeAlias = Mapping[str, object]
"""The values for the placeholders of a signal's sentence."""


@dataclass(frozen=True, slots=True)
class Signal:
    """A way in which a request can be unusual."""

    code: Code
    severity: Severity
    test: Callable[[Comparison], SentenceValues | None]
    """Returns the values for its sentence, or None. It reads only facts and history."""
    sentence: str
    replaced_by: frozenset[Code] = frozenset()
    """If one of these signals is found too, only its sentence is shown; policy sees both codes."""


@dataclass(frozen=True, slots=True)
class FoundSignal:
    """A signal of a request."""

    code: Code
    severity: Severity
    text: SafeText


@dataclass(frozen=True, slots=True)
class Unusual:
    """All signals of a request, and a description of the history that it was compared with."""

    codes: frozenset[Code] = frozenset()
    signals: tuple[FoundSignal, ...] = ()
    """The signals that are shown, warnings first."""
    compared: SafeText = NO_HISTORY
    """A sentence about the amount of history; "Nothing unusual" needs `MIN_HISTORY` approvals."""

    def __contains__(self, code: Code) -> bool:
        """Return whether the signal with this code was found."""
        return code in self.codes


MIN_HISTORY: Final = 5
"""The minimum number of earlier comparable approvals for "Nothing unusual"."""
MIN_AMOUNTS: Final = 3
"""The minimum number of approved amounts for computing a usual amount."""
LARGE_FACTOR: Final = 3
"""An amount is large from this multiple of the usual amount."""
LARGE_FACTOR_FEW: Final = 5
"""With one or two earlier amounts, an amount is large from this multiple of the larger one."""
USUAL_FACTOR_FEW: Final = 2
"""With one or two earlier amounts, an amount is usual up to this multiple of the larger one."""
MIN_SPLIT: Final = 3
"""The minimum number of requests for one target on one day for a split amount."""
MIN_IN_HOUR, MIN_IN_DAY = 5, 10
"""The minimum numbers of requests in an hour and on a day for a burst."""
BURST_IN_HOUR, BURST_IN_DAY = 2, 3
"""A burst in an hour, or on a day, exceeds the usual number per day by this factor."""
MIN_ANSWERS: Final = 20
"""The minimum number of a person's answers for computing usual hours."""
RARE_FRACTION: Final = 20
"""An hour is unusual if less than 1/20 of the answers are in it and the adjacent hours."""

_MAX_CHARACTERS: Final = 600
_MAX_LABELS: Final = 5


def find_signals(compared: Comparison) -> Unusual:
    """Return all signals of a request. They are computed once and shown on all screens."""
    found_rows = [(row, values) for row in SIGNALS if (values := row.test(compared)) is not None]
    codes = frozenset(row.code for row, _ in found_rows)
    signals = [
        FoundSignal(row.code, row.severity, _safe(row.sentence.format(**values)))
        for row, values in found_rows
        if codes.isdisjoint(row.replaced_by)
    ]
    signals.sort(key=lambda signal: signal.severity is not Severity.WARNING)
    return Unusual(codes, tuple(signals), _describe_history(compared, clear=not codes))


def _describe_history(compared: Comparison, *, clear: bool) -> SafeText:
    past = compared.comparable
    if past.count == 0:
        return NO_HISTORY
    approvals = pluralize(past.count, "earlier approval")
    if past.count < MIN_HISTORY:
        only = "" if len(compared.amounts) != 1 else _only_amount(compared.amounts[0], past)
        return _safe(f"Only {approvals} to compare with{only}.")
    intro = "Nothing unusual, compared" if clear else "Compared"
    return _safe(f"{intro} with {approvals} since {day_text(past.since)}.")


def _only_amount(amount: Amount, past: PastApprovals) -> str:
    """Return the amount of the only earlier approval."""
    approvals = next((baseline.past for baseline in amount.baselines if baseline.past.count), None)
    is_only_approval = approvals is not None and (approvals.count, past.count) == (1, 1)
    return (
        f", {amount.format(approvals.total)}" if is_only_approval and approvals is not None else ""
    )


def times_usual(value: int, past: PastApprovals) -> int | None:
    """Return the multiple of the usual amount if the amount is large, otherwise None."""
    if past.count >= MIN_AMOUNTS:
        large = value * past.count >= LARGE_FACTOR * past.total > 0 and value > past.most
        return value * past.count // past.total if large else None
    large = value >= LARGE_FACTOR_FEW * past.most > 0
    return value // past.most if large else None


def is_rare(answers: int, *, near: int) -> bool:
    """Return whether few of a person's answers are in this hour and the adjacent hours."""
    return answers >= MIN_ANSWERS and near * RARE_FRACTION < answers


def _new_agent(compared: Comparison) -> SentenceValues | None:
    return {"agent": compared.asker.name} if compared.asker.past.count == 0 else None


def _renamed_agent(compared: Comparison) -> SentenceValues | None:
    asker = compared.asker
    known = asker.past.count == 0 or asker.mark in asker.past.members
    return None if known else {"agent": asker.name, "was": _former_name(asker.formerly)}


def _former_name(formerly: tuple[str, int] | None) -> str:
    return "" if formerly is None else f": {formerly[0]}, until {day_text(formerly[1])}"


def _new_key(compared: Comparison) -> SentenceValues | None:
    asker = compared.asker
    known = asker.past.count == 0 or asker.keys <= asker.past.members
    return None if known else {"agent": asker.name}


def _test_first_time(
    get_labels: Callable[[Comparison], Mapping[str, str]],
) -> Callable[[Comparison], SentenceValues | None]:
    def test(compared: Comparison) -> SentenceValues | None:
        asker = compared.asker
        new = [
            name for mark, name in get_labels(compared).items() if mark not in asker.past.members
        ]
        return {"agent": asker.name, "names": ", ".join(new)} if new else None

    return test


def _new_target(compared: Comparison) -> SentenceValues | None:
    return _labels(target.label for target in compared.targets if not target.known)


def _other_name(compared: Comparison) -> SentenceValues | None:
    """Find a known target, such as an account, that has a new name."""
    for target in compared.targets:
        if target.name_mark and target.names and target.name_mark not in target.names:
            return {"target": target.label, "name": target.name_label}
    return None


def _other_target(compared: Comparison) -> SentenceValues | None:
    """Find a known name that has a new target."""
    for target in compared.targets:
        if target.name_mark and target.targets and target.mark not in target.targets:
            return {"target": target.label, "name": target.name_label}
    return None


def _lookalike(compared: Comparison) -> SentenceValues | None:
    return _labels(
        value.label
        for value in compared.values
        if value.look_alikes and value.mark not in value.look_alikes
    )


def _mixed_scripts(compared: Comparison) -> SentenceValues | None:
    return _labels(value.label for value in compared.values if value.mixes_scripts)


def _labels(labels: Iterable[object]) -> SentenceValues | None:
    quoted_labels = list(dict.fromkeys(f"“{label}”" for label in labels))
    more = (
        f" and {len(quoted_labels) - _MAX_LABELS} more" if len(quoted_labels) > _MAX_LABELS else ""
    )
    return {"labels": ", ".join(quoted_labels[:_MAX_LABELS]) + more} if quoted_labels else None


def _large_amount(compared: Comparison) -> SentenceValues | None:
    return next(filter(None, map(_find_large, compared.amounts)), None)


def _find_large(amount: Amount) -> SentenceValues | None:
    """Compare with the closest sufficient history: of target, agent, person, installation."""
    for baseline in amount.baselines:
        times = times_usual(amount.value, baseline.past)
        if times is not None:
            than = _baseline_text(amount, baseline)
            return {"label": amount.label, "times": f"{times:,}", "than": than}
        if _suffices(amount.value, baseline.past):
            return None
    return None


def _suffices(value: int, past: PastApprovals) -> bool:
    """Return whether this history suffices to call an amount usual."""
    return past.count >= MIN_AMOUNTS or 0 < value <= USUAL_FACTOR_FEW * past.most


def _baseline_text(amount: Amount, baseline: Baseline) -> str:
    past, phrase = baseline.past, str(baseline)
    if past.count == 1:
        return f"the only earlier amount {phrase}, {amount.format(past.most)}"
    if past.count < MIN_AMOUNTS:
        few = f"the larger of the {past.count} earlier amounts"
        return f"{few} {phrase}, {amount.format(past.most)}"
    return f"the usual amount {phrase}, {amount.format(past.usual)}"


def _new_currency(compared: Comparison) -> SentenceValues | None:
    for amount in compared.amounts:
        if amount.new_currency:
            return {"currency": amount.currency, "label": amount.label}
    return None


def _split_amount(compared: Comparison) -> SentenceValues | None:
    """Find several requests for one target on one day that add up to a large amount."""
    for earlier in compared.same_day:
        values = _find_large(earlier.amount) if earlier.count >= MIN_SPLIT else None
        if values is not None:
            total = earlier.amount.format(earlier.amount.value)
            return {**values, "count": earlier.count, "total": total, "target": earlier.target}
    return None


def _burst(compared: Comparison) -> SentenceValues | None:
    asker, before = compared.asker, compared.asker.before
    if before.count < MIN_HISTORY:
        return None
    usual = max(1, before.count // max(1, before.days))
    values = {"agent": asker.name, "usual": usual}
    if asker.this_hour >= MIN_IN_HOUR and asker.this_hour > BURST_IN_HOUR * usual:
        return {**values, "count": asker.this_hour, "when": "in this hour"}
    if asker.today >= MIN_IN_DAY and asker.today > BURST_IN_DAY * usual:
        return {**values, "count": asker.today, "when": "today"}
    return None


def _unusual_hour(compared: Comparison) -> SentenceValues | None:
    hours = compared.hours
    if not is_rare(hours.answers, near=hours.near):
        return None
    return {"hour": hours.hour, "end": (hours.hour + 1) % 24}


_NOTICE, _WARNING = Severity.NOTICE, Severity.WARNING
_IF_NEW_AGENT = frozenset({Code.NEW_AGENT})
_IF_NEW_RESOURCE = frozenset({Code.NEW_AGENT, Code.NEW_RESOURCE})
_IF_OTHER_TARGET = frozenset({Code.OTHER_TARGET})

# fmt: off
SIGNALS: Final[Sequence[Signal]] = (
    Signal(Code.NEW_AGENT, _NOTICE, _new_agent,
           "First request from {agent} that you are asked to approve."),
    Signal(Code.RENAMED_AGENT, _WARNING, _renamed_agent,
           "{agent} had a different name when you last approved one of its requests{was}."),
    Signal(Code.NEW_KEY, _WARNING, _new_key,
           "{agent} has a new key since you last approved one of its requests."),
    Signal(Code.NEW_TYPE, _NOTICE, _test_first_time(lambda compared: compared.asker.types),
           "First time from {agent}: {names}.", _IF_NEW_AGENT),
    Signal(Code.NEW_RESOURCE, _NOTICE, _test_first_time(lambda compared: compared.asker.resource),
           "First time for {agent} at {names}.", _IF_NEW_AGENT),
    Signal(Code.NEW_SCOPE, _NOTICE, _test_first_time(lambda compared: compared.asker.scopes),
           "First time for {agent}: {names}.", _IF_NEW_RESOURCE),
    Signal(Code.NEW_TARGET, _NOTICE, _new_target,
           "First time: {labels}.", _IF_OTHER_TARGET),
    Signal(Code.OTHER_NAME, _WARNING, _other_name,
           "This “{target}” was approved before with a different “{name}”."),
    Signal(Code.OTHER_TARGET, _WARNING, _other_target,
           "This “{name}” was approved before with a different “{target}”."),
    Signal(Code.LOOKALIKE, _WARNING, _lookalike,
           "Looks like a value approved before, but has different characters: {labels}."),
    Signal(Code.MIXED_SCRIPTS, _WARNING, _mixed_scripts,
           "Mixes letters of several alphabets in one word: {labels}."),
    Signal(Code.LARGE_AMOUNT, _WARNING, _large_amount,
           "{label} is {times} times {than}."),
    Signal(Code.NEW_CURRENCY, _WARNING, _new_currency,
           "First time in {currency}: “{label}”."),
    Signal(Code.SPLIT_AMOUNT, _WARNING, _split_amount,
           "{count} requests today for this “{target}”, {total} in total: {times} times {than}."),
    Signal(Code.BURST, _WARNING, _burst,
           "{count} requests from {agent} {when}; the usual number is {usual} per day."),
    Signal(Code.UNUSUAL_HOUR, _NOTICE, _unusual_hour,
           "Sent between {hour:02}:00 and {end:02}:00 UTC, when you rarely answer."),
)
# fmt: on
"""All signals, in the order in which they are shown."""


def _safe(text: str) -> SafeText:
    return display_safe(text, max_chars=_MAX_CHARACTERS)
