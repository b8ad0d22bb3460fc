"""The filter language of the inbox and the history.

    invoice-bot            words in the headline, agent, resource or ID
    !staging               without the word
    agent:invoice-bot      of this agent, by name or ID
    risk:high              of this risk or higher
    since:7d               ended in the last 90s, 30m, 12h, 7d or 2w, or still open
    by:me                  answered by me; also a user's or device's name or ID
    is:approved            approved, denied, or nobody for no answer
    @urgent                the saved filter of this name

Owns: parsing it, and whether an approval matches. Never: reading a clock; `now` is an argument.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.approvals.decision import Answer
from approver_tui.state.approvals.filters import Filter, read_span
from approver_tui.state.risks import Risk
from approver_tui.state.saved_filters import NO_FILTERS, expand

_IS = {
    "approved": Filter(decision=Answer.APPROVE),
    "denied": Filter(decision=Answer.DENY),
    "nobody": Filter(undecided=True),
}


@dataclass(frozen=True, slots=True)
class Query:
    """Conditions that must all hold."""

    text: str = ""
    """The text as typed; not safe to draw."""
    conditions: Filter = Filter()  # noqa: RUF009  # a Filter never changes
    words: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is any condition."""
        return bool(self.conditions or self.words or self.excluded)

    def matches(self, approval: Approval) -> bool:
        """Return whether all conditions hold."""
        if not self.conditions.matches(approval):
            return False
        shown = (approval.headline, approval.agent.name, approval.display.resource, approval.id)
        text = " ".join(shown).casefold()
        return all(word in text for word in self.words) and not any(
            word in text for word in self.excluded
        )


NO_QUERY = Query()
"""No condition: everything matches."""


def read_query(
    text: str, now: int, me: str | None = None, saved: Mapping[str, str] = NO_FILTERS
) -> Query:
    """Parse a filter; `me` is the ID for `by:me`, and `saved` maps names to saved filters.

    Raises ValueError with the valid forms.
    """
    query = Query(text.strip())
    for word in expand(text, saved).split():
        query = _add_word(query, f"by:{me}" if me and word == "by:me" else word, now)
    return query


def _add_word(query: Query, word: str, now: int) -> Query:
    name, colon, value = word.partition(":")
    if colon and value and name in {"agent", "risk", "since", "is", "by"}:
        return replace(query, conditions=_add_condition(query.conditions, name, value, now))
    if word.startswith("!") and len(word) > 1:
        return replace(query, excluded=(*query.excluded, word[1:].casefold()))
    return replace(query, words=(*query.words, word.casefold()))


def _add_condition(conditions: Filter, name: str, value: str, now: int) -> Filter:
    if name == "agent":
        return replace(conditions, agent=value)
    if name == "by":
        return replace(conditions, by=value)
    if name == "since":
        return replace(conditions, since=now - read_span(value))
    if name == "risk":
        if value not in tuple(Risk):
            raise ValueError("use risk:low, medium, high or critical")
        return replace(conditions, risk=Risk(value))
    if value not in _IS:
        raise ValueError("use is:approved, denied or nobody")
    outcome = _IS[value]
    return replace(conditions, decision=outcome.decision, undecided=outcome.undecided)
