"""Agent icons: setting them, serving them, showing them, and notifying owners."""

import pytest

from server.protocol import base64url
from server.protocol.clients import icons
from server.services.clients.agent_forms import AgentChanges
from server.services.refusals import Invalid
from server.web.browser import policy
from tests.support.builders.console import open_console
from tests.support.builders.installation import BY, register_agent
from tests.support.builders.own_pages import Pages, give_consent
from tests.support.builders.passkey import new_browser
from tests.support.builders.site import ISSUER
from tests.support.inputs.agent_icons import chunk, png

ICON, OTHER = png(), png(64, 64, (200, 40, 40))
PATH = f"/icons/{icons.read(ICON).digest}"


@pytest.fixture
def eva(local):
    """Eva, whose only device is a passkey."""
    return Pages(new_browser(local))


@pytest.fixture
def agent_with_icon(local, agent):
    """The agent with an icon."""
    local.admin.agents.update(agent.id, AgentChanges(icon=ICON), by=BY)
    return agent


def _get(local, path):
    return local.app.test_client().get(path, base_url=ISSUER)


@pytest.mark.usefixtures("agent_with_icon")
def test_an_icon_is_served_under_its_hash_as_an_image_only(local):
    """The icon is cached forever, has its media type, and its policy allows nothing."""
    answer = _get(local, PATH)
    assert (answer.status_code, answer.data, answer.mimetype) == (200, ICON, "image/png")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'; sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Set-Cookie" not in answer.headers


def test_an_icon_that_no_agent_uses_is_not_found(local, agent_with_icon):
    """An icon is served while at least one agent uses it; the 404 is not cached."""
    register_agent(local.admin, "second-bot", icon=ICON)
    local.admin.agents.update(agent_with_icon.id, AgentChanges(icon=OTHER), by=BY)
    assert _get(local, PATH).status_code == 200
    local.admin.agents.delete("second-bot", by=BY)
    after_removal = _get(local, PATH)
    assert (after_removal.status_code, after_removal.headers["Cache-Control"]) == (404, "no-store")
    assert _get(local, "/icons/..%2fdevices").status_code == 404


def test_an_icon_is_shown_next_to_the_agents_name_on_every_page(local, eva, agent_with_icon):
    """The inbox, request and agent pages show it with an empty alternative text."""
    _, approval = agent_with_icon.request_payment(login_hint="eva")
    give_consent(eva.browser, agent_with_icon)
    for path in ("/", f"/r/{approval.id}", "/agents", f"/agents/{agent_with_icon.id}"):
        page = eva.get(path)
        assert f'src="{PATH}" alt=""' in page.text
        assert "<bdi>invoice-bot</bdi>" in page.text
        assert "img-src 'self'" in page.headers["Content-Security-Policy"]
    local.admin.agents.update(agent_with_icon.id, AgentChanges(icon=b""), by=BY)
    assert "<img" not in eva.get("/").text
    assert "<svg" in eva.get("/agents").text


def test_a_changed_icon_is_logged_and_its_owners_are_notified_once(local, agent, eva):
    """Owners are told because approvers see a different picture; no change sends no message."""
    agents = local.admin.agents
    agents.update(agent.id, AgentChanges(add_owners=("eva",)), by=BY)
    for icon in (ICON, ICON, b""):
        agents.update(agent.id, AgentChanges(icon=icon), by=BY)
    digest = icons.read(ICON).digest
    recorded_icons = [entry["facts"]["icon"] for entry in local.admin.entries("agent.updated")]
    assert sorted(recorded_icons, key=str) == [digest, None, None]
    assert local.admin.events(eva.browser.user).count("agent.icon_changed") == 2
    hooked = [message for message in local.messages() if message["event"] == "agent.icon_changed"]
    assert [message["agent"] for message in hooked] == [agent.id] * 2


def test_an_invalid_icon_is_refused_with_the_requirements(local, agent):
    """The error names the actual size and the requirements; the current icon stays."""
    local.admin.agents.update(agent.id, AgentChanges(icon=ICON), by=BY)
    with pytest.raises(Invalid) as refused:
        local.admin.agents.update(agent.id, AgentChanges(icon=png(32, 31)), by=BY)
    assert refused.value.member == "icon"
    assert "is 32 by 31 pixels" in str(refused.value)
    assert "a still, square PNG or WebP of 16 to 512 pixels and at most 32 kB" in str(refused.value)
    assert local.admin.agents.show(agent.id)[0].icon == icons.read(ICON).digest


def test_changing_an_icon_needs_an_administrators_signature(staff):
    """An administrator sets an icon as base64url and removes it with null; an owner cannot."""
    path = f"/api/agents/{staff.ids['agent']}"
    admin, owner = staff.people["admin"], staff.people["owner"]
    body = {"icon": base64url.encode(ICON)}
    for person, code in ((admin, "statement_required"), (owner, "forbidden")):
        version_header = {"if-match": f'"{staff.version(path)}"'}
        refused = person.call("PATCH", path, body, headers=version_header)
        assert (refused.status, refused.json["code"]) == (403, code)
    for wrong in ("not base64url!", base64url.encode(b"<svg/>")):
        answer = admin.administer("PATCH", path, {"icon": wrong}, version=staff.version(path))
        assert (answer.status, answer.json["member"]) == (422, "icon")
    set_answer = admin.administer("PATCH", path, body, version=staff.version(path))
    assert (set_answer.status, set_answer.json["icon"]) == (200, PATH)
    removal_answer = admin.administer("PATCH", path, {"icon": None}, version=staff.version(path))
    assert (removal_answer.status, removal_answer.json["icon"]) == (200, None)


def test_an_agent_may_be_registered_with_an_icon(staff):
    """An icon of the maximum size fits into the registration request."""
    noise = png(32, 32, (1, 2, 3), chunk(b"teXt", bytes(icons.MAX_BYTES - len(ICON) - 12)))
    assert len(noise) <= icons.MAX_BYTES
    body = {"name": "seen", "owners": ["owner"], "icon": base64url.encode(noise)}
    answer = staff.people["admin"].administer("POST", "/api/agents", body)
    assert answer.status == 201, answer.body
    assert _get(staff.local, answer.json["agent"]["icon"]).data == noise


def test_the_console_sets_an_icon_after_the_passkey_signed(staff):
    """The page states the change, and the resubmitted form keeps the icon."""
    path = f"/api/agents/{staff.ids['agent']}"
    form = {"icon": base64url.encode(ICON), "version": staff.version(path)}
    console = open_console(staff)
    at = f"/admin/agents/{staff.ids['agent']}/icon"
    assert 'type="file"' in console.get("admin", at).text
    assert "<ins><bdi>an image</bdi></ins>" in console.post("admin", f"{at}/change", form).text
    assert console.signed("admin", f"{at}/change", form).status_code == 303
    assert staff.people["admin"].call("GET", path).json["icon"] == PATH
    refused = console.post("admin", f"{at}/change", {**form, "icon": "AAAA"})
    assert refused.status_code in {412, 422}


def test_the_consent_page_shows_the_icon(local, agent_with_icon, eva):
    """The icon is beside the agent's name; the pages' policy allows images of this server."""
    assert "img-src 'self'" in policy()
    own = local.app.jinja_env.from_string(CONSENT).render(id=agent_with_icon.id)
    assert f'src="{PATH}" alt=""' in own
    assert eva.browser.user.id not in own


CONSENT = '{% import "approvals/prompt.html" as prompt %}{{ prompt.icon(id) }}'
