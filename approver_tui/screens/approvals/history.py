"""The history: past requests, newest first, each with its receipt.

Owns: loading older requests, the filter, reporting a past request. Never: deciding.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.widget import Widget

from approver_tui.client.errors import ClientError
from approver_tui.client.wire import Page as PastRequests
from approver_tui.messages import PastEnd
from approver_tui.screens.approvals.blockers import report_blocker, retry_blocker
from approver_tui.screens.approvals.copying import CopyingScreen
from approver_tui.screens.confirm import ConfirmAction
from approver_tui.screens.incidents.report import ReportPanel
from approver_tui.screens.keys import Rows, bindings, help_rows, hint, retry_keys
from approver_tui.screens.page import Page, PageAction, PageContext, action_bindings
from approver_tui.screens.request_actions import QuickAction
from approver_tui.state.approvals.approvals import Approval, ApprovalState
from approver_tui.state.approvals.filters import SearchSpan
from approver_tui.state.approvals.requesting_agent import RequestingAgent
from approver_tui.state.queries import NO_QUERY, Query, read_query
from approver_tui.state.text import SafeText, display_safe, pluralize
from approver_tui.widgets.approvals.facts import approval_lines, raw_lines
from approver_tui.widgets.approvals.receipt import receipt_lines
from approver_tui.widgets.entry_list import Entry, Section
from approver_tui.widgets.filter_line import FilterLine
from approver_tui.widgets.key_bar import Hint
from approver_tui.widgets.lines import Line, fmt
from approver_tui.widgets.times import age, day_or_clock


def agent_query(agent: RequestingAgent, now: int) -> Query:
    """Return the filter for one agent's requests, as a user would type it."""
    name = agent.id if " " in agent.name else agent.name
    return read_query(f"agent:{name}", now)


