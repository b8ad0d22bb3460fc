"""A person's settings in the browser: kept, taken back, signed where they add power."""

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


def _told(pages, path):
    return pages.browser.send("GET", path).json


def test_settings_are_there_without_scripts(eva):
    """Every form of them, with a button that can be pressed."""
    page = eva.get("/settings").text
    for path in ("theme", "quiet", "deputies", "user-code"):
        assert f'action="/settings/{path}"' in page
    forms = re.findall(r"<form.*?</form>", page, re.DOTALL)
    assert not [form for form in forms if "disabled" in form]
    assert page.count(f'name="csrf" value="{eva.csrf}"') == len(forms)


@pytest.mark.parametrize("theme", THEMES)
def test_a_theme_is_kept_by_the_browser_and_is_there_with_the_first_line(eva, theme):
    """In a cookie, so that nothing flashes and no script is needed; signed out too."""
    done = eva.post("/settings/theme", {"theme": theme})
    assert done.status_code == 303
    kept = done.headers["Set-Cookie"]
    assert kept.startswith(f"sayso-theme={theme};")
    assert "HttpOnly" in kept
    assert "SameSite=Lax" in kept
    client = eva.browser.local.app.test_client()
    client.set_cookie("sayso-theme", theme)
    assert f'<html lang="en" data-theme="{theme}">' in client.get("/", base_url=ISSUER).text


def test_a_theme_that_nobody_offers_is_the_system_s(eva):
    """In the cookie and in the form."""
    assert eva.post("/settings/theme", {"theme": '"><b>'}).status_code == 422
    client = eva.browser.local.app.test_client()
    client.set_cookie("sayso-theme", "pink")
    assert 'data-theme="system"' in client.get("/", base_url=ISSUER).text


def test_the_offline_page_that_browsers_keep_has_no_theme(eva):
    """It would stay what it was when it was kept."""
    client = eva.browser.local.app.test_client()
    client.set_cookie("sayso-theme", "dark")
    assert 'data-theme="system"' in client.get("/offline", base_url=ISSUER).text


def test_every_theme_has_its_colours(eva):
    """For what is light by itself and for what is dark."""
    style = eva.get("/style.css").text
    for theme in ("light", "dark", "contrast"):
        assert f'[data-theme="{theme}"]' in style
    assert "{%" not in style
    assert style.count("--ink: #e9e6e0") == 2


def test_quiet_hours_are_set_shown_and_taken_back(eva):
    """On the ticked days, in the named zone."""
    assert eva.post("/settings/quiet", HOURS).status_code == 303
    hours = _told(eva, "/api/attention")["quiet_hours"]
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
    assert _told(eva, "/api/attention")["quiet_hours"] is None


@pytest.mark.parametrize(
    "wrong", [{"zone": "Atlantis"}, {"from": "25:00"}, {"fri": None, "sat": None}]
)
def test_hours_that_cannot_be_kept_are_refused_in_words(eva, wrong):
    """Nothing is kept then."""
    assert eva.post("/settings/quiet", {**HOURS, **wrong}).status_code == 422
    assert _told(eva, "/api/attention")["quiet_hours"] is None


@pytest.mark.parametrize("minutes", [None, "60"])
def test_an_agent_is_muted_on_its_page_and_heard_again_in_the_settings(eva, agent, minutes):
    """Only one that asked this person before has the button."""
    assert eva.post(f"/agents/{agent.id}/mute", {"agent": agent.id}).status_code == 404
    agent.asked(login_hint="eva")
    assert f"/agents/{agent.id}/mute" in eva.get(f"/agents/{agent.id}").text
    form = {"agent": agent.id, "minutes": minutes}
    assert eva.post(f"/agents/{agent.id}/mute", form).status_code == 303
    (mute,) = _told(eva, "/api/attention")["mutes"]
    assert (mute["agent"]["id"], mute["until"] is None) == (agent.id, minutes is None)
    where = f"/settings/mutes/{agent.id}/end"
    assert where in eva.get("/settings").text
    assert eva.post(where).status_code == 303
    assert where not in eva.get("/settings").text


@pytest.mark.parametrize("minutes", ["soon", "-1", "²"])
def test_a_mute_is_for_whole_minutes(eva, agent, minutes):
    """Or until it is ended."""
    agent.asked(login_hint="eva")
    form = {"agent": agent.id, "minutes": minutes}
    assert eva.post(f"/agents/{agent.id}/mute", form).status_code == 422


def test_a_deputy_is_named_under_the_passkey_for_whole_days(eva, max_):
    """Both see it, and either ends it with a press."""
    asked = eva.post("/settings/deputies", DEPUTY)
    assert "Add a deputy?" in asked.text
    assert "<bdi>max</bdi>" in asked.text
    assert _told(eva, "/api/deputies")["mine"] == []
    assert eva.signed("/settings/deputies", DEPUTY).status_code == 303
    (named,) = _told(eva, "/api/deputies")["mine"]
    assert (named["from"], named["to"]) == ("2025-10-10T00:00:00.000Z", "2025-10-13T00:00:00.000Z")
    where = f"/settings/deputies/{named['id']}/end"
    assert where in eva.get("/settings").text
    assert "You decide for" in max_.get("/settings").text
    assert max_.post(where).status_code == 303
    assert _told(eva, "/api/deputies")["mine"] == []


