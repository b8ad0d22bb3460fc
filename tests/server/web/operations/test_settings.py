"""A user's settings in the browser: stored, cleared, and signed if they add power."""

import html
import re

import pytest

from server.services.clients.agent_forms import AgentChanges
from server.web.themes import THEMES
from tests.support.builders.installation import BY
from tests.support.builders.own_pages import Pages
from tests.support.builders.passkey import new_browser
from tests.support.builders.site import ISSUER

FOREIGN = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
HOURS = {"from": "22:00", "to": "07:00", "zone": "Europe/Berlin", "fri": "yes", "sat": "yes"}
DEPUTY = {"deputy": "max", "from": "2025-10-10", "to": "2025-10-12"}


@pytest.fixture
def eva(local):
    """Eva, whose only device is a passkey."""
    return Pages(new_browser(local))


@pytest.fixture
def max_(local):
    """Max, who has a passkey too."""
    return Pages(new_browser(local, "max", credential=b"the passkey of max"))


def _document(pages, path):
    return pages.browser.send("GET", path).json


def test_settings_work_without_scripts(eva):
    """Every form of the page has an enabled button and the CSRF token."""
    page = eva.get("/settings").text
    for path in ("theme", "quiet", "deputies", "user-code"):
        assert f'action="/settings/{path}"' in page
    forms = re.findall(r"<form.*?</form>", page, re.DOTALL)
    assert not [form for form in forms if "disabled" in form]
    assert page.count(f'name="csrf" value="{eva.csrf}"') == len(forms)


@pytest.mark.parametrize("theme", THEMES)
def test_a_theme_is_stored_in_a_cookie_and_rendered_by_the_server(eva, theme):
    """The server renders the theme without scripts, even when nobody is signed in."""
    done = eva.post("/settings/theme", {"theme": theme})
    assert done.status_code == 303
    cookie = done.headers["Set-Cookie"]
    assert cookie.startswith(f"sayso-theme={theme};")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    client = eva.browser.local.app.test_client()
    client.set_cookie("sayso-theme", theme)
    assert f'<html lang="en" data-theme="{theme}">' in client.get("/", base_url=ISSUER).text


def test_an_unknown_theme_falls_back_to_the_systems(eva):
    """A cookie with an unknown theme is ignored, and the form refuses one."""
    assert eva.post("/settings/theme", {"theme": '"><b>'}).status_code == 422
    client = eva.browser.local.app.test_client()
    client.set_cookie("sayso-theme", "pink")
    assert 'data-theme="system"' in client.get("/", base_url=ISSUER).text


def test_the_cached_offline_page_has_no_theme(eva):
    """A cached page would keep the theme of the moment it was cached."""
    client = eva.browser.local.app.test_client()
    client.set_cookie("sayso-theme", "dark")
    assert 'data-theme="system"' in client.get("/offline", base_url=ISSUER).text


def test_every_theme_has_its_colors(eva):
    """The dark colors appear twice: for the dark theme and for a dark system."""
    style = eva.get("/style.css").text
    for theme in ("light", "dark", "contrast"):
        assert f'[data-theme="{theme}"]' in style
    assert "{%" not in style
    assert style.count("--ink: #e9e6e0") == 2


def test_quiet_hours_are_set_shown_and_cleared(eva):
    """Quiet hours apply on the ticked days, in the given time zone."""
    assert eva.post("/settings/quiet", HOURS).status_code == 303
    hours = _document(eva, "/api/attention")["quiet_hours"]
    assert hours == {
        "days": ["fri", "sat"],
        "from": "22:00",
        "to": "07:00",
        "zone": "Europe/Berlin",
    }
    page = eva.get("/settings").text
    assert 'value="Europe/Berlin"' in page
    assert page.count(" checked") == 3  # two days, and how the pages look
    assert eva.post("/settings/quiet/end").status_code == 303
    assert _document(eva, "/api/attention")["quiet_hours"] is None


@pytest.mark.parametrize(
    "wrong", [{"zone": "Atlantis"}, {"from": "25:00"}, {"fri": None, "sat": None}]
)
def test_invalid_quiet_hours_are_refused_with_a_message(eva, wrong):
    """An unknown zone, an invalid time and no days get 422, and nothing is stored."""
    assert eva.post("/settings/quiet", {**HOURS, **wrong}).status_code == 422
    assert _document(eva, "/api/attention")["quiet_hours"] is None


