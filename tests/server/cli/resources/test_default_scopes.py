"""The default scopes of a resource on the command line."""

URI = "https://mail.example"


def test_a_resource_gets_keeps_and_loses_its_default_scopes(admin_cli):
    """An update keeps what it does not name; setting and clearing together is an error."""
    scopes = ("--scope", "mail:read=low", "--scope", "mail:send")
    added = admin_cli("resources", "add", URI, *scopes, "--default-scope", "mail:read", "--json")
    assert added.document["default_scopes"] == ["mail:read"]
    assert "mail:read" in admin_cli("resources", "show", URI).out
    update = ("resources", "update", f"{URI}/")
    unrelated_update = admin_cli(*update, "--scope", "mail:new", "--json").document
    assert unrelated_update["default_scopes"] == ["mail:read"]
    changed = admin_cli(*update, "--default-scope", "mail:send", "--json").document
    assert changed["default_scopes"] == ["mail:send"]
    result = admin_cli(*update, "--default-scope", "mail:read", "--no-default-scope")
    assert result.code == 2
    assert admin_cli(*update, "--no-default-scope", "--json").document["default_scopes"] == []
