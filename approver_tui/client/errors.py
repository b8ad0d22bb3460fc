"""Errors between this program and the server.

    ApiError                the server refused: code, status, detail, members
     ├─ AlreadyDecided      someone was faster, or it expired; has the approval
     ├─ DeviceLocked        too many wrong PINs
     ├─ RequestLocked       too many wrong entries for this request
     ├─ WrongEntry          a typed entry was wrong
     └─ LoginFirst          no session, or one that the server has ended
    Unreachable             no connection or no response; nothing is known to have changed
    UnknownOutcome          an answer was sent without a confirmation; check its outcome
    NotRecorded             an answer was sent, and the server does not have it
    WrongPin                the sealed key did not open
    PinInUse                another program is using this login's PIN
    PinNeeded               this answer needs the PIN
    EntryNeeded             this answer needs another entry: a fact, a number, a reason
    Changed                 what the user saw is not what would be signed
    BadPin                  a PIN that is too short
    BadName                 an invalid device name
    BadSetting              an invalid setting
    StorageFailed           a secret could not be read or stored
    BrokenProfile           the files of this installation cannot be read
    AlreadyLoggedIn         a login would replace another one
    SignInCanceled          the user canceled a sign-in that waited for another device
    BadServer               the URL is not that of a Sayso server
    WireError               the server sent an invalid document

Never: wording for screens; callers choose their own.
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from approver_tui.state.answer_status import AnswerStatus, answer_message, status_for_http
from approver_tui.state.approvals.ceremony import Step
from approver_tui.state.approvals.decision import Answer
from approver_tui.state.text import display_safe

if TYPE_CHECKING:
    from approver_tui.state.approvals.approvals import Approval

_NO_MEMBERS: Mapping[str, object] = {}
_MEMBER = re.compile(r"^/([a-z_]+)(?=[: ])")
"""A JSON pointer at the beginning of a detail, such as `/retry_at: …`."""


class ClientError(Exception):
    """The base class of every error that this package raises."""


class ApiError(ClientError):
    """The server refused. `code` is stable, `detail` is a sentence for people, safe to draw."""

    def __init__(
        self, code: str, status: int, detail: str, members: Mapping[str, object] = _NO_MEMBERS
    ) -> None:
        self.code = str(display_safe(code, max_len=60))
        self.status = status
        self.detail = str(display_safe(detail, max_len=500))
        super().__init__(self.detail)
        self.members = members

    def __str__(self) -> str:
        """Return the detail, with a member named in words, not by a JSON pointer."""
        return _MEMBER.sub(lambda match: match[1].replace("_", " "), self.detail)


class AlreadyDecided(ApiError):
    """The approval was already decided (409); `approval` is the server's copy."""

    def __init__(self, code: str, detail: str, approval: "Approval") -> None:
        super().__init__(code, 409, detail)
        self.approval = approval


class FetchFailed(ApiError):
    """The server failed to return what an answer needs. No answer was sent."""


class DeviceLocked(ApiError):
    """No PIN attempts left on this device (423); `code` is device_locked or pin_exhausted."""


class RequestLocked(ApiError):
    """Too many wrong entries: this user can no longer approve this request (423)."""


class WrongEntry(ApiError):
    """A typed entry was wrong; `left` attempts remain before the request is locked."""

    @property
    def left(self) -> int:
        """How many attempts remain."""
        left = self.members.get("left")
        return left if isinstance(left, int) else 0

    @property
    def step(self) -> Step | None:
        """The step of the entry; None if the server does not say."""
        return next((step for step in Step if step == self.members.get("step")), None)


class LoginFirst(ApiError):
    """There is no session, or the server has ended it."""

    def __init__(self, detail: str, code: str = "login_required", status: int = 401) -> None:
        super().__init__(code, status, detail)


