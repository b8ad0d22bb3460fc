"""Sends an answer, and checks its outcome if no confirmation arrived.

Owns: how long and how often it checks. Never: guessing; an unknown outcome is reported as unknown.
"""

import threading
import time
from collections.abc import Callable

import click

from approver_tui.cli.printing import wants_json
from approver_tui.client.approvals.decisions import DecisionClient
from approver_tui.client.errors import LoginFirst, UnknownOutcome
from approver_tui.state.answer_status import AnswerStatus, answer_message
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.text import SafeText

CHECK_SECONDS = 60.0
"""How long, in seconds, a command checks before it reports an unknown outcome."""
_CHECK_INTERVAL = 2.0


def send_and_confirm(
    decider: DecisionClient,
    send: Callable[[], Approval],
    report: Callable[[SafeText], object],
    *,
    timeout: float = CHECK_SECONDS,
) -> Approval:
    """Send an answer and return its outcome.

    Raises as `DecisionClient.approve` does. Raises UnknownOutcome after `timeout` seconds, and
    LoginFirst if the session has ended.
    """
    try:
        return send()
    except UnknownOutcome as error:
        report(answer_message(AnswerStatus.IN_DOUBT, error.answer))
        return _poll_until_known(decider, error, time.monotonic() + timeout)


def report_progress(text: SafeText) -> None:
    """Show that the outcome is being checked; a script gets one object at the end."""
    if not wants_json():
        click.echo(text, err=True)


def _poll_until_known(decider: DecisionClient, error: UnknownOutcome, deadline: float) -> Approval:
    """Check until the server confirms or rejects the answer, or time is up."""
    while time.monotonic() < deadline:
        if isinstance(error.__cause__, LoginFirst):
            raise error.__cause__
        try:
            return decider.check_outcome(error.approval_id)
        except UnknownOutcome as newer_error:
            error = newer_error
            threading.Event().wait(_CHECK_INTERVAL)
    raise error
