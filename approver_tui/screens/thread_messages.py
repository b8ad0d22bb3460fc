"""Messages from threads to the screen that started them.

Owns: one message per outcome. Never: carrying text that was not made safe.
"""

from collections.abc import Mapping
from typing import Generic, TypeVar

from textual.message import Message

from approver_tui.client.errors import ClientError
from approver_tui.client.wire import Page
from approver_tui.state.approvals.approvals import Approval, Unverified
from approver_tui.state.devices.devices import Me
from approver_tui.state.notifications.connection import Connection
from approver_tui.state.notifications.events import Event
from approver_tui.state.notifications.preferences import NotificationPrefs
from approver_tui.state.text import SafeText

_Value = TypeVar("_Value")


class ValueMessage(Message, Generic[_Value]):
    """The result of a thread; each screen has its own subclass."""

    def __init__(self, value: _Value) -> None:
        super().__init__()
        self.value = value


class OtherLoginsCounted(ValueMessage[Mapping[str, int | None]]):
    """The numbers of waiting requests at the other servers."""


class Loaded(Message):
    """The account and all waiting requests; `in_order` as it was asked for."""

    def __init__(self, me: Me, page: Page, *, in_order: bool) -> None:
        super().__init__()
        self.me = me
        self.page = page
        self.in_order = in_order


class LastKnownLoaded(ValueMessage[Page]):
    """The last known list, stored on this machine."""


class AccountLoaded(ValueMessage[Me]):
    """The account alone."""


class LoadFailed(ValueMessage[ClientError]):
    """The server did not answer."""


class ListFailed(LoadFailed):
    """The list could not be fetched; `in_order` as it was asked for."""

    def __init__(self, error: ClientError, *, in_order: bool) -> None:
        super().__init__(error)
        self.in_order = in_order


class ApprovalFetched(ValueMessage[Approval]):
    """The server's copy of one approval."""


class ApprovalUnverified(ValueMessage[Unverified]):
    """The server's copy of one approval failed verification."""


class EventReceived(ValueMessage[Event]):
    """An event of the feed."""


class ConnectionChanged(ValueMessage[Connection]):
    """The feed's connection changed."""


class FeedResynced(Message):
    """The feed lost its position: everything must be fetched again."""


class AnswerAccepted(ValueMessage[Approval]):
    """The server has recorded an answer; `approval` is its copy."""


class NotificationPrefsLoaded(ValueMessage[NotificationPrefs]):
    """The current notification settings."""


class AnswerRefused(Message):
    """An answer was not recorded."""

    def __init__(self, approval_id: str, error: ClientError) -> None:
        super().__init__()
        self.approval_id = approval_id
        self.error = error


class LogChecked(ValueMessage[SafeText]):
    """Why the audit log of the server is not trusted; empty if it is."""


class FeedProblem(ValueMessage[SafeText]):
    """The feed skipped an event that it could not decode."""
