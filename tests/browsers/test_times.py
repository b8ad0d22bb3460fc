"""Every page shows times in the user's zone, with the exact time and zone on hover."""

import pytest

from tests.support.browsers.chromium import Chromium
from tests.support.browsers.first_sign_in import enroll_too, newcomer
from tests.support.clients.agent import Agent
from tests.support.clients.terminal import new_person
from tests.support.servers.server import LiveServer

_TIMES = """Array.from(document.querySelectorAll('main time'), (each) => [
  each.checkVisibility() ? each.textContent : '',
  each.title,
  Number.isNaN(Date.parse(each.dateTime)),
])"""


@pytest.mark.parametrize("page", ["/r/{}", "/done/{}", "/receipt/{}", "/history", "/devices", "/"])
def test_times_are_local_with_the_zone_on_hover(
    server: LiveServer, tab: Chromium, agent: Agent, page: str
) -> None:
    """No page shows a second time in UTC."""
    person = new_person(server)
    agent.request_approval(person.user)
    approval = person.approve(person.only_request())
    agent.request_approval(person.user)
    tab.tell("Emulation.setTimezoneOverride", timezoneId="Asia/Tokyo")
    enroll_too(tab, server, person.user)
    tab.open(server.url + page.format(approval.id))
    tab.see("document.querySelector('main time').title.includes('GMT+9')")
    times = tab.ask(_TIMES)
    assert times
    for text, title, is_invalid in times:
        assert "GMT+9" in title
        assert "UTC" not in text
        assert not is_invalid
    assert " UTC" not in tab.text("main")
    person.client.close()


_LEFT_EDGES = """(() => {
  const time = document.querySelector("main time").firstChild;
  const [day, year] = [0, time.data.indexOf("20")];
  return [day, year].map((from) => {
    const range = document.createRange();
    range.setStart(time, from);
    range.setEnd(time, from + 2);
    return range.getBoundingClientRect().left;
  });
})()"""


def test_a_right_to_left_date_stays_together(
    server: LiveServer, tab: Chromium, agent: Agent
) -> None:
    """The pages are left to right, but an Arabic date begins with the day at its right end."""
    agent.request_approval(newcomer(tab, server))
    tab.tell("Emulation.setLocaleOverride", locale="ar")
    tab.open(f"{server.url}/")
    tab.open(tab.see("document.querySelector('.row a')?.href"))
    tab.see("/\\u200f.*20\\d\\d/.test(document.querySelector('main time').textContent)")
    day, year = tab.ask(_LEFT_EDGES)
    assert day > year
