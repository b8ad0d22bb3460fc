"""`sayso apps`: each verb, and what it answers."""

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


def test_adding_an_app_answers_its_id_and_its_secret_once(begun):
    """Nothing else ever prints the secret; again is exit 6, or the same one without it."""
    document = begun(*CHAT, *PAY, "--json").document
    assert document["client_id"].startswith("sayso_app_")
    assert (document["auth_method"], document["state"]) == ("client_secret_basic", "enabled")
    everything = begun("apps", "show", "chat", "--json").out + begun("audit", "tail").out
    assert document["client_secret"] not in everything
    assert begun(*CHAT, "--json").error["code"] == "exists"
    again = begun(*CHAT, "--if-missing", "--json").document
    assert again == {name: value for name, value in document.items() if name != "client_secret"}


def test_a_person_is_told_what_to_do_next(begun):
    """The secret where there is one, and where a library finds the rest."""
    assert "SECRET=sayso_cs_" in begun(*CHAT).out
    public = begun(
        "apps", "add", "phone", "--auth", "none", "--redirect-uri", "com.example.app:/cb"
    )
    assert "SECRET" not in public.out
    assert "http://localhost:8470" in public.out


def test_an_app_is_listed_shown_changed_and_forgotten(begun, jwks):
    """A list that is given replaces the old one; what is not named stays."""
    begun(*CHAT, *PAY, "--post-logout-redirect-uri", "https://chat.example/")
    assert "payments:read" in begun("apps", "list").out
    assert "bound to its key if it proves one" in begun("apps", "show", "chat").out
    changed = begun("apps", "update", "chat", "--name", "talk", "--no-scope", "--dpop-bound")
    assert "bound to its key" in changed.out
    document = begun(
        *("apps", "update", "talk", "--disable", "--no-resource"),
        *("--no-post-logout-redirect-uri", "--grant", "authorization_code", "--json"),
    ).document
    assert (document["state"], document["resources"], document["scopes"]) == ("disabled", [], [])
    assert document["post_logout_redirect_uris"] == []
    assert document["redirect_uris"] == ["https://chat.example/cb"]
    assert begun("apps", "update", "talk", "--jwks", jwks, "--json").error["code"] == "conflict"
    signer = (*("apps", "add", "signer", "--redirect-uri", "https://s.example/cb"), "--jwks", jwks)
    assert (
        "key a"
        in begun(
            "apps",
            "show",
            begun(*signer, "--auth", "private_key_jwt", "--json").document["client_id"],
        ).out
    )
    assert begun("apps", "delete", "talk", "--json").document["state"] == "deleted"
    assert "is deleted" in begun("apps", "delete", "signer").out
    assert begun("apps", "list", "--json").document == {"items": []}


def test_a_new_secret_overlaps_the_old_one_or_ends_it(begun):
    """The span is said; the new secret is there this once."""
    old = begun(*CHAT, "--json").document["client_secret"]
    document = begun("apps", "rotate-secret", "chat", "--json").document
    assert document["client_secret"] != old
    assert len(document["secrets"]) == 2
    assert (
        "old secrets no longer work" in begun("apps", "rotate-secret", "chat", "--overlap", "0").out
    )


@pytest.mark.parametrize(
    "both",
    [
        ("--scope", "payments:read", "--no-scope"),
        ("--resource", "https://pay.example", "--no-resource"),
        ("--post-logout-redirect-uri", "https://x.example/", "--no-post-logout-redirect-uri"),
        ("--action", "payment.transfer", "--no-action"),
        ("--action", "payment.transfer", "--any-action"),
        ("--no-action", "--any-action"),
    ],
)
def test_setting_and_taking_away_at_once_is_no_command(begun, both):
    """Nobody knows what was meant."""
    begun(*CHAT)
    assert begun("apps", "update", "chat", *both, "--json").error["code"] == "usage"


def test_an_app_for_devices_sends_nobody_anywhere(begun):
    """Without the grant of codes it needs no address; with it, it does."""
    grants = ("--grant", "device_code", "--grant", "refresh_token")
    document = begun("apps", "add", "tv", *grants, "--json").document
    assert document["redirect_uris"] == []
    assert document["grant_types"] == [
        "urn:ietf:params:oauth:grant-type:device_code",
        "refresh_token",
    ]
    refused = begun("apps", "update", "tv", "--grant", "authorization_code", "--json")
    assert "--redirect-uri" in refused.error["message"]


def test_an_app_is_held_to_some_action_types(begun):
    """To those that are named, to none, or to every one again; a person reads which."""
    document = begun(*CHAT, "--json").document
    assert document["action_types"] is None
    assert "every type" in begun("apps", "show", "chat").out
    refused = begun("apps", "update", "chat", "--action", "nobody.knows", "--json")
    assert "sayso actions add" in refused.error["message"]
    held = begun("apps", "update", "chat", "--no-action", "--json").document
    assert held["action_types"] == []
    free = begun("apps", "update", "chat", "--any-action", "--json").document
    assert free["action_types"] is None
