"""Denials in their seconds are on disk: a crash loses none of them in silence."""

import os
import stat
import subprocess
import sys

from approver_tui.client import files
from approver_tui.client.approvals.unsent_denials import UnsentDenials
from approver_tui.client.sign_in.profile import Home
from tests.support.fakes.fake_approvals import an_approval
from tests.support.fakes.fake_requests import DEPLOY

PAY, WEB = an_approval("pay"), an_approval("web", DEPLOY)


def _of_a_dead_program(home):
    """As a program left it that was killed."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    text = home.intents_file.read_text().replace(f": {os.getpid()}", f": {child.pid}")
    home.intents_file.write_text(text)


def test_what_was_about_to_be_denied_is_told_once_its_program_is_gone(tmp_path):
    """And not to another program beside it that runs."""
    home = Home.at(tmp_path)
    UnsentDenials(home).keep([PAY, WEB])
    assert stat.S_IMODE(home.intents_file.stat().st_mode) == 0o600
    assert UnsentDenials(home).unsent()[0].headline == PAY.headline
    _of_a_dead_program(home)
    assert [each.approval_id for each in UnsentDenials(home).unsent()] == [PAY.id, WEB.id]


def test_what_was_sent_or_taken_back_is_told_no_more(tmp_path):
    """The file goes with its last row."""
    unsent_denials = UnsentDenials(Home.at(tmp_path))
    unsent_denials.keep([PAY, WEB])
    unsent_denials.drop({PAY.id})
    assert [each.approval_id for each in unsent_denials.unsent()] == [WEB.id]
    unsent_denials.drop({WEB.id})
    assert not Home.at(tmp_path).intents_file.exists()


def test_a_broken_file_says_nothing_and_is_replaced(tmp_path):
    """Nobody is kept from denying by it."""
    home = Home.at(tmp_path)
    files.write_private(home.intents_file, b'{"denials": 7}')
    assert UnsentDenials(home).unsent() == ()
    UnsentDenials(home).keep([PAY])
    assert len(UnsentDenials(home).unsent()) == 1