@pytest.mark.usefixtures("max_")
def test_what_was_not_signed_names_no_deputy(eva):
    """Nor does the word for another person, or for another time."""
    assert eva.post("/settings/deputies", {**DEPUTY, "statement": "x"}).status_code == 422
    asked = eva.post("/settings/deputies", DEPUTY).text
    wanted = dict(re.findall(r'data-(purpose|subject|nonce)="([^"]*)"', asked))
    word = eva.browser.statement(**wanted)
    other = {**DEPUTY, "to": "2025-10-30", "statement": word}
    assert eva.post("/settings/deputies", other).status_code == 422
    assert _told(eva, "/api/deputies")["mine"] == []


@pytest.mark.parametrize("wrong", [{"from": "tomorrow"}, {"to": None}])
def test_days_that_are_none_are_refused_before_anything_is_signed(eva, wrong):
    """With an example of a day."""
    refused = eva.post("/settings/deputies", {**DEPUTY, **wrong})
    assert refused.status_code == 422
    assert "2026-12-24" in refused.text


@pytest.mark.parametrize("path", ["deputies", "user-code"])
def test_nothing_of_another_site_is_shown_for_signing(eva, path):
    """Or a person would sign what others filled in."""
    for form, headers in (({"csrf": None}, {}), ({"csrf": "made up"}, {}), ({}, FOREIGN)):
        sent = eva.post(f"/settings/{path}", {**DEPUTY, "code": "blue whale", **form}, headers)
        assert sent.status_code == 403
        assert "Sign with passkey" not in sent.text


@pytest.mark.parametrize("path", ["theme", "quiet", "quiet/end", "user-code/end"])
def test_another_site_changes_no_setting(eva, path):
    """A form counts only from a page of ours for this very browser."""
    form = {**HOURS, "theme": "dark"}
    assert eva.post(f"/settings/{path}", form, FOREIGN).status_code == 403
    assert eva.post(f"/settings/{path}", {**form, "csrf": None}).status_code == 403


@pytest.mark.usefixtures("max_")
def test_another_s_deputy_is_not_there_to_be_ended(eva, local):
    """Its id leads to 404."""
    assert eva.signed("/settings/deputies", DEPUTY).status_code == 303
    (named,) = _told(eva, "/api/deputies")["mine"]
    zoe = Pages(new_browser(local, "zoe", credential=b"the passkey of zoe"))
    assert zoe.post(f"/settings/deputies/{named['id']}/end").status_code == 404
    assert len(_told(eva, "/api/deputies")["mine"]) == 1


def test_a_user_code_is_set_and_cleared_under_the_passkey(eva, agent, local):
    """An agent that takes codes then needs it."""
    local.desk.agents.update(agent.id, AgentChanges(takes_user_code=True), by=BY)
    assert (
        eva.post("/settings/user-code", {"code": "blue whale", "statement": "x"}).status_code == 422
    )
    assert eva.signed("/settings/user-code", {"code": "blue whale"}).status_code == 303
    assert _told(eva, "/api/user-code") == {"set": True}
    assert agent.ask(login_hint="eva").json["error"] == "missing_user_code"
    assert agent.ask(login_hint="eva", user_code="blue whale").status == 200
    assert "Remove code" in eva.get("/settings").text
    assert eva.signed("/settings/user-code/end").status_code == 303
    assert _told(eva, "/api/user-code") == {"set": False}


def test_a_user_code_that_is_none_is_refused(eva):
    """The API says why; nothing is kept."""
    assert eva.signed("/settings/user-code", {"code": "ab"}).status_code == 422
    assert _told(eva, "/api/user-code") == {"set": False}


def test_the_steps_to_install_are_there_for_each_platform_and_promise_nothing(eva):
    """Without scripts it says that there are no alerts yet."""
    page = eva.get("/install").text
    for words in (
        "iPhone, iPad",
        "16.4",
        "Add to Home Screen",
        "Android",
        "Firefox",
        "Notifications are off",
    ):
        assert words in page


def test_each_platform_has_drawings_that_say_in_words_what_they_show(eva):
    """For whoever does not see them."""
    page = eva.get("/install").text
    platforms = page.split('<section class="tile platform"')[1:]
    assert len(platforms) == 6
    for one in platforms:
        assert '<svg class="drawing"' in one
        assert one.count('class="drawing"') == one.count('role="img" aria-label="')
        assert 'aria-label=""' not in one
        assert "<text" not in one


def test_a_locked_screen_s_detail_is_said_to_be_none(eva):
    """There is no switch for it, and the page says so."""
    assert "never what it asks for" in eva.get("/settings").text