class HistoryPage(Page[PastRequests, Approval], CopyingScreen):
    """The page with decided requests and requests that ended without a decision."""

    NAME = "History"

    def __init__(self, page_context: PageContext, query: Query = NO_QUERY) -> None:
        super().__init__(page_context)
        self._query = self._query_before = query
        self._is_raw = False
        self._is_fetching_more = False
        self._span = SearchSpan()
        self._request_actions = replace(
            page_context.request_actions, show_approval=partial(self.call_later, self._show_update)
        )

    def widgets_below(self) -> Iterable[Widget]:
        """Return the filter line."""
        yield FilterLine(self.context.environment.filters)

    def fetch(self) -> PastRequests:
        """Fetch the latest past requests."""
        return self.context.server.list_decided()

    def sections(self, page: PastRequests) -> Sequence[Section]:
        """Return the requests that match the filter."""
        entries = tuple(self._entry(approval) for approval in self._matching(page))
        heading = fmt("HISTORY ({})", len(entries))
        note = fmt("older: G") if page.next else fmt("newest first")
        if self._query:
            typed = display_safe(self._query.text, max_len=60)
            heading = fmt("HISTORY ({})  / {}", len(entries), typed)
            scanned = fmt("of {}", len(page.items))
            note = fmt("{}, {}", scanned, note) if self._has_older(page) else scanned
        return (Section(heading, entries, heading_note=note, empty=self._empty_text(page)),)

    def items(self, page: PastRequests) -> tuple[Approval, ...]:
        """Return the requests."""
        return page.items

    def detail_key(self, item: Approval) -> object:
        """Return a key that changes with the request and with the view of it."""
        return item, self._is_raw

    def keys(self) -> tuple[Hint, ...]:
        """Return the keys for an entry."""
        retry, revoke = self.ACTIONS
        return (
            *retry_keys(self.current, self.context.now(), self.blocker_of(retry)),
            hint("/", "Filter", "slash"),
            hint("!", "Report..", "exclamation_mark"),
            hint("v", "All details"),
            hint("z", "Revoke..", is_off=bool(self.blocker_of(revoke))),
        )

    def help(self) -> Rows:
        """Return the help of the page."""
        retry, revoke = self.ACTIONS
        return help_rows(
            ("/", "filter: words, !word, agent:NAME, risk:high, since:7d, is:denied, by:me"),
            ("!", "report a request you did not ask for, even if it has ended"),
            (retry.key, retry.help),
            ("v", "switch between the two signed texts and the details"),
            (revoke.key, revoke.help),
            ("u", "undo a retry or a denial within 5 seconds"),
            ("c", "copy a fact: an amount, an account"),
            ("y", "copy its ID"),
            ("Y", "copy the link to its page"),
            ("G", "to the end; loads older requests"),
        )

    def cursor_moved(self) -> None:
        """Load older requests if the cursor is at the end of the list."""
        if self.page_data is not None and self._is_at_end(self.page_data):
            self._span = self._next_span(self.page_data)
            self.fetch_more(self.page_data)

    @on(PastEnd)
    def _moved_past_end(self) -> None:
        self.cursor_moved()
        self.draw()

    def fetch_more(self, page: PastRequests) -> None:
        """Load older requests, in a thread."""
        if self._has_older(page) and not self._is_fetching_more:
            self._is_fetching_more = True
            self.run_fetch(partial(self._fetch_older, page))

    def set_data(self, page: PastRequests) -> None:
        """Show the requests; load older ones while too few match the filter."""
        if self._query and self._span.should_continue(len(self._matching(page)), len(page.items)):
            self.fetch_more(page)
        super().set_data(page)

    def show_fetched(self, page: PastRequests) -> None:
        """Mark the load as finished first, because showing its result may load more."""
        self._is_fetching_more = False
        super().show_fetched(page)

    def fetch_failed(self, error: ClientError) -> None:
        """Mark the load as finished, then show the error."""
        self._is_fetching_more = False
        super().fetch_failed(error)

    def action_toggle_raw(self) -> None:
        """Switch between the signed texts and the details."""
        self._is_raw = not self._is_raw
        self.details.scroll_home(animate=False)
        self.draw()

    def action_filter(self) -> None:
        """Open the filter line."""
        self._query_before = self._query
        self.query_one(FilterLine).open(self._query.text)

    def on_filter_line_applied(self, message: FilterLine.Applied) -> None:
        """Apply the filter while it is typed; on Enter search further back or report a mistake."""
        try:
            me = None if self.state.me is None else self.state.me.user.id
            self._query = self.read_filter(message, me)
        except ValueError as error:
            if message.is_done:
                self._query = self._query_before
                self.show_message(fmt("Filter: {}.", display_safe(str(error))))
        if not message.is_done:
            self.draw()
            return
        if self.page_data is not None:
            self._span = self._next_span(self.page_data)
            self.set_data(self.page_data)
        self.rows.focus()

    def action_report(self) -> None:
        """Open the report panel, or say why it is unavailable."""
        approval = self.current
        reason = report_blocker(self.state, approval, self.context)
        if reason or approval is None:
            self.show_message(fmt("Report unavailable: {}", reason))
        else:
            make_panel = partial(ReportPanel, self.context, self.state, approval)
            self.page_context.flow.open(make_panel)

    def _retry_blocker(self, approval: Approval) -> SafeText:
        return retry_blocker(self.state, approval, self.context)

    @partial(PageAction, "retry", "if it expired: ask its agent to retry", _retry_blocker)
    def _retry_action(self, approval: Approval) -> QuickAction:
        return self._request_actions.retry(approval)

    def action_undo_denial(self) -> None:
        """Undo the waiting action or denial before it is sent."""
        self.page_context.flow.undo_denial()

    def _revoke_tokens(self, approval: Approval, _typed: str) -> SafeText:
        """Revoke the tokens. Runs in a thread; fetches the tokens, as the list may be outdated."""
        server = self.context.server
        tokens = [token for token in server.delegations() if token.approval_id == approval.id]
        if not tokens:
            return fmt("Its tokens have already ended.")
        ended_count = sum(server.revoke_delegation(token.id) for token in tokens)
        return fmt("Revoked: {}.", pluralize(ended_count, "token"))

    def _revoke_blocker(self, approval: Approval) -> SafeText:
        if approval.state is not ApprovalState.REDEEMED or not approval.is_action:
            return fmt("no token was issued for this request.")
        return self.change_blocker()

    @partial(
        PageAction,
        "revoke",
        "revoke the token issued for an approval, and every token derived from it",
        _revoke_blocker,
        verb_text=fmt("Revoke token"),
    )
    def _revoke_action(self, approval: Approval) -> ConfirmAction:
        words = fmt("This does not undo what the agent already did. It may ask again.")
        do = partial(self._revoke_tokens, approval)
        title, verb = fmt("Revoke its token?"), fmt("Revoke")
        return ConfirmAction(title, verb, (approval.outcome_headline, words), do)

    def after_action(self) -> None:
        """Do nothing, because the feed brings the change and the loaded pages must stay."""

    def _show_update(self, updated: Approval) -> None:
        page = self.page_data
        if page is not None:
            items = tuple(updated if item.id == updated.id else item for item in page.items)
            self.set_data(replace(page, items=items))

    def _matching(self, page: PastRequests) -> list[Approval]:
        return [item for item in page.items if self._query.matches(item)]

    def _next_span(self, page: PastRequests) -> SearchSpan:
        return SearchSpan.continuing(len(self._matching(page)), len(page.items))

    def _is_at_end(self, page: PastRequests) -> bool:
        matching = self._matching(page)
        return not matching or self.cursor == matching[-1].id

    def _has_older(self, page: PastRequests) -> bool:
        """Whether older requests that could match exist on the server."""
        return page.next is not None and not any(map(self._query.conditions.is_past, page.items))

    def _empty_text(self, page: PastRequests) -> SafeText:
        """Return the text for an empty list."""
        if not self._query:
            return fmt("No past requests yet.")
        scanned = len(page.items)
        if self._is_fetching_more:
            return fmt("Searching further back: no match in the latest {}…", scanned)
        if self._has_older(page):
            return fmt("No match in the latest {}. G searches further back.", scanned)
        return fmt("No matches.")

    def _fetch_older(self, page: PastRequests) -> PastRequests:
        """Fetch one more page and append it. Runs in a thread."""
        more = self.context.server.list_decided(page.next)
        return replace(more, items=(*page.items, *more.items))

    def _entry(self, approval: Approval) -> Entry:
        when = day_or_clock(approval.ended_at, self.context.now(), self.context.zone)
        automatic = approval.automatic_decision
        decider = fmt("nobody") if automatic is None else automatic.kind_text
        if (decided := approval.decision) is not None:
            decider = fmt("{}, {}", decided.device_name, age(approval.created_at, decided.at))
        second_line = fmt("{} {}  {}", when, approval.agent.name, decider)
        is_expired = approval.state is ApprovalState.PENDING
        state = fmt("expired") if is_expired else SafeText(approval.verdict_text)
        return Entry(approval.id, approval.outcome_headline, second_line, state)

    def lines(self, item: Approval, width: int) -> list[Line]:
        """Return the details with the receipt, or the signed texts."""
        view = self.context.view(width)
        if self._is_raw:
            return raw_lines(item, view)
        return [*approval_lines(item, view), *receipt_lines(item, view)]

    ACTIONS = (_retry_action, _revoke_action)
    BINDINGS: ClassVar[list[BindingType]] = [
        *action_bindings(*ACTIONS),
        *bindings("filter report", details="toggle_raw", undo="undo_denial"),
    ]
