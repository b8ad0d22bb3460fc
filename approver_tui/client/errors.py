"""Everything that can go wrong between this program and the server.

    ApiError                the server said no: code, status, detail, members
     ├─ AlreadyDecided      somebody was faster, or it expired; carries the approval
     ├─ DeviceLocked        too many PIN tries
     ├─ RequestLocked       too much was typed wrongly for this request
     ├─ WrongEntry          what was typed for this request is not it
     └─ LoginFirst          no session, or one the server no longer takes
    Unreachable             nothing was sent, or nothing came back; nothing changed as far as known
    UnknownOutcome          an answer was sent and its receipt lost; ask again before believing
    NotRecorded             an answer was sent, and the server said that it does not have it
    WrongPin                the sealed key did not open
    PinNeeded               this answer needs the PIN
    EntryNeeded             this answer needs something typed: a fact, a number, a reason
    Changed                 what the person saw is not what would be signed
    BadPin                  a PIN that cannot be chosen
    BadName                 a device name that cannot be chosen
    BadSetting              a setting that cannot be what it is said to be
    NotKept                 a secret could not be read from or kept in its place
    BrokenProfile           the files of this installation cannot be read
    AlreadyLoggedIn         a login would throw another away
    GivenUp                 the person stopped a sign-in that waited for another device
    BadServer               the URL leads to something that cannot be logged in to
    WireError               the server sent something that this program does not accept

Never: wording for screens; callers choose their own.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from approver_tui.state.answer_status import AnswerStatus, answer_message, status_for_http
from approver_tui.state.approvals.ceremony import Step
from approver_tui.state.approvals.decision import Answer
from approver_tui.state.text import display_safe

if TYPE_CHECKING:
    from approver_tui.state.approvals.approvals import Approval

_NOTHING: Mapping[str, object] = MappingProxyType({})


class ClientError(Exception):
    """The root: every error that a caller of this package may meet."""


class ApiError(ClientError):
    """The server refused. `code` is stable, `detail` is its sentence for people, safe to draw."""

    def __init__(
        self, code: str, status: int, detail: str, members: Mapping[str, object] = _NOTHING
    ) -> None:
        self.code = str(display_safe(code, max_len=60))
        self.status = status
        self.detail = str(display_safe(detail, max_len=500))
        super().__init__(self.detail)
        self.members = members


class AlreadyDecided(ApiError):
    """The approval has an outcome already (409); `approval` is the server's copy of it."""

    def __init__(self, code: str, detail: str, approval: "Approval") -> None:
        super().__init__(code, 409, detail)
        self.approval = approval


class DeviceLocked(ApiError):
    """No more PIN tries on this device (423); `code` is device_locked or pin_exhausted."""


class RequestLocked(ApiError):
    """Too much was typed wrongly: this person cannot say yes to this request (423)."""


class WrongEntry(ApiError):
    """What was typed for this request is not it; `left` tries remain before it is locked."""

    @property
    def left(self) -> int:
        """How many tries remain."""
        left = self.members.get("left")
        return left if isinstance(left, int) else 0

    @property
    def step(self) -> Step | None:
        """For which step it was typed; None where the server does not say."""
        return next((step for step in Step if step == self.members.get("step")), None)


class LoginFirst(ApiError):
    """There is no session, or the server has ended it."""

    def __init__(self, detail: str, code: str = "login_required", status: int = 401) -> None:
        super().__init__(code, status, detail)


class Unreachable(ClientError):
    """The server did not answer. With `was_sent` the request may have had its effect.

    With `is_silent` it took the request and is not worth asking again at once.
    """

    def __init__(self, detail: str, *, was_sent: bool = False, is_silent: bool = False) -> None:
        super().__init__(str(display_safe(detail, max_len=500)))
        self.was_sent = was_sent
        self.is_silent = is_silent


class CertificateRefused(Unreachable):
    """Somebody answers whom this machine has no reason to believe; nothing was sent."""


class UnknownOutcome(ClientError):
    """An answer was sent, its receipt was lost, and the server could not be asked since."""

    def __init__(self, approval_id: str, answer: Answer | None = None) -> None:
        super().__init__(str(answer_message(AnswerStatus.UNKNOWN, answer)))
        self.approval_id = approval_id
        self.answer = answer


class NotRecorded(ClientError):
    """An answer was sent, and the server reports that it does not have it and never will."""

    def __init__(self, answer: Answer | None = None) -> None:
        words = answer_message(AnswerStatus.NOT_RECORDED, answer)
        super().__init__(f"{words} The request still waits.")


class WrongPin(ClientError):
    """The PIN does not open the sealed key; `left` tries remain before the device locks."""

    def __init__(self, tries: int, left: int) -> None:
        super().__init__("That is not the PIN.")
        self.tries = tries
        self.left = left


class PinNeeded(ClientError):
    """A yes to this approval takes the PIN."""


class EntryNeeded(ClientError):
    """A yes to this approval takes something that was not typed, or none that was; `step`."""

    def __init__(self, step: Step, detail: str) -> None:
        super().__init__(detail)
        self.step = step


class BadPin(ClientError):
    """A PIN that cannot be chosen: too short."""


class BadName(ClientError):
    """A name for a device that no server takes."""


class BadSetting(ClientError):
    """A setting that does not exist or cannot have that value; says what it may be."""


class BrokenSettings(BadSetting):
    """The file of settings cannot be used as it is."""


class NotKept(ClientError):
    """The session could not be read or kept: disk full, keyring locked. Trying again may do."""


class BrokenProfile(ClientError):
    """The files of this installation cannot be read; logging in again replaces them."""


class AlreadyLoggedIn(ClientError):
    """There is a living login on this machine, and it is not replaced."""


class GivenUp(ClientError):
    """The person no longer waits to be let in. Nothing was kept."""


class BadServer(ClientError):
    """The URL is not one of a server that this program may log in to."""


class BadAddress(BadServer):
    """The URL is not written as one that this program may log in to. Nobody was asked."""


class Changed(ClientError):
    """What the person saw is not what would be signed. Nothing was sent."""


class DoesNotHold(ClientError):
    """A receipt of which a part is wrong, or for which nobody vouches."""


class WireError(ClientError):
    """An answer of the server that this program does not accept; names the member."""

    def __init__(self, member: str, problem: str) -> None:
        super().__init__(f"{member}: {problem}")
        self.member = member
        self.problem = problem


def answer_status(error: ClientError) -> AnswerStatus:
    """Return what an error tells about what was sent; what is neither of these sent nothing."""
    match error:
        case Unreachable(was_sent=was_sent):
            return AnswerStatus.IN_DOUBT if was_sent else AnswerStatus.NOT_SENT
        case UnknownOutcome() | WireError():
            return AnswerStatus.IN_DOUBT
        case ApiError(status=status):
            return status_for_http(status)
    return AnswerStatus.NOT_RECORDED
