"""Two programs with one login answer at the same time, each with the PIN."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from approver_tui.client import files
from approver_tui.client.approvals.signed_answers import SignedAnswer
from approver_tui.client.devices import unlocking
from approver_tui.client.errors import PinInUse, WrongPin
from approver_tui.state.approvals.approvals import Approval
from server.model.devices import MAX_ATTEMPTS
from tests.support.clients.agent import Agent
from tests.support.clients.pty_app import environment
from tests.support.clients.terminal import PIN, Terminal


def _approve_with_a_program(
    person: Terminal, approval: Approval
) -> subprocess.CompletedProcess[str]:
    command = ("approve", approval.id, "--fingerprint", approval.fingerprint, "--pin-stdin")
    return subprocess.run(
        [sys.executable, "-m", "approver_tui", *command],
        env=environment(person),
        input=f"{PIN}\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_programs_with_one_login_use_the_pin_one_after_another(
    agent: Agent, person: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second program waits. Otherwise its PIN call would invalidate the first one."""
    for number in (1, 2):
        agent.ask_payment(person.user, binding_message=f"INV-{number}")
    first, second = person.waiting()
    answers, programs = person.decider._answers, []
    send = answers.send
    with ThreadPoolExecutor() as pool:

        def send_later(answer: SignedAnswer) -> Approval:
            programs.append(pool.submit(_approve_with_a_program, person, second))
            wait(programs, timeout=3)
            return send(answer)

        monkeypatch.setattr(answers, "send", send_later)
        person.approve(first)
        result = programs[0].result()

    assert result.returncode == 0, result.stderr
    assert person.waiting() == ()
    with pytest.raises(WrongPin) as wrong:
        person.decider.unlock("not-the-pin")
    assert wrong.value.left == MAX_ATTEMPTS - 1


def test_a_program_does_not_wait_forever_for_another(
    agent: Agent, person: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a stopped program holds the PIN, an approval fails with an error that says so."""
    monkeypatch.setattr(unlocking, "_PIN_LOCK_TIMEOUT", 0.1)
    agent.ask_payment(person.user)
    approval = person.only_request()
    with (
        files.file_lock(person.client.home.pin_lock_file),
        pytest.raises(PinInUse, match="Another program is using the PIN of this login"),
    ):
        person.approve(approval)

    assert person.waiting() == (approval,)
    person.approve(approval)
    assert person.waiting() == ()
