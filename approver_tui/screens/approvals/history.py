"""The history: past requests, newest first, each with its receipt.

Owns: loading older ones, the filter, reporting a past request. Never: decides.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget

from approver_tui.client.wire import Page as Part
from approver_tui.messages import PastEnd
from approver_tui.screens import thread_messages
from approver_tui.screens.approvals.copying import copy_id, copy_link
from approver_tui.screens.approvals.reasons import AnswerContext, why_no_report, why_no_retry
from approver_tui.screens.confirm import ConfirmAction
from approver_tui.screens.incidents.report import ReportPanel
from approver_tui.screens.keys import Rows, hint, retry_keys, texts
from approver_tui.screens.page import Fetched, FetchFailed, Page, PageContext
from approver_tui.screens.request_actions import RequestActions
from approver_tui.state.approvals.approvals import Approval, ApprovalState, RequestingAgent
from approver_tui.state.approvals.search_span import SearchSpan
from approver_tui.state.queries import Query, read_query
from approver_tui.state.text import SafeText, display_safe
from approver_tui.widgets.approvals.facts import approval_lines, raw_lines
from approver_tui.widgets.approvals.receipt import receipt_lines
from approver_tui.widgets.consents.rights import tokens_count
from approver_tui.widgets.entry_list import Entry, Section
from approver_tui.widgets.entry_sheet import Make
from approver_tui.widgets.filter_line import FilterLine
from approver_tui.widgets.key_bar import Hint
from approver_tui.widgets.lines import Line, say
from approver_tui.widgets.times import age, day_or_clock

EVERYTHING = Query()


def of_agent(agent: RequestingAgent, now: int) -> Query:
    """Return the filter for one agent's requests, as a user would type it."""
    name = agent.id if " " in agent.name else agent.name
    return read_query(f"agent:{name}", now)


