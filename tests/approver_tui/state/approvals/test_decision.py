"""Every deny code has a label."""

from approver_tui.state.approvals.decision import DenyCode
from server.protocol.approvals.decisions import DENY_CODES


def test_every_code_has_its_own_label():
    """Users could not distinguish two reasons with the same label."""
    labels = {code.label for code in DenyCode}
    assert len(labels) == len(DenyCode)
    assert all(labels)


def test_the_codes_are_those_of_the_server_with_the_same_extra_member():
    """A code that only the server or only the app has could not be chosen or not be sent."""
    assert {str(code): code.takes for code in DenyCode} == {
        name: row.takes for name, row in DENY_CODES.items()
    }
