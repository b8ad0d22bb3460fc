"""Initialization: the first administrator and the signing keys."""

import pytest

from server.services.refusals import Exists, Invalid
from tests.support.builders.installation import BY, add_user


def test_init_creates_an_administrator_with_a_code_and_one_key_per_algorithm(admin_services):
    """Initialization writes one audit entry."""
    user, issued = admin_services.installation.init("admin", by=BY)
    assert user.roles == ("admin",)
    assert len(issued.code) == 39
    assert {key.alg for key in admin_services.keys.all()} == {"ES256", "EdDSA", "RS256"}
    assert len(admin_services.entries("installation.initialized")) == 1


def test_a_second_init_is_refused_and_says_to_enroll_another_device(admin_services):
    """You don't need a second administrator to enroll a new device."""
    admin_services.installation.init("admin", by=BY)
    with pytest.raises(Exists, match="Enroll another device instead"):
        admin_services.installation.init("eve", by=BY)
    assert [user.name for user in admin_services.users.all()] == ["admin"]
    assert admin_services.installation.admin().name == "admin"


def test_a_refused_init_stores_nothing(admin_services):
    """A refused initialization leaves neither keys nor a user behind."""
    with pytest.raises(Invalid):
        admin_services.installation.init("a\x1bb", by=BY)
    assert admin_services.keys.all() == ()
    assert admin_services.installation.admin() is None


def test_init_does_not_make_an_existing_user_an_administrator(admin_services):
    """Init is refused if a user has that name."""
    add_user(admin_services, "ana")
    with pytest.raises(Exists):
        admin_services.installation.init("ana", by=BY)
    assert admin_services.users.show("ana")[0].roles == ()
