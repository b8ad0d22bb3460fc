"""Every deny code has a label."""

from approver_tui.state.approvals.decision import DenyCode


def test_every_code_has_its_own_label():
    """Two reasons with one label could not be told apart."""
    labels = {code.label for code in DenyCode}
    assert len(labels) == len(DenyCode)
    assert all(labels)