class Unreachable(ClientError):
    """The server did not answer. If `was_sent` is true, the request may have taken effect.

    If `is_silent` is true, the server accepted the request but did not answer; do not
    retry immediately.
    """

    def __init__(self, detail: str, *, was_sent: bool = False, is_silent: bool = False) -> None:
        super().__init__(str(display_safe(detail, max_len=500)))
        self.was_sent = was_sent
        self.is_silent = is_silent


class CertificateRefused(Unreachable):
    """The server's certificate is not trusted; nothing was sent."""


class UnknownOutcome(ClientError):
    """An answer was sent, no confirmation arrived, and the server could not be asked since."""

    def __init__(self, approval_id: str, answer: Answer | None = None) -> None:
        super().__init__(str(answer_message(AnswerStatus.UNKNOWN, answer)))
        self.approval_id = approval_id
        self.answer = answer


class NotRecorded(ClientError):
    """An answer was sent, and the server reports that it does not have it and never will."""

    def __init__(self, answer: Answer | None = None) -> None:
        words = answer_message(AnswerStatus.NOT_RECORDED, answer)
        super().__init__(f"{words} The request is still waiting.")


class WrongPin(ClientError):
    """The PIN does not open the sealed key; `left` attempts remain before the device is locked."""

    def __init__(self, tries: int, left: int) -> None:
        super().__init__("Wrong PIN.")
        self.tries = tries
        self.left = left


class PinInUse(ClientError):
    """Another program is using this login's PIN. Nothing was sent."""


class PinNeeded(ClientError):
    """Approving this requires the PIN."""


class EntryNeeded(ClientError):
    """The entry for `step` is missing, or is not required."""

    def __init__(self, step: Step, detail: str) -> None:
        super().__init__(detail)
        self.step = step


class BadPin(ClientError):
    """The PIN is too short. Nothing was sent."""


class BadName(ClientError):
    """A device name that no server accepts."""


class BadSetting(ClientError):
    """A setting that does not exist or cannot have that value; says what is valid."""


class BrokenSettings(BadSetting):
    """The settings file is invalid."""


class StorageFailed(ClientError):
    """A secret could not be read or stored: disk full, keyring locked. A retry may help."""


class BrokenProfile(ClientError):
    """The files of this installation cannot be read; logging in again replaces them."""


class AlreadyLoggedIn(ClientError):
    """There is an active login on this machine, and it is not replaced."""


class SignInCanceled(ClientError):
    """The user canceled signing in. Nothing was stored."""


class BadServer(ClientError):
    """The URL is not that of a server that this program can log in to."""


class BadAddress(BadServer):
    """The URL is malformed. Nothing was sent."""


class Changed(ClientError):
    """The text to sign differs from the one that the user saw. Nothing was sent."""


class NotVerified(ClientError):
    """A receipt is invalid, or the audit log is not the one that this machine saw before."""


class WireError(ClientError):
    """The server sent an invalid document; the message names the member."""

    def __init__(self, member: str, problem: str) -> None:
        super().__init__(f"{member}: {problem}")
        self.member = member
        self.problem = problem


def labeled_detail(error: ClientError, labels: Mapping[str, str]) -> str:
    """Return the detail of a refusal with a label for the member that it names.

    Empty if the refusal names no member with a label.
    """
    detail = error.detail if isinstance(error, ApiError) else ""
    member, _, remedy = detail.partition(": ")
    return f"{labels[member]}: {remedy}" if member in labels else ""


def answer_status(error: ClientError) -> AnswerStatus:
    """Return what an error says about an answer; other errors mean that it was not recorded."""
    match error:
        case Unreachable(was_sent=was_sent):
            return AnswerStatus.IN_DOUBT if was_sent else AnswerStatus.NOT_SENT
        case UnknownOutcome() | WireError():
            return AnswerStatus.IN_DOUBT
        case ApiError(status=status) if not isinstance(error, FetchFailed):
            return status_for_http(status)
    return AnswerStatus.NOT_RECORDED
