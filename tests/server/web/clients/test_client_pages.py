"""The console links a client to its page."""

from pathlib import Path

import pytest

from server.protocol.names import path_id
from server.web import application
from server.web.template_filters import FILTERS

TEMPLATES = Path(application.__file__).parent / "templates"
URL = "https://chat.example/client.json"


@pytest.mark.parametrize(
    ("client_id", "page"),
    [
        ("sayso_ag_a", "/admin/agents/sayso_ag_a"),
        ("sayso_app_a", "/admin/apps/sayso_app_a"),
        (URL, f"/admin/apps/{path_id(URL)}"),
    ],
)
def test_agents_and_apps_are_linked_to_their_own_pages(client_id, page):
    """A client_id that is a URL is encoded, because it cannot be part of a path."""
    assert FILTERS["client_page"](client_id) == page


@pytest.mark.parametrize(
    "template",
    ["approvals/console_approval", "operations/console_limits", "operations/console_overview"],
)
def test_pages_that_name_agents_and_apps_use_this_link(template):
    """Approvals, limits and statistics can belong to an app, so no link assumes an agent."""
    text = (TEMPLATES / f"{template}.html").read_text("utf-8")
    assert "|client_page" in text
    assert 'href="/admin/agents/{{' not in text
