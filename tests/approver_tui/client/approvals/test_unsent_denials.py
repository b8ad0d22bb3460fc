"""Denials that still wait are stored, so that none is silently lost in a crash."""

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


def _mark_process_as_ended(home):
    """Replace the process ID in the file with that of a process that has ended."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    text = home.unsent_denials_file.read_text().replace(f": {os.getpid()}", f": {child.pid}")
    home.unsent_denials_file.write_text(text)


def test_unsent_denials_are_reported_after_their_process_ended(tmp_path):
    """After the process that stored them has ended, all of its denials are reported."""
    home = Home.in_folder(tmp_path)
    UnsentDenials(home).add([PAY, WEB])
    assert stat.S_IMODE(home.unsent_denials_file.stat().st_mode) == 0o600
    assert UnsentDenials(home).load()[0].headline == PAY.headline
    _mark_process_as_ended(home)
    assert [denial.approval_id for denial in UnsentDenials(home).load()] == [
        PAY.id,
        WEB.id,
    ]


def test_sent_and_canceled_denials_are_not_reported(tmp_path):
    """The file is deleted when its last denial is removed."""
    unsent_denials = UnsentDenials(Home.in_folder(tmp_path))
    unsent_denials.add([PAY, WEB])
    unsent_denials.remove({PAY.id})
    assert [denial.approval_id for denial in unsent_denials.load()] == [WEB.id]
    unsent_denials.remove({WEB.id})
    assert not Home.in_folder(tmp_path).unsent_denials_file.exists()


def test_a_broken_file_is_ignored_and_replaced(tmp_path):
    """A broken file does not prevent new denials from being stored."""
    home = Home.in_folder(tmp_path)
    files.write_private(home.unsent_denials_file, b'{"denials": 7}')
    assert UnsentDenials(home).load() == ()
    UnsentDenials(home).add([PAY])
    assert len(UnsentDenials(home).load()) == 1
