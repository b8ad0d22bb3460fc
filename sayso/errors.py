"""Errors for agents. A person or a language model can act on each message.

    SaysoError
     ├─ NotApproved     the request ended without an approval
     │   ├─ Denied       a person denied it
     │   ├─ Expired      nobody answered in time
     │   ├─ Undeliverable  it reached nobody
     │   ├─ Withdrawn    it was withdrawn, replaced or locked
     │   └─ Disabled     the agent is disabled
     ├─ Refused         the server refused the call; nobody was asked
     └─ Unreachable     the server did not answer

Text from people is shown on one line, quoted, without control characters, and cut if long.
"""

import copyreg
from collections.abc import Mapping
from typing import Any, Final

from sayso.text import one_line, quote

_AFTER_DENIAL: Final = {
    "later": "You may ask again later.",
    "with_changes": "Correct the details, then ask again.",
    "narrower": "Request less: a smaller amount, fewer scopes or a narrower target.",
    "not_before": "Do not ask again before {retry_at}.",
    "redirected": "Ask {login_hint} instead.",
    "never": "Do not ask again.",
}
_NO_WORKAROUND: Final = "Do not try to reach the same result in another way."
_WITHDRAWN: Final = {
    "cancelled": "The request was withdrawn. Ask again only if the task still needs it.",
    "superseded": "The request was replaced by a newer one from this agent. Wait for that one.",
    "locked": "The request was locked after too many wrong entries. Ask again.",
}
_REMEDIES: Final = {
    "invalid_client": "Check the client ID, and that the agent is registered for the method used: "
    "client_secret_basic for a secret, private_key_jwt for a key. With a key, also check that the "
    "clock of this machine is correct.",
    "unknown_user_id": "Check the user's name, email address or ID, and that the agent may ask "
    "this user.",
    "missing_user_code": "Ask the user for their code and pass user_code=.",
    "invalid_grant": "The result of this request was already fetched. Ask again with a new "
    "idempotency_key.",
    "invalid_dpop_proof": "Check that the clock of this machine is correct.",
}


class Portable(Exception):
    """An error that can be pickled, so that it reaches the caller from another process."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy the members: the arguments of `__init__` are not stored."""
        new = copyreg.__newobj__  # type: ignore[attr-defined]  # typeshed lacks it
        return new, (type(self), *self.args), self.__dict__


class SaysoError(Portable):
    """The base class of all errors from Sayso or the connection to it."""


class Unreachable(SaysoError):
    """The server did not answer, or it is overloaded or failing (status 5xx).

    Call again with the same `idempotency_key`: nothing is lost. `seconds` is how long the call
    waited.
    """

    def __init__(self, text: str, seconds: float = 0.0) -> None:
        super().__init__(text)
        self.seconds = seconds


class Refused(SaysoError):
    """The server refused the call; nobody was asked.

    `error` is the server's code (docs/reference/errors.md). `reason` says more for `access_denied`.
    `retry_at` is when the agent can ask again, if the server says so.
    """

    def __init__(self, error: str, description: str, members: Mapping[str, object]) -> None:
        self.error = error
        self.reason = _text(members, "reason")
        self.retry_at = _text(members, "retry_at")
        parts = [one_line(description) or "The server refused the request.", f"({one_line(error)})"]
        if error in _REMEDIES:
            parts.append(_REMEDIES[error])
        if self.retry_at:
            parts.append(f"Do not ask again before {one_line(self.retry_at)}.")
        super().__init__(" ".join(parts))


class NotApproved(SaysoError):
    """The request ended without an approval. `code` is the reason. The action must not run."""

    def __init__(self, code: str, text: str) -> None:
        self.code = code
        super().__init__(text)


