"""The inbox screen's calls to the server. Each runs in a thread and posts a message.

Owns: the threads and the messages they post. Never: touching a widget or the state.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from textual.message import Message
from textual.screen import Screen

from approver_tui.client import errors, wire
from approver_tui.client.notifications.feed import FeedListeners
from approver_tui.screens import thread_messages
from approver_tui.screens.approvals.denials import Denial
from approver_tui.screens.context import ScreenContext
from approver_tui.state.notifications.connection import Connection
from approver_tui.state.notifications.events import Event
from approver_tui.state.text import display_safe

_MAX_PROBLEM_LENGTH = 200
_RESTART_DELAY = 2.0
_LOG_INTERVAL = 60.0
"""How often, in seconds, the audit log is checked."""


class Calls:
    """All calls that one screen makes to the server."""

    def __init__(self, context: ScreenContext, screen: Screen[None]) -> None:
        self._context = context
        self._screen = screen
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
        me = self._context.server.me
        self._run(lambda: thread_messages.AccountLoaded(me()), "me", exclusive=True)

    def fetch_approval(self, approval_id: str) -> None:
        """Fetch the server's copy of one approval."""
        self._run(partial(self._fetch_approval, approval_id), "look")

    def deny(self, denial: Denial) -> None:
        """Send a denial."""
        self._run(partial(self._deny, denial), "deny")

    def check_outcome(self, approval_id: str) -> None:
        """Check the outcome of an answer, unless a check is in progress."""
        if approval_id not in self._ids_being_checked:
            self._ids_being_checked.add(approval_id)
            self._run(partial(self._check_outcome, approval_id), "settle")

    def load_preferences(self) -> None:
        """Fetch the notification settings."""
        load, loaded = self._context.prefs_client.settings, thread_messages.NotificationPrefsLoaded
        self._run(lambda: loaded(load()), "attend", exclusive=True)

    def _run(
        self, work: Callable[[], Message | None], group: str, *, exclusive: bool = False
    ) -> None:
        """Run `work` in a thread; post the message it returns, or `LoadFailed`."""

        def run() -> None:
            try:
                message_out = work()
            except errors.ClientError as error:
                message_out = thread_messages.LoadFailed(error)
            if message_out is not None:
                self._screen.post_message(message_out)

        self._screen.run_worker(run, thread=True, group=group, exclusive=exclusive)

    def listen(self, cursor: int) -> None:
        """Follow the feed from `cursor` and check the audit log, in daemon threads."""
        self._context.feed.cursor = cursor
        threading.Thread(target=self._listen, name="feed", daemon=True).start()
        threading.Thread(target=self._watch_log, name="audit log", daemon=True).start()

    def count_other_logins(self) -> None:
        """Count the requests that wait at the other servers, in a daemon thread."""
        threading.Thread(target=self._count_other_logins, name="elsewhere", daemon=True).start()

    def stop(self) -> None:
        """Stop the feed and the audit log checks."""
        self._stop.set()
        self._reconnected.set()

    def _load_last_known(self) -> Message:
        self._screen.post_message(thread_messages.LogChecked(self._context.log_witness.alarm))
        page = self._context.server.last_waiting()
        if page is not None:
            self._screen.post_message(thread_messages.LastKnownLoaded(page))
        return self._load(in_order=True)

    def _load(self, *, in_order: bool) -> Message:
        try:
            me, page = self._context.server.me(), self._context.server.waiting()
        except errors.ClientError as error:
            return thread_messages.ListFailed(error, in_order=in_order)
        return thread_messages.Loaded(me, page, in_order=in_order)

    def _fetch_approval(self, approval_id: str) -> Message:
        try:
            return thread_messages.ApprovalFetched(self._context.server.approval(approval_id))
        except errors.WireError as error:
            return thread_messages.ApprovalUnverified(wire.unverified_row(approval_id, error))

    def _deny(self, denial: Denial) -> Message:
        approval, answer = denial.approval, denial.answer
        try:
            outcome = self._context.answers.deny(approval, answer.code, answer.note, answer.extras)
        except errors.ClientError as error:
            return thread_messages.AnswerRefused(approval.id, error)
        return thread_messages.AnswerAccepted(outcome)

    def _check_outcome(self, approval_id: str) -> Message | None:
        """Return None while the outcome is unknown; report an ended session immediately."""
        try:
            outcome = self._context.answers.check_outcome(approval_id)
        except errors.UnknownOutcome as error:
            if isinstance(error.__cause__, errors.LoginFirst):
                return thread_messages.LoadFailed(error.__cause__)
            return None
        except errors.WireError as error:
            return thread_messages.ApprovalUnverified(wire.unverified_row(approval_id, error))
        except errors.ClientError as error:
            return thread_messages.AnswerRefused(approval_id, error)
        finally:
            self._ids_being_checked.discard(approval_id)
        return thread_messages.AnswerAccepted(outcome)

    def _count_other_logins(self) -> None:
        self._screen.post_message(thread_messages.OtherLoginsCounted(self._context.others.counts()))

    def _listen(self) -> None:
        listeners = FeedListeners(
            self._post_event, self._post_connection, self._post_resync, self._post_problem
        )
        while not self._stop.is_set():
            try:
                self._context.feed.run(listeners, self._stop)
            except errors.ClientError as error:
                self._screen.post_message(thread_messages.LoadFailed(error))
                return
            except Exception as error:  # noqa: BLE001  # otherwise the screen would wait forever
                self._post_problem(f"The live feed failed: {error!r}. Reconnecting.")
            self._stop.wait(_RESTART_DELAY)

    def _watch_log(self) -> None:
        """Check the audit log after each connect and then every minute."""
        while not self._stop.is_set():
            if self._is_live:
                with suppress(errors.ClientError, OSError):  # the next check follows soon
                    alarm = self._context.log_witness.check()
                    self._screen.post_message(thread_messages.LogChecked(alarm))
            self._reconnected.wait(_LOG_INTERVAL)
            self._reconnected.clear()

    def _post_event(self, event: Event) -> None:
        self._screen.post_message(thread_messages.EventReceived(event))

    def _post_connection(self, connection: Connection) -> None:
        if connection.is_live and not self._is_live:
            self._reconnected.set()
        self._is_live = connection.is_live
        self._screen.post_message(thread_messages.ConnectionChanged(connection))

    def _post_resync(self) -> None:
        self._screen.post_message(thread_messages.FeedResynced())

    def _post_problem(self, problem: str) -> None:
        self._screen.post_message(
            thread_messages.FeedProblem(display_safe(problem, max_len=_MAX_PROBLEM_LENGTH))
        )