class HistoryPage(Page[Part]):
    """Decided requests, and those that ended without a decision."""

    NAME = "History"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", id="filter", show=False),
        Binding("v", "turn_over", id="details", show=False),
        Binding("exclamation_mark", "report", id="report", show=False),
        Binding("R", "retry", id="retry", show=False),
        Binding("z", "end_token", id="revoke", show=False),
        Binding("y", "copy_id", id="copy", show=False),
        Binding("Y", "copy_link", id="copy_link", show=False),
    ]

    def __init__(self, page_context: PageContext, query: Query = EVERYTHING) -> None:
        super().__init__(page_context)
        self._query = query
        self._is_raw = False
        self._is_fetching_more = False
        self._looking = SearchSpan()
        self._arranging = RequestActions(page_context.context, self.post_message)

    def lines_below(self) -> Iterable[Widget]:
        """Return the filter line."""
        yield FilterLine()

    def fetch(self) -> Part:
        """Fetch the latest."""
        return self.context.server.decided()

    def sections(self, found: Part) -> Sequence[Section]:
        """Return what matches the filter."""
        entries = tuple(self._entry(each) for each in self._fitting(found))
        heading = say("HISTORY ({})", len(entries))
        beside = say("older: G") if found.next else say("newest first")
        if self._query:
            typed = display_safe(self._query.text, max_len=60)
            heading = say("HISTORY ({})  / {}", len(entries), typed)
            looked_at = say("of {}", len(found.items))
            beside = say("{}, {}", looked_at, beside) if self._has_older(found) else looked_at
        return (Section(heading, entries, beside=beside, empty=self._nothing(found)),)

    def in_full(self, found: Part, entry_id: str) -> tuple[Make, object] | None:
        """Return the details with the receipt, or the signed texts."""
        approval = next((each for each in found.items if each.id == entry_id), None)
        if approval is None:
            return None
        return partial(self._lines, approval), ((entry_id, self._is_raw), approval)

    def keys(self) -> tuple[Hint, ...]:
        """Return the keys for an entry."""
        moment = AnswerContext.at(self.context)
        reason = why_no_retry(self.state, self._current, moment)
        return (
            *retry_keys(self._current, moment.now, reason),
            hint("/", "Filter", "slash"),
            hint("!", "Report..", "exclamation_mark"),
            hint("v", "All details"),
            hint("z", "End token..", is_off=bool(self._why_no_end())),
        )

    def help(self) -> Rows:
        """Return the help of the page."""
        return texts(
            (
                "/",
                "filter: words, !word, agent:NAME, risk:high, since:7d, is:denied, by:me",
            ),
            ("!", "report a request you did not ask for, even if it has ended"),
            ("R", "if it expired: ask its agent to retry"),
            ("v", "switch between the two signed texts and the details"),
            ("z", "end the token issued for an approval, and every token derived from it"),
            ("y", "copy its id"),
            ("Y", "copy the link to its page"),
            ("G", "to the end; loads older requests"),
        )

    def moved(self) -> None:
        """Load older requests at the end of the list."""
        if self.found is not None and self._is_at_end(self.found):
            self._looking = self._beyond(self.found)
            self.fetch_more(self.found)

    @on(PastEnd)
    def _past_end(self) -> None:
        self.moved()
        self.draw()

    def fetch_more(self, found: Part) -> None:
        """Load older requests, in a thread."""
        if self._has_older(found) and not self._is_fetching_more:
            self._is_fetching_more = True
            self.run_fetch(partial(self._older, found))

    def took(self, found: Part) -> None:
        """Show the requests; load older ones while too few match the filter."""
        if self._query and self._looking.goes_on(len(self._fitting(found)), len(found.items)):
            self.fetch_more(found)
        super().took(found)

    @on(Fetched)
    @on(FetchFailed)
    def _answered(self) -> None:
        """Note the answer first, because showing it may load more."""
        self._is_fetching_more = False

    def action_turn_over(self) -> None:
        """Switch between the signed texts and the details."""
        self._is_raw = not self._is_raw
        self.draw()

    def action_filter(self) -> None:
        """Open the filter line."""
        self.query_one(FilterLine).open(self._query.text)

    def on_filter_line_given(self, message: FilterLine.Given) -> None:
        """Apply the filter; an invalid one is reported and changes nothing."""
        try:
            me = None if self.state.me is None else self.state.me.user.id
            self._query = read_query(message.text, self.context.now(), me)
        except ValueError as error:
            self.say(say("Filter: {}.", display_safe(str(error))))
        if self.found is not None:
            self._looking = self._beyond(self.found)
            self.took(self.found)
        self.query_one("#entries").focus()

    def action_report(self) -> None:
        """Open the panel that reports, or say why it is unavailable."""
        approval = self._current
        reason = why_no_report(self.state, approval, AnswerContext.at(self.context))
        if reason or approval is None:
            self.say(say("Report unavailable: {}", reason))
        else:
            make = partial(ReportPanel, self.context, self.state, approval)
            self.page_context.open_panel(make)

    def action_retry(self) -> None:
        """Ask the agent of an expired request to retry, or say why that is unavailable."""
        approval = self._current
        reason = why_no_retry(self.state, approval, AnswerContext.at(self.context))
        if reason or approval is None:
            self.say(say("Retry unavailable: {}", reason))
        else:
            self.ask(self._arranging.again(approval))

    def action_end_token(self) -> None:
        """Confirm before ending the token of an approval, or say why that is unavailable."""
        approval = self._current
        reason = self._why_no_end()
        if reason or approval is None:
            self.say(say("End token unavailable: {}", reason))
        else:
            words = say("What was already done with it stays done. The agent may ask again.")
            do = partial(self._end_token, approval)
            action = ConfirmAction(
                say("End its token?"), say("End"), (approval.told_headline, words), do
            )
            self.ask(action)

    def action_copy_id(self) -> None:
        """Copy the ID of the entry."""
        self.say(copy_id(self.app, self._current))

    def action_copy_link(self) -> None:
        """Copy the link to its page."""
        self.say(copy_link(self.app, self._current, self.context))

    def _end_token(self, approval: Approval, _typed: str) -> SafeText:
        """Runs in a thread. Looks up the token again, because the list may be old."""
        server = self.context.server
        its = [each for each in server.delegations() if each.approval_id == approval.id]
        ended = sum(server.revoke_delegation(each.id) for each in its)
        return (
            say("{} ended.", tokens_count(ended)) if its else say("Its tokens have already ended.")
        )

    def _why_no_end(self) -> SafeText:
        approval = self._current
        if approval is None:
            return say("nothing is selected.")
        if approval.state is not ApprovalState.REDEEMED or not approval.is_action:
            return say("no token was issued for it.")
        return self.why_nothing_ends()

    def done(self) -> None:
        """Nothing to do: the feed already brought the change, and loaded pages stay."""

    @on(thread_messages.ApprovalFetched)
    def _seen(self, message: thread_messages.ApprovalFetched) -> None:
        told, found = message.approval, self.found
        if found is not None:
            items = tuple(told if each.id == told.id else each for each in found.items)
            self.took(replace(found, items=items))

    @property
    def _current(self) -> Approval | None:
        items = self.found.items if self.found is not None else ()
        return next((each for each in items if each.id == self.cursor), None)

    def _fitting(self, found: Part) -> list[Approval]:
        return [each for each in found.items if self._query.fits(each)]

    def _beyond(self, found: Part) -> SearchSpan:
        return SearchSpan.beyond(len(self._fitting(found)), len(found.items))

    def _is_at_end(self, found: Part) -> bool:
        fitting = self._fitting(found)
        return not fitting or self.cursor == fitting[-1].id

    def _has_older(self, found: Part) -> bool:
        """Whether an older request could match."""
        return found.next is not None and not any(map(self._query.wanted.is_past, found.items))

    def _nothing(self, found: Part) -> SafeText:
        """Return the text for an empty list."""
        if not self._query:
            return say("No past requests yet.")
        looked_at = len(found.items)
        if self._is_fetching_more:
            return say("Searching further back: no match in the latest {} ..", looked_at)
        if self._has_older(found):
            return say("No match in the latest {}. G searches further back.", looked_at)
        return say("No matches.")

    def _older(self, found: Part) -> Part:
        """Runs in a thread."""
        more = self.context.server.decided(found.next)
        return replace(more, items=(*found.items, *more.items))

    def _entry(self, approval: Approval) -> Entry:
        when = day_or_clock(approval.ended_at, self.context.now(), self.context.zone)
        who = say("nobody")
        if (decided := approval.decided) is not None:
            who = say("{}, {}", decided.device_name, age(approval.created_at, decided.at))
        second = say("{} {}  {}", when, approval.agent.name, who)
        is_lapsed = approval.state is ApprovalState.PENDING
        state = say("expired") if is_lapsed else SafeText(approval.state_word)
        return Entry(approval.id, approval.told_headline, second, state)

    def _lines(self, approval: Approval, width: int) -> list[Line]:
        view = self.context.view(width)
        if self._is_raw:
            return raw_lines(approval, view)
        return [*approval_lines(approval, view), *receipt_lines(approval, view)]
