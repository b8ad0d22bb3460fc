"""What screens call a client belongs to that client alone."""
# ruff: noqa: RUF001  # letters that look alike are what it is about

import pytest

from server.services.agent_forms import AgentChanges
from server.services.app_forms import AppChanges, NewApp
from server.services.parties import TERMINAL
from server.services.refusals import Exists
from tests.support.installation import BY, admitted, registered

BACK = ("https://chat.example/cb",)


@pytest.fixture
def clients(desk):
    """An agent called `pay` and an app called `chat`."""
    admitted(desk)
    registered(desk, "pay")
    desk.apps.add(NewApp("chat", BACK), by=BY)
    return desk


@pytest.mark.parametrize("name", ["pay", "PAY", "рау", "chat", "Chat", TERMINAL, TERMINAL.upper()])
def test_no_other_client_is_called_so_or_looks_as_if_it_were(clients, name):
    """Neither an agent nor an app, when it comes and when it changes."""
    with pytest.raises(Exists):
        registered(clients, name)
    with pytest.raises(Exists):
        clients.apps.add(NewApp(name, BACK), by=BY)
    registered(clients, "other-agent")
    clients.apps.add(NewApp("other-app", BACK), by=BY)
    with pytest.raises(Exists):
        clients.agents.update("other-agent", AgentChanges(name=name), by=BY)
    with pytest.raises(Exists):
        clients.apps.update("other-app", AppChanges(name=name), by=BY)


def test_a_client_may_spell_its_own_name_anew(clients):
    """It is still the same one, and found by either spelling."""
    assert clients.agents.update("pay", AgentChanges(name="Рау"), by=BY).name == "Рау"
    assert clients.agents.show("pay")[0].name == "Рау"
    assert clients.apps.update("chat", AppChanges(name="CHAT"), by=BY).name == "CHAT"
