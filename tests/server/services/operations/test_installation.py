"""Initialization: the first administrator and the signing keys."""

import pytest

from server.services.refusals import Exists, Invalid
from tests.support.builders.installation import BY, admitted


def test_init_makes_an_administrator_with_a_code_and_one_key_per_algorithm(desk):
    """After it there is somebody who may, and something to sign with."""
    user, issued = desk.installation.init("admin", by=BY)
    assert user.roles == ("admin",)
    assert len(issued.code) == 39
    assert {key.alg for key in desk.keys.all()} == {"ES256", "EdDSA", "RS256"}
    assert len(desk.entries("installation.initialized")) == 1


def test_a_second_init_is_refused_with_the_command_for_another_device(desk):
    """Whoever wants another device does not need another administrator."""
    desk.installation.init("admin", by=BY)
    with pytest.raises(Exists, match="sayso users enrol admin"):
        desk.installation.init("eve", by=BY)
    assert [user.name for user in desk.users.all()] == ["admin"]
    assert desk.installation.admin().name == "admin"


def test_a_refused_init_stores_nothing(desk):
    """All of it or nothing."""
    with pytest.raises(Invalid):
        desk.installation.init("a\x1bb", by=BY)
    assert desk.keys.all() == ()
    assert desk.installation.admin() is None


def test_init_does_not_make_an_existing_user_an_administrator(desk):
    """A user does not become administrator by being named."""
    admitted(desk, "ana")
    with pytest.raises(Exists):
        desk.installation.init("ana", by=BY)
    assert desk.users.show("ana")[0].roles == ()
