"""`sayso agents`: add, update, disable, delete."""

import json

AGENT = ("agents", "add", "invoice-bot", "--owner", "admin")
CEILING = ("--resource", "https://pay.example", "--scope", "payments:read")
EC = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}


def test_disabling_an_agent_prints_the_revoked_objects(admin_cli, services, pending_request):
    """`--dry-run` prints the same counts without changing anything."""
    services.token(pending_request.agent_id, pending_request.user_id)
    preview = admin_cli("agents", "disable", "invoice-bot", "--dry-run", "--json").document
    assert (preview["state"], preview["requests_cancelled"]) == ("enabled", 1)
    output = admin_cli("agents", "disable", "invoice-bot", "--dry-run").out
    assert "Nothing was changed." in output
    assert "Requests canceled: 1 (0 already approved)." in output
    document = admin_cli("agents", "disable", "invoice-bot", "--json").document
    assert document == {**preview, "state": "disabled"}
    assert (document["tokens_revoked"], document["requests_cancelled"]) == (1, 1)
    assert admin_cli("agents", "enable", "invoice-bot", "--json").document["state"] == "enabled"
    assert admin_cli("agents", "delete", "invoice-bot", "--json").document["state"] == "deleted"
    assert admin_cli("agents", "show", "invoice-bot").code == 3


def test_update_changes_an_agent(admin_cli):
    """A list replaces the old one, and `--no-scope` empties it."""
    admin_cli(*AGENT, *CEILING)
    update = ("agents", "update", "invoice-bot")
    document = admin_cli(*update, "--expires", "90d", "--grant", "ciba", "--json").document
    assert document["expires_at"] is not None
    assert document["grant_types"] == ["urn:openid:params:grant-type:ciba"]
    document = admin_cli(*update, "--never-expires", "--no-scope", "--json").document
    assert (document["expires_at"], document["scopes"]) == (None, [])
    assert document["resources"] == ["https://pay.example"]
    assert admin_cli(*update, "--scope", "payments:read", "--no-scope").code == 2
    assert "may ask" in admin_cli(*update, "--description", "Pays bills").out


def test_an_agent_with_keys_gets_example_calls_with_an_assertion(admin_cli, tmp_path):
    """The agent has no secret; a private key in the file is refused."""
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps({"keys": [EC]}))
    result = admin_cli(*AGENT, *CEILING, "--auth", "private_key_jwt", "--jwks", str(keys))
    assert "SECRET" not in result.out
    assert "client_assertion=$ASSERTION" in result.out
    assert admin_cli("agents", "rotate-secret", "invoice-bot", "--json").error["code"] == "conflict"
    keys.write_text(json.dumps({"keys": [{**EC, "d": "AA"}]}))
    private = admin_cli("agents", "update", "invoice-bot", "--jwks", str(keys), "--json")
    assert (private.code, "is private" in private.error["message"]) == (2, True)
    keys.write_bytes(b"\xff\xfe")
    assert admin_cli("agents", "update", "invoice-bot", "--jwks", str(keys), "--json").code == 2


def test_an_agent_with_client_credentials_gets_one_example_call(admin_cli):
    """The call posts the secret, because the agent uses `client_secret_post`."""
    flags = ("--grant", "client_credentials", "--auth", "client_secret_post")
    out = admin_cli(*AGENT, *CEILING, *flags).out
    assert out.count("  curl ") == 1
    assert '"client_secret=$SECRET"' in out


def test_token_lifetimes_and_served_resources_are_set_and_cleared(admin_cli):
    """One flag sets a member and another clears it; using both is a usage error."""
    support_desk = "https://desk.example"
    resource = admin_cli(
        "resources", "add", support_desk, "--token-seconds", "60", "--json"
    ).document
    assert resource["token_seconds"] == 60
    assert "60 seconds" in admin_cli("resources", "show", support_desk).out
    flags = ("--token-seconds", "60", "--no-token-seconds")
    assert admin_cli("resources", "update", support_desk, *flags).code == 2
    changed = admin_cli(
        "resources", "update", support_desk, "--no-token-seconds", "--json"
    ).document
    assert changed["token_seconds"] is None

    pay = ("https://pay.example", "payments:read")
    admin_cli(*AGENT, *CEILING, "--serves", support_desk, "--token-seconds", "30", "--only", *pay)
    agent = admin_cli("agents", "show", "invoice-bot", "--json").document
    assert (agent["serves"], agent["token_seconds"]) == ([support_desk], 30)
    assert agent["only"] == {"https://pay.example": ["payments:read"]}
    assert "at https://pay.example: payments:read" in admin_cli("agents", "show", "invoice-bot").out
    assert admin_cli("agents", "update", "invoice-bot", "--only", *pay, "--no-only").code == 2
    assert "30 seconds" in admin_cli("agents", "show", "invoice-bot").out
    assert (
        admin_cli("agents", "update", "invoice-bot", "--serves", support_desk, "--no-serves").code
        == 2
    )
    assert admin_cli("agents", "update", "invoice-bot", *flags).code == 2
    cleared = admin_cli(
        "agents",
        "update",
        "invoice-bot",
        "--no-serves",
        "--no-token-seconds",
        "--no-only",
        "--json",
    )
    assert (cleared.document["serves"], cleared.document["token_seconds"]) == ([], None)
    assert cleared.document["only"] == {}


def test_agent_labels_are_set_and_cleared(admin_cli):
    """One flag sets the labels and another clears them; using both is a usage error."""
    labeled = admin_cli(*AGENT, "--label", "team=finance", "--label", "pilot", "--json").document
    assert labeled["labels"] == ["pilot", "team=finance"]
    assert "pilot, team=finance" in admin_cli("agents", "show", "invoice-bot").out
    assert admin_cli("agents", "update", "invoice-bot", "--label", "NO").code == 2
    assert admin_cli("agents", "update", "invoice-bot", "--label", "x", "--no-label").code == 2
    cleared = admin_cli("agents", "update", "invoice-bot", "--no-label", "--json").document
    assert cleared["labels"] == []