class Denied(NotApproved):
    """A person denied the request.

    `code` is the reason they chose, such as `too_broad`, and `note` is what they wrote. `retry` is
    what is allowed now: `later`, `with_changes`, `narrower`, `not_before`, `redirected`, `never`;
    or None if the request must not be repeated unchanged. `retry_at` is an RFC 3339 time.
    `ask` is the user to ask instead.
    """

    def __init__(self, members: Mapping[str, object]) -> None:
        self.note = _text(members, "note")
        self.retry = _text(members, "retry")
        self.retry_at = _text(members, "retry_at")
        self.ask = _text(members, "login_hint")
        code = _text(members, "deny_code") or "denied"
        advice = _AFTER_DENIAL.get(self.retry or "", "Do not repeat the request unchanged.")
        parts = [f"A person denied the request ({one_line(code)})."]
        if self.note:
            parts.append(f"They wrote: {quote(self.note)}.")
        retry_time, other_user = self.retry_at or "the time they named", self.ask or "another user"
        parts += [
            advice.format(retry_at=one_line(retry_time), login_hint=one_line(other_user)),
            _NO_WORKAROUND,
        ]
        super().__init__(code, " ".join(parts))


class Expired(NotApproved):
    """Nobody answered in time. This is not a denial.

    `seen` is whether someone opened the request. `retry` is whether the person wants the agent to
    ask again.
    """

    def __init__(self, members: Mapping[str, object]) -> None:
        code = _text(members, "reason") or "expired_unseen"
        self.seen = code == "expired_seen"
        self.retry = members.get("retry") == "wanted"
        opened = "It was opened, but not answered." if self.seen else "Nobody opened it."
        advice = (
            "The person wants you to ask again, with a new idempotency_key."
            if self.retry
            else "Tell the user, and ask again only when they are available."
        )
        text = f"The request expired; that is not a denial. {opened} {advice}"
        super().__init__(code, text)


class Undeliverable(NotApproved):
    """The request reached nobody: the person has no device, or none could be reached."""

    def __init__(self, members: Mapping[str, object]) -> None:
        code = _text(members, "reason") or "undeliverable"
        why = (
            "The person has no device to approve with; they must enroll one first."
            if code == "no_device"
            else "None of the person's devices could be reached."
        )
        text = f"The request reached nobody; that is not a denial. {why} Tell the user."
        super().__init__(code, text)


class Withdrawn(NotApproved):
    """The request was withdrawn (`cancelled`), replaced (`superseded`) or `locked`."""

    def __init__(self, members: Mapping[str, object]) -> None:
        code = _text(members, "reason") or "cancelled"
        super().__init__(code, _WITHDRAWN.get(code, _WITHDRAWN["cancelled"]))


class Disabled(NotApproved):
    """The agent is disabled (`agent_disabled`) or quarantined (`agent_quarantined`)."""

    def __init__(self, members: Mapping[str, object]) -> None:
        code = _text(members, "reason") or "agent_disabled"
        state = "quarantined" if code == "agent_quarantined" else "disabled"
        text = f"This agent is {state}. Stop. Only an administrator can enable it again."
        super().__init__(code, text)


def from_answer(status: int, body: Mapping[str, object]) -> SaysoError:
    """Return the error for an OAuth error response."""
    error, reason = _text(body, "error") or "", _text(body, "reason") or ""
    if status >= 500:  # noqa: PLR2004  # a failure of the server, not an answer
        description = one_line(_text(body, "error_description") or "It cannot answer now.")
        return Unreachable(
            f"The server responded with status {status}. {description} Call again with the same "
            "idempotency_key."
        )
    if error == "unauthorized_client" and reason.startswith("agent_"):
        return Disabled(body)
    if status != 403 and error == "access_denied":  # noqa: PLR2004  # 403 is before anyone is asked
        return Denied(body) if reason in {"denied", ""} else Withdrawn(body)
    if error == "expired_token":
        return Undeliverable(body) if reason in {"undeliverable", "no_device"} else Expired(body)
    if not error:
        return Refused(
            "unexpected_answer", f"The server answered with status {status} and no error.", body
        )
    return Refused(error, _text(body, "error_description") or "", body)


def _text(members: Mapping[str, object], name: str) -> str | None:
    value = members.get(name)
    return value if isinstance(value, str) and value else None
