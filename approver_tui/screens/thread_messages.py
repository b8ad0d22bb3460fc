"""Messages that threads post to the screen that started them.

Owns: one message type for each outcome. Never: carrying text that was not made safe.
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
    """A message that carries a value; each kind of result has its own subclass."""

    def __init__(self, value: _Value) -> None:
        super().__init__()
        self.value = value


class OtherLoginsCounted(ValueMessage[Mapping[str, int | None]]):
    """The numbers of waiting requests at the other servers."""


class Loaded(Message):
    """The account and all waiting requests were loaded; `in_order` is that of the call."""

    def __init__(self, me: Me, page: Page, *, in_order: bool) -> None:
        super().__init__()
        self.me = me
        self.page = page
        self.in_order = in_order


class LastKnownLoaded(ValueMessage[Page]):
    """The last known list was loaded from this machine."""


class AccountLoaded(ValueMessage[Me]):
    """The account was loaded, without the list."""


class LoadFailed(ValueMessage[ClientError]):
    """A call to the server failed."""


class ListFailed(LoadFailed):
    """The list could not be loaded; `in_order` is that of the call."""

    def __init__(self, error: ClientError, *, in_order: bool) -> None:
        super().__init__(error)
        self.in_order = in_order


class ApprovalFetched(ValueMessage[Approval]):
    """The server's copy of an approval was fetched."""


class ApprovalUnverified(ValueMessage[Unverified]):
    """The server's copy of an approval failed verification."""


class EventReceived(ValueMessage[Event]):
    """The feed received an event."""


class ConnectionChanged(ValueMessage[Connection]):
    """The state of the feed's connection changed."""


class FeedResynced(Message):
    """The feed lost its position, so the list must be loaded again."""


class AnswerAccepted(ValueMessage[Approval]):
    """The server recorded an answer; `value` is its copy of the approval."""


class NotificationPrefsLoaded(ValueMessage[NotificationPrefs]):
    """The current notification settings were loaded."""


class AnswerRefused(Message):
    """An answer was not recorded, or its outcome is unknown."""

    def __init__(self, approval_id: str, error: ClientError) -> None:
        super().__init__()
        self.approval_id = approval_id
        self.error = error


class LogChecked(ValueMessage[SafeText]):
    """The audit log was checked; `value` says why it is not trusted, or is empty if it is."""


class FeedProblem(ValueMessage[SafeText]):
    """The feed had a problem, such as an event that it could not decode."""
