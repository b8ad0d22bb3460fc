"""`sayso resources`: show, update, delete and rotate a secret."""

AGENT = ("agents", "add", "invoice-bot", "--owner", "admin")
CEILING = ("--resource", "https://pay.example", "--scope", "payments:read")


def test_a_resource_is_shown_changed_and_deleted(admin_cli):
    """Deleting a resource names the agents that lose it."""
    admin_cli(*AGENT, *CEILING)
    uri = "https://pay.example"
    flags = ("--scope", "new", "--remove-scope", "payments:transfer")
    document = admin_cli("resources", "update", uri, *flags, "--json").document
    assert document["scopes"] == {"payments:read": "low", "new": "medium"}
    assert "new=medium" in admin_cli("resources", "show", uri).out
    assert admin_cli("resources", "delete", uri, "--json").document == {
        "uri": uri,
        "deleted": True,
        "tokens_revoked": 0,
        "requests_cancelled": 0,
        "agents_narrowed": ["invoice-bot"],
        "apps_narrowed": [],
    }


def test_a_resource_secret_is_rotated(admin_cli):
    """Each secret is printed once, and the old one works during the overlap."""
    uri = "https://mail.example"
    first = admin_cli("resources", "add", uri, "--json").document
    assert first["client_id"].startswith("sayso_rs_")
    assert first["client_secret"].startswith("sayso_rk_")
    existing = admin_cli("resources", "add", uri, "--if-missing", "--json").document
    assert existing["client_id"] == first["client_id"]
    assert "client_secret" not in existing
    second = admin_cli("resources", "rotate-secret", uri, "--overlap", "1h", "--json").document
    assert second["client_secret"] != first["client_secret"]
    assert [secret["hint"] for secret in second["secrets"]] == [
        first["client_secret"][-4:],
        second["client_secret"][-4:],
    ]
    plain = admin_cli("resources", "rotate-secret", uri, "--overlap", "0").out
    assert "SECRET=sayso_rk_" in plain
    assert "/introspect" in plain
    assert first["client_id"] in admin_cli("resources", "show", uri).out
