"""Fixtures: a push service, a server that may call it, and a user with a browser."""

from collections.abc import Callable, Iterator

import pytest

from tests.support.browsers.push_calls import CONTACT
from tests.support.builders.passkey import LocalBrowser, new_browser
from tests.support.builders.site import LocalSite
from tests.support.fakes.push_service import PushService, push_service


@pytest.fixture
def service() -> Iterator[PushService]:
    """A push service that accepts valid messages."""
    with push_service() as running:
        yield running


@pytest.fixture
def local(open_local: Callable[..., LocalSite], service: PushService) -> LocalSite:
    """A server that may call this push service."""
    return open_local(push_origins=service.origin, push_contact=CONTACT)


@pytest.fixture
def browser(local: LocalSite) -> LocalBrowser:
    """The browser of Eva, whose only device is a passkey."""
    return new_browser(local)
