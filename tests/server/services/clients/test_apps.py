"""Apps: valid registrations and changes, secrets, and what deleting an app does."""

import hashlib
import json

import pytest

from server.protocol.names import GRANT_AUTHORIZATION_CODE
from server.protocol.policy.risks import Risk
from server.services.clients.app_forms import MAX_REDIRECTS, AppChanges, NewApp
from server.services.refusals import Conflict, Exists, Invalid, NotFound
from tests.support.builders.clock import DAY, HOUR
from tests.support.builders.installation import BY, PAY, PAY_SCOPES, PAYMENT
from tests.support.inputs.handmade_jwts import new_key

CALLBACK = "https://chat.example/callback"
JWKS = json.dumps({"keys": [new_key("ES256", "a").jwk]})


@pytest.fixture
def add(admin_services):
    """Registers an app."""
    admin_services.resources.add(PAY, PAY_SCOPES, {}, by=BY)

    def register(name="chat", **members):
        return admin_services.apps.add(
            NewApp(name, **{"redirect_uris": (CALLBACK,), **members}), by=BY
        )

    return register


def test_registering_an_app_returns_its_secret_once(admin_services, add):
    """The database contains only the hash and the last four characters of the secret."""
    registration = add(resources=(PAY,), scopes=("payments:read",))
    assert registration.app.id.startswith("sayso_app_")
    assert (
        admin_services.apps.show("Chat")
        == admin_services.apps.show(registration.app.id)
        == registration.app
    )
    assert admin_services.apps.all() == [registration.app]
    (secret,) = registration.app.secrets
    assert secret.hash == hashlib.sha256(registration.secret.encode()).digest()
    assert registration.secret not in str(admin_services.entries())
    (entry,) = admin_services.entries("app.added")
    assert (entry["facts"]["app"], entry["facts"]["redirect_uris"]) == (
        registration.app.id,
        [CALLBACK],
    )


@pytest.mark.parametrize(
    "members", [{"auth_method": "none"}, {"auth_method": "private_key_jwt", "jwks": JWKS}]
)
def test_public_apps_and_apps_with_keys_get_no_secret(admin_services, add, members):
    """A public app cannot keep a secret, and an app with keys needs none."""
    registration = add(**members)
    assert (registration.secret, registration.app.secrets) == ("", ())
    with pytest.raises(Conflict, match="not a secret"):
        admin_services.apps.rotate_secret("chat", by=BY)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"redirect_uris": ()}, "needs a redirect URI"),
        ({"redirect_uris": ("http://chat.example/cb",)}, "must be https"),
        ({"post_logout_redirect_uris": ("javascript:x",)}, "must be https"),
        (
            {"redirect_uris": tuple(f"{CALLBACK}/{n}" for n in range(MAX_REDIRECTS + 1))},
            "at most 20",
        ),
        ({"auth_method": "password"}, "`auth_method` must be one of"),
        ({"jwks": JWKS}, "not allowed for other methods"),
        ({"auth_method": "private_key_jwt"}, "not allowed for other methods"),
        ({"auth_method": "private_key_jwt", "jwks": "{}"}, "key file"),
        ({"grant_types": ("client_credentials",)}, "`grant_types` must be one of"),
        ({"grant_types": ()}, "at least one grant type"),
        ({"id_token_alg": "none"}, "`id_token_signed_response_alg` must be one of"),
        ({"resources": ("https://nowhere.example",)}, "no resource https://nowhere.example"),
        ({"resources": (PAY,), "scopes": ("payments:delete",)}, "No resource has the scope"),
        ({"scopes": ("openid",)}, "Leave it out"),
        ({"name": "sayso_app_x"}, "must not begin"),
    ],
)
def test_an_invalid_app_is_refused_with_the_remedy(admin_services, add, members, message):
    """The error says what to change, and no app is registered."""
    with pytest.raises((Invalid, NotFound), match=message):
        add(**members)
    assert admin_services.apps.all() == []


def test_app_names_are_unique_in_any_case(admin_services, add):
    """Adding and renaming an app both check the name."""
    add()
    add("console")
    with pytest.raises(Exists, match=r"The app chat \("):
        add("CHAT")
    with pytest.raises(Exists, match=r"The app chat \("):
        admin_services.apps.update("console", AppChanges(name="Chat"), by=BY)


