"""The status of an answer that was sent, and the message for it.

Owns: one message for each state. Never: guessing; an answer that may still arrive is IN_DOUBT.
"""

from collections.abc import Mapping
from enum import StrEnum

from approver_tui.state.approvals.decision import Answer
from approver_tui.state.text import SafeText, display_safe

_CLIENT_ERROR = 400
_REQUEST_TIMEOUT = 408
_SERVER_ERROR = 500


class AnswerStatus(StrEnum):
    """The status of a sent answer."""

    NOT_SENT = "not_sent"
    """Nothing of it left this machine."""
    IN_DOUBT = "in_doubt"
    """It was sent, nothing definite came back, and it may still arrive. The server is asked."""
    UNKNOWN = "unknown"
    """Like IN_DOUBT, but the server is no longer asked."""
    NOT_RECORDED = "not_recorded"
    """The server reported that it did not record it."""
    RECORDED = "recorded"
    """The server reported that it recorded it."""


STATUS_TEXTS: Mapping[AnswerStatus, str] = {
    AnswerStatus.NOT_SENT: "Not sent: the server cannot be reached.",
    AnswerStatus.IN_DOUBT: "Checking whether your {} was recorded\N{HORIZONTAL ELLIPSIS}",
    AnswerStatus.UNKNOWN: "It is unknown whether your {} was recorded.",
    AnswerStatus.NOT_RECORDED: "Your {} was not recorded.",
    AnswerStatus.RECORDED: "Your {} was recorded.",
}
"""The message for each state; `{}` is the name of the answer."""

_NAMES: Mapping[Answer | None, str] = {
    Answer.APPROVE: "approval",
    Answer.DENY: "denial",
    Answer.WITHDRAW: "withdrawal",
    None: "answer",
}


def answer_message(status: AnswerStatus, answer: Answer | None = None) -> SafeText:
    """Return the message about an answer; pass None if its kind is unknown."""
    return display_safe(STATUS_TEXTS[status].format(_NAMES[answer]))


def status_for_http(status: int) -> AnswerStatus:
    """Return what an HTTP status says about the answer that was sent.

    A proxy may respond with 408 or 5xx even if the server received the request, and a server may
    fail after it has stored the answer.
    """
    if status >= _SERVER_ERROR or status == _REQUEST_TIMEOUT:
        return AnswerStatus.IN_DOUBT
    return AnswerStatus.RECORDED if status < _CLIENT_ERROR else AnswerStatus.NOT_RECORDED
