"""Fixtures of the services: an empty installation, and delegated tokens."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.builders.callers import LocalTerminal
from tests.support.builders.databases import upgraded_database
from tests.support.builders.installation import BY, LocalAdmin, open_admin
from tests.support.builders.site import LocalSite, open_site
from tests.support.builders.token_chains import Chains
from tests.support.servers.postgres import PostgresServer


@pytest.fixture
def admin_services(tmp_path: Path) -> Iterator[LocalAdmin]:
    """An empty installation."""
    admin_services = open_admin(tmp_path)
    yield admin_services
    admin_services.store.close()


@pytest.fixture
def postgres_local(postgres_server: PostgresServer, tmp_path: Path) -> Iterator[LocalSite]:
    """A server on PostgreSQL with an administrator, where units of work run concurrently."""
    url = upgraded_database(postgres_server)
    local = open_site(tmp_path / "postgres", database_url=url)
    local.admin.installation.init("admin", by=BY)
    yield local
    local.services.store.close()


@pytest.fixture
def chains(local: LocalSite, person: LocalTerminal) -> Chains:
    """Two APIs, and a user, Ana, who uses a chat app."""
    chains = Chains(local, person.user.id)
    chains.prepare()
    return chains
