"""The inbox screen's calls to the server. Each runs in a thread.

Owns: the threads; passing their results to the inbox. Never: touching a widget or the state from a
thread.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from approver_tui.client import errors, wire
from approver_tui.client.notifications.feed import FeedListeners
from approver_tui.screens.approvals.denials import Denial
from approver_tui.screens.context import ScreenContext
from approver_tui.state.notifications.connection import Connection
from approver_tui.state.text import display_safe

if TYPE_CHECKING:
    from approver_tui.screens.approvals.inbox_base import InboxBase

_MAX_PROBLEM_LENGTH = 200
_RESTART_DELAY = 2.0
_LOG_INTERVAL = 60.0
"""How often, in seconds, the audit log is checked."""


class Calls:
    """All calls that one screen makes to the server."""

    def __init__(self, context: ScreenContext, inbox: "InboxBase") -> None:
        self._context = context
        self._inbox = inbox
        self._stop = threading.Event()
        self._ids_being_checked: set[str] = set()
        """The IDs of answers whose outcome is being checked."""
        self._is_live = False
        self._reconnected = threading.Event()

    def load_last_known(self) -> None:
        """Load the last known list from this machine, then the current one from the server."""
        self._run(self._load_last_known, "load", exclusive=True)

    def load(self, *, in_order: bool) -> None:
        """Fetch the account and the waiting requests."""
        self._run(partial(self._load, in_order=in_order), "load", exclusive=True)

    def reload_account(self) -> None:
        """Fetch only the account, because the number of PIN attempts may have changed."""
        self._run(self._reload_account, "me", exclusive=True)

    def fetch_approval(self, approval_id: str) -> None:
        """Fetch the server's copy of one approval."""
        self._run(partial(self._fetch_approval, approval_id), "fetch")

    def deny(self, denial: Denial) -> None:
        """Send a denial."""
        self._run(partial(self._deny, denial), "deny")

    def check_outcome(self, approval_id: str) -> None:
        """Check the outcome of an answer, unless a check is in progress."""
        if approval_id not in self._ids_being_checked:
            self._ids_being_checked.add(approval_id)
            self._run(partial(self._check_outcome, approval_id), "check")

    def load_preferences(self) -> None:
        """Fetch the notification settings."""
        self._run(self._load_preferences, "prefs", exclusive=True)

    def _run(self, work: Callable[[], None], group: str, *, exclusive: bool = False) -> None:
        """Run `work` in a thread; pass its error to the inbox."""

        def run() -> None:
            try:
                work()
            except errors.ClientError as error:
                self._pass_on(self._inbox.load_failed, error)

        self._inbox.run_worker(run, thread=True, group=group, exclusive=exclusive)

    def _pass_on(self, method: Callable[..., None], *values: object) -> None:
        """Call a method of the inbox on its thread, after the calls already queued there."""
        self._inbox.call_later(method, *values)

    def listen(self, cursor: int) -> None:
        """Follow the feed from `cursor` and check the audit log, in daemon threads."""
        self._context.feed.cursor = cursor
        threading.Thread(target=self._listen, name="feed", daemon=True).start()
        threading.Thread(target=self._watch_log, name="audit log", daemon=True).start()

    def count_other_logins(self) -> None:
        """Count the requests that wait at the other servers, in a daemon thread."""
        threading.Thread(target=self._count_other_logins, name="other logins", daemon=True).start()

    def stop(self) -> None:
        """Stop the feed and the audit log checks."""
        self._stop.set()
        self._reconnected.set()

    def _load_last_known(self) -> None:
        self._pass_on(self._inbox.set_log_alarm, self._context.log_witness.alarm)
        page = self._context.server.last_waiting()
        if page is not None:
            self._pass_on(self._inbox.show_last_known, page)
        self._load(in_order=True)

    def _load(self, *, in_order: bool) -> None:
        try:
            me, page = self._context.server.me(), self._context.server.waiting()
        except errors.ClientError as error:
            self._pass_on(self._inbox.list_failed, error, in_order)
        else:
            self._pass_on(self._inbox.show_list, me, page, in_order)

    def _reload_account(self) -> None:
        self._pass_on(self._inbox.set_account, self._context.server.me())

    def _load_preferences(self) -> None:
        self._pass_on(self._inbox.set_prefs, self._context.prefs_client.settings())

    def _fetch_approval(self, approval_id: str) -> None:
        try:
            approval = self._context.server.approval(approval_id)
        except errors.WireError as error:
            self._pass_on(self._inbox.set_unverified, wire.unverified_row(approval_id, error))
        else:
            self._pass_on(self._inbox.set_approval, approval)

    def _deny(self, denial: Denial) -> None:
        approval, answer, flow = denial.approval, denial.answer, self._inbox.answer_flow
        try:
            outcome = self._context.answers.deny(approval, answer.code, answer.note, answer.extras)
        except errors.ClientError as error:
            self._pass_on(flow.answer_refused, approval.id, error)
        else:
            self._pass_on(flow.answer_recorded, outcome)

    def _check_outcome(self, approval_id: str) -> None:
        """Pass on nothing while the outcome is unknown; report an ended session immediately."""
        flow = self._inbox.answer_flow
        try:
            outcome = self._context.answers.check_outcome(approval_id)
        except errors.UnknownOutcome as error:
            if isinstance(error.__cause__, errors.LoginFirst):
                self._pass_on(self._inbox.load_failed, error.__cause__)
        except errors.WireError as error:
            self._pass_on(self._inbox.set_unverified, wire.unverified_row(approval_id, error))
        except errors.ClientError as error:
            self._pass_on(flow.answer_refused, approval_id, error)
        else:
            self._pass_on(flow.answer_recorded, outcome)
        finally:
            self._ids_being_checked.discard(approval_id)

    def _count_other_logins(self) -> None:
        self._pass_on(self._inbox.show_other_logins, self._context.others.counts())

    def _listen(self) -> None:
        inbox = self._inbox
        listeners = FeedListeners(
            partial(self._pass_on, inbox.handle_event),
            self._connection_changed,
            partial(self._pass_on, inbox.feed_resynced),
            self._feed_problem,
        )
        while not self._stop.is_set():
            try:
                self._context.feed.run(listeners, self._stop)
            except errors.ClientError as error:
                self._pass_on(inbox.load_failed, error)
                return
            except Exception as error:  # noqa: BLE001  # otherwise the screen would wait forever
                self._feed_problem(f"The live feed failed: {error!r}. Reconnecting.")
            self._stop.wait(_RESTART_DELAY)

    def _watch_log(self) -> None:
        """Check the audit log after each connect and then every minute."""
        while not self._stop.is_set():
            if self._is_live:
                with suppress(errors.ClientError, OSError):  # the next check follows soon
                    self._pass_on(self._inbox.set_log_alarm, self._context.log_witness.check())
            self._reconnected.wait(_LOG_INTERVAL)
            self._reconnected.clear()

    def _connection_changed(self, connection: Connection) -> None:
        if connection.is_live and not self._is_live:
            self._reconnected.set()
        self._is_live = connection.is_live
        self._pass_on(self._inbox.set_connection, connection)

    def _feed_problem(self, problem: str) -> None:
        text = display_safe(problem, max_len=_MAX_PROBLEM_LENGTH)
        self._pass_on(self._inbox.feed_problem, text)
