"""`sayso apps`: each verb and its output."""

import json

import pytest

from tests.support.inputs.handmade_jwts import new_key

CHAT = ("apps", "add", "chat", "--redirect-uri", "https://chat.example/cb")
PAY = ("--resource", "https://pay.example", "--scope", "payments:read")


@pytest.fixture
def jwks(tmp_path):
    """A file with a public key."""
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"keys": [new_key("ES256", "a").jwk]}))
    return str(path)


def test_adding_an_app_prints_its_secret_once(admin_cli):
    """A second `add` exits with 6, or with `--if-missing` prints no secret."""
    document = admin_cli(*CHAT, *PAY, "--json").document
    assert document["client_id"].startswith("sayso_app_")
    assert (document["auth_method"], document["state"]) == ("client_secret_basic", "enabled")
    everything = admin_cli("apps", "show", "chat", "--json").out + admin_cli("audit", "tail").out
    assert document["client_secret"] not in everything
    assert admin_cli(*CHAT, "--json").error["code"] == "exists"
    again = admin_cli(*CHAT, "--if-missing", "--json").document
    assert again == {name: value for name, value in document.items() if name != "client_secret"}


def test_adding_an_app_prints_the_next_step(admin_cli):
    """The output has the secret, if there is one, and the issuer that a library needs."""
    assert "SECRET=sayso_cs_" in admin_cli(*CHAT).out
    public = admin_cli(
        "apps", "add", "phone", "--auth", "none", "--redirect-uri", "com.example.app:/cb"
    )
    assert "SECRET" not in public.out
    assert "http://localhost:8470" in public.out


def test_apps_are_added_listed_shown_changed_and_deleted(admin_cli, jwks):
    """A list replaces the old one, and members that are not named stay."""
    admin_cli(*CHAT, *PAY, "--post-logout-redirect-uri", "https://chat.example/")
    assert "payments:read" in admin_cli("apps", "list").out
    assert "bound to its key if it proves one" in admin_cli("apps", "show", "chat").out
    changed = admin_cli("apps", "update", "chat", "--name", "talk", "--no-scope", "--dpop-bound")
    assert "bound to its key" in changed.out
    document = admin_cli(
        *("apps", "update", "talk", "--disable", "--no-resource"),
        *("--no-post-logout-redirect-uri", "--grant", "authorization_code", "--json"),
    ).document
    assert (document["state"], document["resources"], document["scopes"]) == ("disabled", [], [])
    assert document["post_logout_redirect_uris"] == []
    assert document["redirect_uris"] == ["https://chat.example/cb"]
    assert admin_cli("apps", "update", "talk", "--jwks", jwks, "--json").error["code"] == "conflict"
    signer = (*("apps", "add", "signer", "--redirect-uri", "https://s.example/cb"), "--jwks", jwks)
    assert (
        "key a"
        in admin_cli(
            "apps",
            "show",
            admin_cli(*signer, "--auth", "private_key_jwt", "--json").document["client_id"],
        ).out
    )
    assert admin_cli("apps", "delete", "talk", "--json").document["state"] == "deleted"
    assert "is deleted" in admin_cli("apps", "delete", "signer").out
    assert admin_cli("apps", "list", "--json").document == {"items": []}


def test_rotating_a_secret_keeps_the_old_one_for_the_overlap_or_revokes_it(admin_cli):
    """Without an overlap the old secrets stop working immediately."""
    old = admin_cli(*CHAT, "--json").document["client_secret"]
    document = admin_cli("apps", "rotate-secret", "chat", "--json").document
    assert document["client_secret"] != old
    assert len(document["secrets"]) == 2
    assert (
        "old secrets no longer work"
        in admin_cli("apps", "rotate-secret", "chat", "--overlap", "0").out
    )


@pytest.mark.parametrize(
    "flags",
    [
        ("--scope", "payments:read", "--no-scope"),
        ("--resource", "https://pay.example", "--no-resource"),
        ("--post-logout-redirect-uri", "https://x.example/", "--no-post-logout-redirect-uri"),
        ("--action", "payment.transfer", "--no-action"),
        ("--action", "payment.transfer", "--any-action"),
        ("--no-action", "--any-action"),
    ],
)
def test_setting_and_clearing_the_same_member_is_a_usage_error(admin_cli, flags):
    """The command is refused, because it is unclear which of the two flags is meant."""
    admin_cli(*CHAT)
    assert admin_cli("apps", "update", "chat", *flags, "--json").error["code"] == "usage"


def test_an_app_for_the_device_grant_needs_no_redirect_uri(admin_cli):
    """An app with the authorization code grant needs a redirect URI."""
    grants = ("--grant", "device_code", "--grant", "refresh_token")
    document = admin_cli("apps", "add", "tv", *grants, "--json").document
    assert document["redirect_uris"] == []
    assert document["grant_types"] == [
        "urn:ietf:params:oauth:grant-type:device_code",
        "refresh_token",
    ]
    refused = admin_cli("apps", "update", "tv", "--grant", "authorization_code", "--json")
    assert "--redirect-uri" in refused.error["message"]


def test_an_apps_action_types_can_be_restricted(admin_cli):
    """The flags name types, allow none, or allow all again."""
    document = admin_cli(*CHAT, "--json").document
    assert document["action_types"] is None
    assert "every type" in admin_cli("apps", "show", "chat").out
    refused = admin_cli("apps", "update", "chat", "--action", "nobody.knows", "--json")
    assert "sayso actions add" in refused.error["message"]
    no_types = admin_cli("apps", "update", "chat", "--no-action", "--json").document
    assert no_types["action_types"] == []
    any_type = admin_cli("apps", "update", "chat", "--any-action", "--json").document
    assert any_type["action_types"] is None
