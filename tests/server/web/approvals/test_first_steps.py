"""First steps below the inbox: each is checked off once done, and the list then disappears."""

import re

import pytest

from server.web.approvals import inbox
from tests.support.browsers import push_calls
from tests.support.builders.callers import sign_in
from tests.support.builders.installation import BY
from tests.support.builders.passkey import new_browser
from tests.support.builders.person_pages import get
from tests.support.fakes.push_service import PushService


@pytest.fixture
def service():
    """A push service that only issues subscriptions."""
    return PushService(port=8990)


@pytest.fixture
def local(open_local, service):
    """A server that accepts that push service."""
    return open_local(push_origins=service.origin)


@pytest.fixture
def browser(local):
    """Eva, whose only device is a passkey."""
    return new_browser(local)


def _steps(page: str) -> tuple[list[str], list[str]]:
    """Return the labels of the open steps and the labels of the completed steps."""
    section = page.partition('<section id="first-steps"')[2].partition("</section>")[0]
    return re.findall('<li><a href="[^"]+">(.+?)</a>', section), re.findall(
        r"&#10003;</span> (.+?) <span", section
    )


_NOTIFY, _DEVICE, _AGENT, _TRY = (step.label for step in inbox.STEPS)


def test_a_new_user_sees_the_next_steps_until_they_are_done(browser, local, service):
    """An approver has two steps: notifications in this browser, then a second device."""
    page = get(browser, "/").text
    assert _steps(page) == ([_NOTIFY, _DEVICE], [])
    assert "Until then, take the first steps below." in page
    push_calls.subscribe(browser, service)
    assert _steps(get(browser, "/").text) == ([_DEVICE], [_NOTIFY])
    code = local.admin.users.enroll(browser.user.name, by=BY)[1].code
    assert sign_in(local, browser.user, code).register().status == 201
    page = get(browser, "/").text
    assert 'id="first-steps"' not in page
    assert "take the first steps" not in page


def test_an_administrator_has_two_more_steps(console):
    """Both extra steps are done in this fixture: an agent exists and has sent a request."""
    open_steps, done_steps = _steps(console.get("admin", "/").text)
    assert set(open_steps) | set(done_steps) == {_NOTIFY, _DEVICE, _AGENT, _TRY}
    assert {_AGENT, _TRY} <= set(done_steps)
    assert _steps(console.get("owner", "/").text) == ([_NOTIFY], [_DEVICE])


@pytest.mark.parametrize("step", inbox.STEPS, ids=lambda step: step.path)
def test_each_step_links_to_a_page(console, step):
    """The linked page exists and contains the section that the link's fragment names."""
    page = console.get("admin", step.path.partition("#")[0])
    assert page.status_code == 200
    assert not (part := step.path.partition("#")[2]) or f'id="{part}"' in page.text
