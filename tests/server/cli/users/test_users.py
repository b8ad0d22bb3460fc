"""`sayso users`: update, disable and enable."""

import pytest


def test_disabling_a_user_prints_the_revoked_objects_and_how_to_enable(
    admin_cli, services, pending_request
):
    """The output has the command that enables the user again."""
    services.token(pending_request.agent_id, pending_request.user_id)
    admin_cli("users", "add", "ana", "--role", "admin")
    document = admin_cli("users", "disable", "admin", "--json").document
    assert (document["tokens_revoked"], document["requests_cancelled"]) == (1, 1)
    assert "sayso users enable admin" in admin_cli("users", "disable", "admin").out
    assert admin_cli("users", "enable", "admin", "--json").document["state"] == "enabled"


@pytest.mark.parametrize("change", [("disable",), ("update", "--no-role")])
def test_the_last_administrator_is_changed_only_with_force(admin_cli, change):
    """The error names the command that adds an administrator, and the flag."""
    verb, *flags = change
    refused = admin_cli("users", verb, "admin", *flags)
    assert refused.code == 6
    assert "admin is the last enabled administrator." in refused.err
    assert "sayso users update USER --role admin" in refused.err
    assert "--force" in refused.err
    assert admin_cli("users", verb, "admin", *flags, "--force").code == 0


def test_update_changes_a_user(admin_cli):
    """An update keeps members that it does not name; setting and clearing together is refused."""
    admin_cli("users", "add", "ana", "--email", "ana@example.com")
    document = admin_cli("users", "update", "ana", "--role", "auditor", "--json").document
    assert (document["email"], document["roles"]) == ("ana@example.com", ["auditor"])
    document = admin_cli("users", "update", "ana", "--no-email", "--no-role", "--json").document
    assert (document["email"], document["roles"]) == (None, [])
    assert admin_cli("users", "update", "ana", "--email", "a@b", "--no-email").code == 2
    assert "ana" in admin_cli("users", "update", "ana").out