def test_an_app_update_changes_only_the_named_members(admin_services, add):
    """Each change writes an audit entry; a change without effect writes none."""
    before = add(resources=(PAY,), scopes=("payments:read",)).app
    after = admin_services.apps.update(
        "chat",
        AppChanges(
            name="talk",
            redirect_uris=(CALLBACK, CALLBACK, "http://127.0.0.1/cb"),
            post_logout_redirect_uris=("https://chat.example/",),
            grant_types=(GRANT_AUTHORIZATION_CODE,),
            scopes=("payments:transfer",),
            id_token_alg="RS256",
            dpop_bound=True,
            enabled=False,
        ),
        by=BY,
    )
    assert after == admin_services.apps.show("talk")
    assert after.redirect_uris == (CALLBACK, "http://127.0.0.1/cb")
    assert (after.id_token_alg, after.dpop_bound, after.state) == ("RS256", True, "disabled")
    assert (after.resources, after.secrets) == (before.resources, before.secrets)
    assert admin_services.apps.update("talk", AppChanges(), by=BY) == after
    assert len(admin_services.entries("app.updated")) == 1
    assert admin_services.apps.update("talk", AppChanges(enabled=True), by=BY).active(0)


def test_keys_of_an_app_can_be_replaced_but_not_its_method(admin_services, add):
    """Keys replace keys, but an app with a secret cannot change to keys."""
    add()
    add("signer", auth_method="private_key_jwt", jwks=JWKS)
    with pytest.raises(Conflict, match="register a new app"):
        admin_services.apps.update("chat", AppChanges(jwks=JWKS), by=BY)
    new_jwks = json.dumps({"keys": [new_key("ES256", "b").jwk]})
    (key,) = admin_services.apps.update("signer", AppChanges(jwks=new_jwks), by=BY).jwks
    assert key["kid"] == "b"


def test_an_unknown_scope_is_refused_in_an_update(admin_services, add):
    """An update checks scopes as a registration does."""
    add(resources=(PAY,), scopes=("payments:read",))
    with pytest.raises(Invalid):
        admin_services.apps.update("chat", AppChanges(scopes=("nothing",)), by=BY)


def test_two_secrets_work_during_the_overlap_of_a_rotation(admin_services, add):
    """Without an overlap, the old secret ends immediately."""
    first = add().app.secrets[0]
    rotation = admin_services.apps.rotate_secret("chat", by=BY, overlap_ms=HOUR)
    old, new = rotation.app.secrets
    assert (old.id, old.expires_at) == (first.id, admin_services.clock.now() + HOUR)
    assert new.hash == hashlib.sha256(rotation.secret.encode()).digest()
    assert len(admin_services.apps.rotate_secret("chat", by=BY, overlap_ms=0).app.secrets) == 1
    with pytest.raises(Invalid, match="30 days"):
        admin_services.apps.rotate_secret("chat", by=BY, overlap_ms=31 * DAY)


def test_a_deleted_app_is_not_found(admin_services, add):
    """The app is found neither by name nor by ID; the audit log keeps its name."""
    app = add().app
    admin_services.apps.delete("chat", by=BY)
    for name_or_id in ("chat", app.id):
        with pytest.raises(NotFound, match="no app "):
            admin_services.apps.show(name_or_id)
    (entry,) = admin_services.entries("app.deleted")
    assert entry["facts"] == {"app": app.id, "name": "chat"}


def test_deleting_a_resource_narrows_its_apps(admin_services, add):
    """The app also loses the scopes that none of its other resources has."""
    admin_services.resources.add("https://mail.example", {"mail:read": Risk.LOW}, {}, by=BY)
    uris = (PAY, "https://mail.example")
    add(resources=uris, scopes=("payments:read", "mail:read"))
    add("console")
    assert admin_services.resources.delete(PAY, by=BY).apps_narrowed == ("chat",)
    app = admin_services.apps.show("chat")
    assert (app.resources, app.scopes) == (("https://mail.example",), ("mail:read",))


def test_an_app_may_be_limited_to_registered_action_types(admin_services, add):
    """None allows all types; a deleted type is removed from the app's list."""
    admin_services.actions.add(json.dumps(PAYMENT), by=BY)
    assert add().app.action_types is None
    with pytest.raises(NotFound, match=r"no action type nobody\.knows"):
        add("shop", action_types=("nobody.knows",))
    limited_app = add("shop", action_types=("payment.transfer",) * 2).app
    assert limited_app.action_types == ("payment.transfer",)
    assert admin_services.apps.update("shop", AppChanges(name="store"), by=BY).action_types
    assert (
        admin_services.apps.update("store", AppChanges(action_types=None), by=BY).action_types
        is None
    )
    assert (
        admin_services.apps.update("store", AppChanges(action_types=()), by=BY).action_types == ()
    )
    admin_services.apps.update("store", AppChanges(action_types=("payment.transfer",)), by=BY)
    admin_services.actions.delete("payment.transfer", by=BY)
    assert (
        admin_services.apps.show("store").action_types,
        admin_services.apps.show("chat").action_types,
    ) == ((), None)
