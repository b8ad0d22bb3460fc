"""`python -m sayso.ask`, which `sayso ask` starts: ask a person from a shell, and wait.

Owns: the command line, the exit codes, the lines for people and the document for scripts.
Never: reading the environment (`environment`), or the protocol (`agent`).
"""

import argparse
import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Any, Final, NoReturn, cast

from sayso.agent import AsyncAgent
from sayso.approved import Approved
from sayso.environment import agent_from_env
from sayso.errors import (
    Denied,
    Disabled,
    Expired,
    Refused,
    SaysoError,
    Undeliverable,
    Unreachable,
    Withdrawn,
)
from sayso.open_calls import start_asking
from sayso.request_form import Asked, Options
from sayso.text import one_line, quote, safe_json


class Exit(IntEnum):
    """The exit codes of `sayso ask`. `sayso-approver` uses the same codes."""

    APPROVED = 0
    """Approved as requested."""
    USAGE = 2
    """The command line, the details or a variable is invalid. Nobody was asked."""
    NOT_ASKED = 7
    """The server refused the request, and nobody was asked, or it did not answer."""
    DENIED = 11
    """A person denied it."""
    EXPIRED = 12
    """Nobody answered in time, or the request reached no device. This is not a denial."""
    WITHDRAWN = 13
    """The request was withdrawn or replaced."""
    NARROWED = 14
    """Approved with limits: less was granted than was asked. With `--accept-narrowed` this is 0."""
    LOCKED = 15
    """The request was locked after too many wrong entries, or the agent is disabled."""
    INTERRUPTED = 130
    """Interrupted. The request was withdrawn, unless it has an idempotency key."""


_RISKS: Final = ("low", "medium", "high", "critical")
_EXIT_BY_ERROR: Final = {
    Denied: Exit.DENIED,
    Expired: Exit.EXPIRED,
    Undeliverable: Exit.EXPIRED,
    Withdrawn: Exit.WITHDRAWN,
    Disabled: Exit.LOCKED,
    Refused: Exit.NOT_ASKED,
    Unreachable: Exit.NOT_ASKED,
}
_MEMBERS: Final = ("code", "note", "retry", "retry_at", "ask", "error", "reason")
"""The members of an error that are copied to the JSON document."""
_WITHDRAW_SECONDS: Final = 5.0