@pytest.mark.parametrize(
    ("form", "fields", "says"),
    [
        ("quiet", {**HOURS, "zone": "Atlantis"}, "“Time zone” must be a time zone"),
        ("quiet", {**HOURS, "from": "9:00"}, "“From” is invalid."),
        ("quiet", {**HOURS, "fri": None, "sat": None}, "“Starting on” must not be empty."),
        ("deputies", {**DEPUTY, "deputy": "eva"}, "“Deputy” must be a different person."),
        ("deputies", {**DEPUTY, "to": "2025-10-01"}, "“Last day” must be in the future"),
        ("deputies", {**DEPUTY, "to": "soon"}, "“Last day” must be a date"),
        ("user-code", {"code": "abc"}, "must have 4 to 64 printable characters."),
    ],
)
@pytest.mark.usefixtures("max_")
def test_a_refused_form_keeps_its_entries(eva, form, fields, says):
    """The page has the message at the form, which names the field by its label."""
    refused = eva.post(f"/settings/{form}", fields)
    assert refused.status_code == 422
    tile = refused.text.partition(f'action="/settings/{form}"')[2].partition("</form>")[0]
    assert says in html.unescape(tile)
    entries = {name: value for name, value in fields.items() if value and value != "yes"}
    for name, value in entries.items():
        assert re.search(f'name="{name}"[^>]* value="{value}"', tile), (name, tile)
    ticked = re.findall(r'name="(...)" value="yes" checked', tile)
    assert ticked == [day for day in ("fri", "sat") if fields.get(day)]
    assert refused.text.count("Nothing was changed.") == 1


@pytest.mark.parametrize("minutes", [None, "60"])
def test_an_agent_is_muted_on_its_page_and_unmuted_in_the_settings(eva, agent, minutes):
    """A user can mute only an agent that has sent them a request."""
    assert eva.post(f"/agents/{agent.id}/mute", {"agent": agent.id}).status_code == 404
    agent.request_approval(login_hint="eva")
    assert f"/agents/{agent.id}/mute" in eva.get(f"/agents/{agent.id}").text
    form = {"agent": agent.id, "minutes": minutes}
    assert eva.post(f"/agents/{agent.id}/mute", form).status_code == 303
    (mute,) = _document(eva, "/api/attention")["mutes"]
    assert (mute["agent"]["id"], mute["until"] is None) == (agent.id, minutes is None)
    end_path = f"/settings/mutes/{agent.id}/end"
    assert end_path in eva.get("/settings").text
    assert eva.post(end_path).status_code == 303
    assert end_path not in eva.get("/settings").text


@pytest.mark.parametrize("minutes", ["soon", "-1", "²"])
def test_a_mute_lasts_whole_minutes(eva, agent, minutes):
    """A duration that is not a whole number of minutes is refused."""
    agent.request_approval(login_hint="eva")
    form = {"agent": agent.id, "minutes": minutes}
    assert eva.post(f"/agents/{agent.id}/mute", form).status_code == 422


def test_a_deputy_is_added_with_the_passkey_for_whole_days(eva, max_):
    """Both users see the deputy, and either can end it without a passkey."""
    signing_page = eva.post("/settings/deputies", DEPUTY)
    assert "Add a deputy?" in signing_page.text
    assert "<bdi>max</bdi>" in signing_page.text
    assert _document(eva, "/api/deputies")["mine"] == []
    assert eva.signed("/settings/deputies", DEPUTY).status_code == 303
    (deputy,) = _document(eva, "/api/deputies")["mine"]
    assert (deputy["from"], deputy["to"]) == (
        "2025-10-10T00:00:00.000Z",
        "2025-10-13T00:00:00.000Z",
    )
    end_path = f"/settings/deputies/{deputy['id']}/end"
    assert end_path in eva.get("/settings").text
    assert "You decide for" in max_.get("/settings").text
    assert max_.post(end_path).status_code == 303
    assert _document(eva, "/api/deputies")["mine"] == []


@pytest.mark.usefixtures("max_")
def test_an_unsigned_form_cannot_add_a_deputy(eva):
    """A signature for a different period adds no deputy either."""
    assert eva.post("/settings/deputies", {**DEPUTY, "statement": "x"}).status_code == 422
    signing_page = eva.post("/settings/deputies", DEPUTY).text
    statement_members = dict(re.findall(r'data-(purpose|subject|nonce)="([^"]*)"', signing_page))
    statement = eva.browser.statement(**statement_members)
    other = {**DEPUTY, "to": "2025-10-30", "statement": statement}
    assert eva.post("/settings/deputies", other).status_code == 422
    assert _document(eva, "/api/deputies")["mine"] == []


