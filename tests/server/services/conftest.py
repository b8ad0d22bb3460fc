"""Fixtures of the services: an empty installation, and delegated tokens."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.builders.callers import LocalTerminal
from tests.support.builders.installation import LocalAdmin, open_admin
from tests.support.builders.site import LocalSite
from tests.support.builders.token_chains import Chains


@pytest.fixture
def admin_services(tmp_path: Path) -> Iterator[LocalAdmin]:
    """An empty installation."""
    admin_services = open_admin(tmp_path)
    yield admin_services
    admin_services.store.close()


@pytest.fixture
def chains(local: LocalSite, person: LocalTerminal) -> Chains:
    """Two APIs, and a user, Ana, who uses a chat app."""
    chains = Chains(local, person.user.id)
    chains.prepare()
    return chains