@dataclass(slots=True)
class _Ending:
    """How the command ends: its exit code, the line for people, and members for scripts."""

    exit: Exit
    result: str
    text: str
    members: Mapping[str, Any] = field(default_factory=dict)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command, and exit."""
    parser = _parser()
    cli_args = parser.parse_args(arguments)
    try:
        action, options = _action(cli_args), _options(cli_args)
        agent = agent_from_env()
    except (ValueError, OSError) as error:
        parser.exit(Exit.USAGE, f"sayso ask: {error}\n")
    try:
        ending = asyncio.run(_ask(agent, cli_args, action, options))
    except ValueError as error:
        parser.exit(Exit.USAGE, f"sayso ask: {error}\n")
    except (KeyboardInterrupt, asyncio.CancelledError):
        _write_line("Interrupted.")
        sys.exit(Exit.INTERRUPTED)
    _write_line(ending.text)
    if cli_args.json:
        document = {"result": ending.result, "exit": int(ending.exit), "message": ending.text}
        sys.stdout.write(json.dumps({**document, **ending.members}) + "\n")
    sys.exit(ending.exit)


async def _ask(
    agent: AsyncAgent,
    cli_args: argparse.Namespace,
    action: Mapping[str, Any] | None,
    options: Options,
) -> _Ending:
    request: asyncio.Future[Asked] = asyncio.get_running_loop().create_future()

    def on_asked(asked: Asked) -> None:
        request.set_result(asked)
        number = f", number {one_line(asked.match_code)}" if asked.match_code else ""
        name = f"{one_line(asked.fingerprint)}{number}"
        _write_line(f"Asked {quote(cli_args.user)} ({name}). Waiting for the answer.")

    options["on_asked"] = on_asked
    _cancel_at_sigterm()
    async with agent:
        answer = start_asking(agent.ask(cli_args.user, action, **options))
        try:
            approved = await asyncio.shield(answer)
        except asyncio.CancelledError:
            if not cli_args.idempotency_key:
                await _withdraw(agent, request, answer)
            raise
        except SaysoError as error:
            return _not_approved_ending(error)
    return _approved_ending(approved, accepts_narrowed=cli_args.accept_narrowed)


async def _withdraw(
    agent: AsyncAgent, request: asyncio.Future[Asked], answer: asyncio.Task[Approved]
) -> None:
    """Withdraw the request. If it is being sent, wait for its ID first."""
    try:
        async with asyncio.timeout(_WITHDRAW_SECONDS):
            futures: list[asyncio.Future[Any]] = [request, answer]
            await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
            if request.done():
                await agent.withdraw(request.result())
    except (SaysoError, TimeoutError) as error:
        _write_line(f"The request may stay open until it expires: {str(error) or 'no answer'}")


def _approved_ending(approved: Approved, *, accepts_narrowed: bool) -> _Ending:
    granted = [dict(detail) for detail in approved.granted]
    members = {
        "granted": granted,
        "scope": " ".join(sorted(approved.scope)),
        "approval": approved.receipt.approval if approved.receipt else None,
        "fingerprint": approved.receipt.fingerprint if approved.receipt else None,
    }
    if not approved.narrowed:
        return _Ending(Exit.APPROVED, "approved", "Approved.", members)
    text = f"Approved with limits: only {safe_json(granted)}, {members['scope']}."
    if accepts_narrowed:
        return _Ending(Exit.APPROVED, "narrowed", text, members)
    text += " To accept that, pass --accept-narrowed and act on what was granted."
    return _Ending(Exit.NARROWED, "narrowed", text, members)


def _not_approved_ending(error: SaysoError) -> _Ending:
    code = _EXIT_BY_ERROR[type(error)]
    if getattr(error, "code", "") == "locked":
        code = Exit.LOCKED
    values = {name: getattr(error, name, None) for name in _MEMBERS}
    members = {name: value for name, value in values.items() if value is not None}
    return _Ending(code, type(error).__name__.lower(), f"Not approved. {error}", members)


def _cancel_at_sigterm() -> None:
    """Handle SIGTERM like Ctrl+C, so that the request is withdrawn when a job is canceled."""
    task = asyncio.current_task()
    assert task is not None  # noqa: S101  # this runs in a task
    with contextlib.suppress(NotImplementedError):  # Windows does not support it
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "sayso ask", description="Ask a person, and wait for the answer. Exit 0 means approved."
    )
    add = parser.add_argument
    add("--user", required=True, help="the person: a user name, email address or ID")
    add("--action", default="", help="the action type")
    add(
        "--details",
        default="",
        metavar="JSON",
        help="the details of the action; @FILE reads a file, @- reads stdin",
    )
    add("--scope", default="", help="scopes, separated by spaces")
    add("--resource", default="", help="the API's URI, if the agent can use several")
    add("--message", default="", help="up to 200 characters, shown as the agent's own message")
    add("--risk", choices=_RISKS, help="raise the risk")
    add(
        "--expires-in",
        type=int,
        metavar="SECONDS",
        help="expire the request after this many seconds",
    )
    add("--idempotency-key", default="", help="run again with the same key to resume the request")
    add(
        "--accept-narrowed",
        action="store_true",
        help="also exit with 0 if the approver narrowed the request",
    )
    add("--json", action="store_true", help="print the result as one JSON document")
    return parser


def _action(cli_args: argparse.Namespace) -> Mapping[str, Any] | None:
    """Return the action. Raises ValueError, which names the wrong flag."""
    if not cli_args.action:
        if cli_args.details:
            raise ValueError("--details needs --action, the action type.")
        if not cli_args.scope:
            raise ValueError("Specify what to request: --action with --details, or --scope.")
        return None
    return {"type": cli_args.action, **_details(cli_args.details or "{}")}


def _details(text: str) -> Mapping[str, Any]:
    """Return the facts of the action. Raises ValueError."""
    if text == "@-":
        text = sys.stdin.read().removeprefix("\ufeff")
    elif text.startswith("@"):
        text = Path(text[1:]).read_text("utf-8-sig")
    try:
        details = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"--details is not JSON: {error}") from error
    match details:
        case {"type": _}:
            raise ValueError("Leave type out of --details. --action specifies it.")
        case dict():
            return details
    raise ValueError('--details must be a JSON object, such as {"verb": "restart"}.')


def _options(cli_args: argparse.Namespace) -> Options:
    names = ("scope", "resource", "message", "idempotency_key", "risk", "expires_in")
    values = {name: getattr(cli_args, name) for name in names}
    return cast(
        "Options", {name: value for name, value in values.items() if value not in {"", None}}
    )


def _write_line(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
