"""Pictures of agents: who gives them, where they lie, what stands beside them, who hears of it."""

import pytest

from server.protocol import base64url
from server.protocol.clients import icons
from server.services.clients.agent_forms import AgentChanges
from server.services.refusals import Invalid
from server.web.browser import policy
from tests.support.builders.console import open_console
from tests.support.builders.installation import BY, registered
from tests.support.builders.own_pages import Pages, give_consent
from tests.support.builders.passkey import new_browser
from tests.support.builders.site import ISSUER
from tests.support.inputs.agent_icons import part, png

PICTURE, OTHER = png(), png(64, 64, (200, 40, 40))
PATH = f"/icons/{icons.read(PICTURE).digest}"


@pytest.fixture
def eva(local):
    """Eva, whose only device is a passkey."""
    return Pages(new_browser(local))


@pytest.fixture
def pictured(local, agent):
    """The agent with a picture."""
    local.desk.agents.update(agent.id, AgentChanges(icon=PICTURE), by=BY)
    return agent


def _get(local, path):
    return local.app.test_client().get(path, base_url=ISSUER)


@pytest.mark.usefixtures("pictured")
def test_a_picture_lies_under_its_hash_and_is_nothing_but_a_picture(local):
    """Kept for good, of its own type, without a right to do or to reach anything."""
    found = _get(local, PATH)
    assert (found.status_code, found.data, found.mimetype) == (200, PICTURE, "image/png")
    assert found.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'; sandbox" in found.headers["Content-Security-Policy"]
    assert found.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert found.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Set-Cookie" not in found.headers


def test_a_picture_that_no_agent_has_any_more_is_not_there(local, pictured):
    """As long as one of two has it, it is; each other is 404, and kept by nobody."""
    registered(local.desk, "twin", icon=PICTURE)
    local.desk.agents.update(pictured.id, AgentChanges(icon=OTHER), by=BY)
    assert _get(local, PATH).status_code == 200
    local.desk.agents.delete("twin", by=BY)
    gone = _get(local, PATH)
    assert (gone.status_code, gone.headers["Cache-Control"]) == (404, "no-store")
    assert _get(local, "/icons/..%2fdevices").status_code == 404


def test_it_stands_beside_the_name_wherever_the_agent_does(local, eva, pictured):
    """Inbox, request and its own page; the name is there, and the picture says no word."""
    _, approval = pictured.asked_payment(login_hint="eva")
    give_consent(eva.browser, pictured)
    for path in ("/", f"/r/{approval.id}", "/agents", f"/agents/{pictured.id}"):
        page = eva.get(path)
        assert f'src="{PATH}" alt=""' in page.text
        assert "<bdi>invoice-bot</bdi>" in page.text
        assert "img-src 'self'" in page.headers["Content-Security-Policy"]
    local.desk.agents.update(pictured.id, AgentChanges(icon=b""), by=BY)
    assert "<img" not in eva.get("/").text
    assert "<svg" in eva.get("/agents").text


def test_a_picture_that_changes_is_in_the_log_and_told_to_its_owners(local, agent, eva):
    """People are shown something else: whoever answers for the agent hears of it, once."""
    desk = local.desk.agents
    desk.update(agent.id, AgentChanges(add_owners=("eva",)), by=BY)
    for icon in (PICTURE, PICTURE, b""):
        desk.update(agent.id, AgentChanges(icon=icon), by=BY)
    digest = icons.read(PICTURE).digest
    told = [one["facts"]["icon"] for one in local.desk.entries("agent.updated")]
    assert sorted(told, key=str) == [digest, None, None]
    assert local.desk.events(eva.browser.user).count("agent.icon_changed") == 2
    hooked = [one for one in local.messages() if one["event"] == "agent.icon_changed"]
    assert [one["agent"] for one in hooked] == [agent.id] * 2


def test_what_is_no_icon_is_refused_with_what_to_give_instead(local, agent):
    """And the one that is there stays."""
    local.desk.agents.update(agent.id, AgentChanges(icon=PICTURE), by=BY)
    with pytest.raises(Invalid) as refused:
        local.desk.agents.update(agent.id, AgentChanges(icon=png(32, 31)), by=BY)
    assert refused.value.member == "icon"
    assert "is 32 by 31 pixels" in str(refused.value)
    assert "a still, square PNG or WebP of 16 to 512 pixels and at most 32 kB" in str(refused.value)
    assert local.desk.agents.show(agent.id)[0].icon == icons.read(PICTURE).digest


def test_another_picture_takes_an_administrators_signature_as_another_name_does(staff):
    """It is given as base64url, and taken away by null; its owner cannot."""
    path = f"/api/agents/{staff.ids['agent']}"
    admin, owner = staff.people["admin"], staff.people["owner"]
    body = {"icon": base64url.encode(PICTURE)}
    for person, code in ((admin, "statement_required"), (owner, "forbidden")):
        seen = {"if-match": f'"{staff.version(path)}"'}
        refused = person.call("PATCH", path, body, headers=seen)
        assert (refused.status, refused.json["code"]) == (403, code)
    for wrong in ("not base64url!", base64url.encode(b"<svg/>")):
        answer = admin.administer("PATCH", path, {"icon": wrong}, version=staff.version(path))
        assert (answer.status, answer.json["member"]) == (422, "icon")
    given = admin.administer("PATCH", path, body, version=staff.version(path))
    assert (given.status, given.json["icon"]) == (200, PATH)
    taken = admin.administer("PATCH", path, {"icon": None}, version=staff.version(path))
    assert (taken.status, taken.json["icon"]) == (200, None)


def test_an_agent_may_be_registered_with_a_picture(staff):
    """The largest that is taken fits the request."""
    noise = png(32, 32, (1, 2, 3), part(b"teXt", bytes(icons.MOST_BYTES - len(PICTURE) - 12)))
    assert len(noise) <= icons.MOST_BYTES
    body = {"name": "seen", "owners": ["owner"], "icon": base64url.encode(noise)}
    made = staff.people["admin"].administer("POST", "/api/agents", body)
    assert made.status == 201, made.body
    assert _get(staff.local, made.json["agent"]["icon"]).data == noise


def test_the_console_gives_a_picture_once_the_passkey_has_signed(staff):
    """Its page says in words that a picture changes, and the form that comes again keeps it."""
    path = f"/api/agents/{staff.ids['agent']}"
    form = {"icon": base64url.encode(PICTURE), "version": staff.version(path)}
    console = open_console(staff)
    at = f"/admin/agents/{staff.ids['agent']}/icon"
    assert 'type="file"' in console.get("admin", at).text
    assert "<ins><bdi>a picture</bdi></ins>" in console.post("admin", f"{at}/change", form).text
    assert console.signed("admin", f"{at}/change", form).status_code == 303
    assert staff.people["admin"].call("GET", path).json["icon"] == PATH
    refused = console.post("admin", f"{at}/change", {**form, "icon": "AAAA"})
    assert refused.status_code in {412, 422}


def test_whoever_consents_sees_the_picture(local, pictured, eva):
    """Beside the name of who would act; pages of sign-in may show it too."""
    assert "img-src 'self'" in policy()
    own = local.app.jinja_env.from_string(CONSENT).render(id=pictured.id)
    assert f'src="{PATH}" alt=""' in own
    assert eva.browser.user.id not in own


CONSENT = '{% import "approvals/prompt.html" as prompt %}{{ prompt.icon(id) }}'
