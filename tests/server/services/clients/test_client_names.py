"""Names of clients must not equal or look like the names of other clients or users."""
# ruff: noqa: RUF001  # look-alike letters are the subject of these tests

from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.model.display_names import TERMINAL
from server.model.store import Taken
from server.protocol.confusables import _prototypes, name_keys, skeleton
from server.protocol.policy.risks import Risk
from server.protocol.text import check_name
from server.services.clients.agent_forms import AgentChanges
from server.services.clients.app_forms import AppChanges, NewApp
from server.services.refusals import Exists, Invalid, NotFound
from server.services.users.users import NewUser
from tests.support.builders.installation import BY, add_user, register_agent

BACK = ("https://chat.example/cb",)
LOOK_ALIKES = [
    "invoice-bot",
    "lnvoice-bot",
    "1nvoice-bot",
    "Invoice-Bot",
    "INVOICE-BOT",
    "invoice_bot",
    "invoice bot",
    "invoicebot",
    "invoice.bot",
    "inv0ice-bot",
    "invoice-b0t",
    "lnvoice_b0t",
]
MIXED = ["invօice-bot", "іnvoice-bot", "invοice-bot", "invoice-bоt"]


@pytest.fixture
def clients(admin_services):
    """An agent called `pay` and an app called `chat`."""
    add_user(admin_services)
    register_agent(admin_services, "pay")
    admin_services.apps.add(NewApp("chat", BACK), by=BY)
    return admin_services


@pytest.fixture
def others(clients):
    """An agent called `invoice-bot`, and another agent and app."""
    register_agent(clients, "invoice-bot")
    register_agent(clients, "other-agent")
    clients.apps.add(NewApp("other-app", BACK), by=BY)
    return clients


@pytest.mark.parametrize("name", ["pay", "PAY", "рау", "chat", "Chat", TERMINAL, TERMINAL.upper()])
def test_a_name_that_looks_like_another_clients_is_refused(clients, name):
    """Adding and renaming check the name, for agents and for apps."""
    with pytest.raises(Exists):
        register_agent(clients, name)
    with pytest.raises(Exists):
        clients.apps.add(NewApp(name, BACK), by=BY)
    register_agent(clients, "other-agent")
    clients.apps.add(NewApp("other-app", BACK), by=BY)
    with pytest.raises(Exists):
        clients.agents.update("other-agent", AgentChanges(name=name), by=BY)
    with pytest.raises(Exists):
        clients.apps.update("other-app", AppChanges(name=name), by=BY)


@pytest.mark.parametrize(
    ("names", "refusal"), [(LOOK_ALIKES, Exists), (MIXED, Invalid)], ids=["alike", "mixed"]
)
def test_every_look_alike_of_a_name_is_refused(others, names, refusal):
    """Adding and renaming refuse look-alikes, for agents, apps and users."""
    attempts = (
        lambda name: register_agent(others, name),
        lambda name: others.apps.add(NewApp(name, BACK), by=BY),
        lambda name: others.users.add(NewUser(name), by=BY),
        lambda name: others.agents.update("other-agent", AgentChanges(name=name), by=BY),
        lambda name: others.apps.update("other-app", AppChanges(name=name), by=BY),
    )
    for name in names:
        for attempt in attempts:
            with pytest.raises(refusal) as refused:
                attempt(name)
            assert refused.value.member == "name"


def test_the_error_of_a_refused_name_says_what_to_do(others):
    """The error names the client that has the name, or the scripts that are mixed."""
    with pytest.raises(
        Exists, match=r"agent invoice-bot \(.*\) already exists. Choose a name that cannot"
    ):
        register_agent(others, "lnvoice-bot")
    with pytest.raises(Invalid, match="mixes Armenian and Latin characters; use one"):
        register_agent(others, "invօice-bot")


def test_a_client_cannot_have_the_name_of_a_user(clients):
    """Look-alikes are refused too, because users and clients appear in the same sentences."""
    clients.users.add(NewUser("Alice Miller"), by=BY)
    for name in ("Alice Miller", "alice-miller", "AIice Miller"):
        with pytest.raises(Exists, match="The user Alice Miller already exists"):
            register_agent(clients, name)
        with pytest.raises(Exists, match="The user Alice Miller already exists"):
            clients.users.add(NewUser(name), by=BY)


def test_resources_must_not_look_alike(clients):
    """People recognize a resource by its URI, so look-alike URIs are refused."""
    clients.resources.add("https://pay.example/v1", {"read": Risk.LOW}, {}, by=BY)
    for uri in ("https://pay.example/vl", "https://pay-example/v1", "HTTPS://PAY.example/v1"):
        with pytest.raises(Exists, match=r"can be confused with https://pay\.example/v1"):
            clients.resources.add(uri, {"read": Risk.LOW}, {}, by=BY)


def test_a_client_may_respell_its_own_name(clients):
    """After that, the client is found by its new name in any case, not by a look-alike."""
    assert clients.agents.update("pay", AgentChanges(name="Рау"), by=BY).name == "Рау"
    assert clients.agents.show("РАУ")[0].name == "Рау"
    with pytest.raises(NotFound):
        clients.agents.show("pay")
    assert clients.apps.update("chat", AppChanges(name="CHAT"), by=BY).name == "CHAT"


def test_a_name_is_free_again_after_deleting_or_renaming_its_client(clients):
    """A new client can take a name that is no longer in use."""
    clients.agents.update("pay", AgentChanges(name="payer"), by=BY)
    register_agent(clients, "Pay")
    clients.agents.delete("payer", by=BY)
    register_agent(clients, "Payer")
    clients.apps.delete("chat", by=BY)
    register_agent(clients, "chat")


def test_the_database_refuses_names_that_look_alike(others):
    """The database checks names too, so two concurrent changes cannot both be stored."""
    with others.store.administer() as tx:
        agent = tx.agents.get(tx.directory.find_agent("other-agent").id)
        app = tx.directory.find_app("other-app")
    with pytest.raises(Taken), others.store.administer() as tx:
        tx.agents.replace(replace(agent, name="lnvoice-bot"), tx.now)
    with pytest.raises(Taken), others.store.administer() as tx:
        tx.apps.replace(replace(app, name="lnvoice-bot"))
    assert others.agents.show("other-agent")[0].name == "other-agent"
    assert others.apps.show("other-app").name == "other-app"


_NAME = "invoice-bot"


@cache
def _look_alikes(letter: str) -> list[str]:
    """Return the characters that look like this letter. Finding them takes a moment."""
    key = skeleton(letter)
    return [chr(code) for code in _prototypes() if skeleton(chr(code)) == key]


@given(st.data())
def test_no_character_of_a_name_can_be_replaced_by_a_look_alike(data):
    """A name with a look-alike character is invalid, or its keys equal those of the original."""
    index = data.draw(st.integers(0, len(_NAME) - 1))
    letter = _NAME[index]
    look_alike = data.draw(st.sampled_from([letter.upper(), *_look_alikes(letter)]))
    look_alike_name = _NAME[:index] + look_alike + _NAME[index + 1 :]
    try:
        allowed = check_name(look_alike_name, what="name")
    except ValueError:
        return
    assert name_keys(allowed) & name_keys(_NAME)
