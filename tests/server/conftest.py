"""A prepared server for each test, copied from a template that is made once.

Owns: the template of a test run with its agent and person, and a log for one test.
"""

from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from server import telemetry
from server.services.operations.restores import KINDS
from tests.support.builders.admins import AdminSite, AdminSiteTemplate, make_admin_site
from tests.support.builders.callers import LocalAgent, LocalResource, LocalTerminal, new_resource
from tests.support.builders.restored import restored
from tests.support.builders.site import LocalSite
from tests.support.builders.template import Template, make_template
from tests.support.servers.shared_caches import shared_routes, shared_statements, shared_templates


@pytest.fixture(scope="session", autouse=True)
def _shared_caches() -> Iterator[None]:
    with shared_routes(), shared_statements(), shared_templates():
        yield


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """An installation with an agent and a person, made once for the run."""
    return make_template(tmp_path_factory.mktemp("template") / "data")


@pytest.fixture
def open_local(template: Template, tmp_path: Path) -> Iterator[Callable[..., LocalSite]]:
    """Opens the installation with the settings that the test chooses."""
    opened: list[LocalSite] = []

    def open_with(**settings: Any) -> LocalSite:
        opened.append(template.copy_to(tmp_path / f"data-{len(opened)}", **settings))
        return opened[-1]

    yield open_with
    for local in opened:
        local.services.store.close()


@pytest.fixture
def local(open_local: Callable[..., LocalSite]) -> LocalSite:
    """The installation with its default settings."""
    return open_local()


@pytest.fixture
def agent(template: Template, local: LocalSite) -> LocalAgent:
    """The test's agent."""
    return template.agent(local)


@pytest.fixture
def person(template: Template, local: LocalSite) -> LocalTerminal:
    """Ana, signed in on her device."""
    return template.person(local)


@pytest.fixture(scope="session")
def staff_template(tmp_path_factory: pytest.TempPathFactory) -> AdminSiteTemplate:
    """An installation with administrators, owners, auditors and users, made once for the run."""
    return make_admin_site(tmp_path_factory.mktemp("staff") / "data")


@pytest.fixture
def staff(staff_template: AdminSiteTemplate, tmp_path: Path) -> Iterator[AdminSite]:
    """The installation's administrators, owners, auditors and ordinary users."""
    staff = staff_template.copy_to(tmp_path / "staff")
    yield staff
    staff.local.services.store.close()


@pytest.fixture
def resource(local: LocalSite) -> LocalResource:
    """The payment API, which introspects tokens issued for it."""
    return new_resource(local)


@pytest.fixture
def log_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[[], list[str]]]:
    """Gives the test its own log; returns the lines written since the last call."""
    monkeypatch.setattr(telemetry, "_LOGGER", structlog.get_logger("test"))
    yield lambda: [*capsys.readouterr().err.splitlines()]
    structlog.reset_defaults()


@pytest.fixture
def restore(local: LocalSite) -> Iterator[Callable[..., LocalSite]]:
    """Restores the installation in place and opens it again, one second later."""
    opened: list[LocalSite] = []

    def restore_site(keep: Collection[str] = tuple(KINDS)) -> LocalSite:
        opened.append(restored(local, keep))
        return opened[-1]

    yield restore_site
    for site in opened:
        site.services.store.close()
