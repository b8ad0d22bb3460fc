"""`sayso agents invite`, `invitations` and `uninvite`."""

CEILING = ("--resource", "https://pay.example", "--scope", "payments:read")


def test_agent_invitations_are_created_and_revoked(admin_cli):
    """The token is printed once, with a command that uses it."""
    admin_cli("users", "add", "ana")
    flags = ("--owner", "ana", *CEILING, "--uses", "3", "--expires", "1d", "--grant", "ciba")
    document = admin_cli("agents", "invite", *flags, "--json").document
    assert document["initial_access_token"].startswith("sayso_it_")
    assert (document["owner"], document["uses_left"], document["asks"]) == ("ana", 3, ["ana"])
    output = admin_cli("agents", "invite", "--owner", "ana", "--asks-everybody").out
    assert "TOKEN=sayso_it_" in output
    assert "/register" in output
    items = admin_cli("agents", "invitations", "--json").document["items"]
    assert sorted(item["uses_left"] for item in items) == [1, 3]
    assert "initial_access_token" not in items[0]
    revoked = admin_cli("agents", "uninvite", document["id"], "--json").document
    assert revoked["revoked_at"].endswith("Z")
    assert "revoked" in admin_cli("agents", "invitations").out
    assert "is revoked" in admin_cli("agents", "uninvite", document["id"]).out
    assert admin_cli("agents", "uninvite", "none", "--json").error["code"] == "not_found"
    flags = ("--owner", "ana", "--asks", "ana", "--asks-everybody")
    assert admin_cli("agents", "invite", *flags, "--json").code == 2