@pytest.mark.usefixtures("max_")
@pytest.mark.parametrize(
    ("wrong", "status", "says"),
    [
        ({"deputy": "nobody"}, 404, "User not found."),
        ({"deputy": "eva"}, 422, "must be a different person"),
        ({"to": "2025-10-01"}, 422, "must be in the future"),
    ],
)
def test_an_invalid_deputy_is_refused_before_signing(eva, wrong, status, says):
    """The user is not asked for a passkey if the form would be refused anyway."""
    refused = eva.post("/settings/deputies", {**DEPUTY, **wrong})
    assert refused.status_code == status
    assert says in refused.text
    assert "Sign with passkey" not in refused.text


@pytest.mark.parametrize("wrong", [{"from": "tomorrow"}, {"to": None}, {"to": "9999-12-31"}])
def test_invalid_days_are_refused_before_signing(eva, wrong):
    """The error message has an example of a valid day."""
    refused = eva.post("/settings/deputies", {**DEPUTY, **wrong})
    assert refused.status_code == 422
    assert "2026-12-24" in refused.text


@pytest.mark.parametrize("path", ["deputies", "user-code"])
def test_a_forged_form_is_not_shown_for_signing(eva, path):
    """Otherwise a user could sign values that another site filled in."""
    for form, headers in (({"csrf": None}, {}), ({"csrf": "made up"}, {}), ({}, FOREIGN)):
        answer = eva.post(f"/settings/{path}", {**DEPUTY, "code": "blue whale", **form}, headers)
        assert answer.status_code == 403
        assert "Sign with passkey" not in answer.text


@pytest.mark.parametrize("path", ["theme", "quiet", "quiet/end", "user-code/end"])
def test_another_site_cannot_change_a_setting(eva, path):
    """A form must come from our own page in this browser."""
    form = {**HOURS, "theme": "dark"}
    assert eva.post(f"/settings/{path}", form, FOREIGN).status_code == 403
    assert eva.post(f"/settings/{path}", {**form, "csrf": None}).status_code == 403


@pytest.mark.usefixtures("max_")
def test_another_users_deputy_is_not_found(eva, local):
    """Ending the deputy of another user gets 404 and changes nothing."""
    assert eva.signed("/settings/deputies", DEPUTY).status_code == 303
    (deputy,) = _document(eva, "/api/deputies")["mine"]
    zoe = Pages(new_browser(local, "zoe", credential=b"the passkey of zoe"))
    assert zoe.post(f"/settings/deputies/{deputy['id']}/end").status_code == 404
    assert len(_document(eva, "/api/deputies")["mine"]) == 1


def test_a_user_code_is_set_and_cleared_with_the_passkey(eva, agent, local):
    """While a user code is set, an agent that supports user codes must send it."""
    local.admin.agents.update(agent.id, AgentChanges(takes_user_code=True), by=BY)
    assert (
        eva.post("/settings/user-code", {"code": "blue whale", "statement": "x"}).status_code == 422
    )
    assert eva.signed("/settings/user-code", {"code": "blue whale"}).status_code == 303
    assert _document(eva, "/api/user-code") == {"set": True}
    assert agent.ask(login_hint="eva").json["error"] == "missing_user_code"
    assert agent.ask(login_hint="eva", user_code="blue whale").status == 200
    assert "Remove code" in eva.get("/settings").text
    assert eva.signed("/settings/user-code/end").status_code == 303
    assert _document(eva, "/api/user-code") == {"set": False}


def test_an_invalid_user_code_is_refused(eva):
    """A code that is too short gets 422, and nothing is stored."""
    assert eva.post("/settings/user-code", {"code": "ab"}).status_code == 422
    assert _document(eva, "/api/user-code") == {"set": False}


def test_the_install_page_has_steps_for_each_platform(eva):
    """Without scripts the page also says that notifications are off."""
    page = eva.get("/install").text
    for words in (
        "iPhone or iPad",
        "16.4",
        "Add to Home Screen",
        "Android",
        "Firefox",
        "Notifications are off",
    ):
        assert words in page


def test_each_platform_has_drawings_with_alternative_text(eva):
    """Screen readers get the text of each drawing."""
    page = eva.get("/install").text
    platforms = page.split('<section class="tile platform"')[1:]
    assert len(platforms) == 6
    for platform in platforms:
        assert '<svg class="drawing"' in platform
        assert platform.count('class="drawing"') == platform.count('role="img" aria-label="')
        assert 'aria-label=""' not in platform
        assert "<text" not in platform


def test_the_settings_state_that_a_locked_screen_shows_no_details(eva):
    """The settings page says so, because this cannot be turned off."""
    assert "never what it asks for" in eva.get("/settings").text
