"""Fraudulent payments, each of which shows its signal, and honest ones that show none.

The history: weekly payments of EUR 990 for 24 weeks to each of three payees, always at the same
hour, and a few others.
"""

from collections.abc import Callable

import pytest

from server.protocol.approvals.unusual import Code
from tests.support.builders.clock import DAY, HOUR, SECOND
from tests.support.builders.past_payments import ACCOUNT, DETAIL, PAYEE, Payments, euro, payments

WEEKS = 24
KNOWN = (
    {},
    {"payee": "Общество Ромашка", "account": "LT12 1000 0111 0100 1000", "amount": euro(40_000)},
    {"payee": "株式会社 東京商事", "account": "JP00 1234 5678", "amount": euro(250_000)},
)
OTHERS = (
    {"payee": "Müller & Söhne", "account": "DE11 5001 0517 5407 3249 31"},
    {"payee": "Ελληνική Εταιρεία", "account": "GR16 0110 1250 0000 0001 2300 695"},
    {"payee": "paypal.com", "account": "LU28 0019 4006 4475 0000"},
    {"payee": "Once GmbH", "account": "AT61 1904 3002 3457 3201", "amount": euro(4_820)},
)


@pytest.fixture(scope="module")
def installation(template, tmp_path_factory):
    """An installation whose history is created only once."""
    local = template.copy_to(tmp_path_factory.mktemp("history") / "data")
    paid = payments(local, template.agent(local).id)
    for _ in range(WEEKS):
        for payment in KNOWN:
            paid.approve(payment)
        local.clock.forward(7 * DAY)
    for other in OTHERS:
        paid.approve(other)
        local.clock.forward(DAY)
    yield paid
    local.services.store.close()


@pytest.fixture
def paid(installation):
    """The same history at the usual hour of a new day."""
    moment = installation.local.clock.moment
    yield installation
    installation.local.clock.moment = moment + DAY


def _signal_codes(*changes, **others) -> Callable[[Payments], frozenset[Code]]:
    return lambda paid: paid.compare(*changes, **others).unusual.codes


def _with_new_name(name) -> Callable[[Payments], frozenset[Code]]:
    return lambda paid: paid.renamed(name).compare().unusual.codes


def _split(paid: Payments) -> frozenset[Code]:
    for number in range(4):
        paid.ask({"reference": f"Part {number}"})
    return paid.ask({"reference": "Part 5"}).unusual.codes


def _split_to_a_new_account(paid: Payments) -> frozenset[Code]:
    new = {"payee": "Neu GmbH", "account": "LT77 0000 1111"}
    for _ in range(4):
        paid.ask(new)
    return paid.ask(new).unusual.codes


def _burst(paid: Payments) -> frozenset[Code]:
    for number in range(7):
        paid.ask(KNOWN[number % 3])
        paid.local.clock.forward(SECOND)
    return paid.ask().unusual.codes


def _flood_of_a_day(paid: Payments) -> frozenset[Code]:
    for number in range(10):
        paid.ask(KNOWN[number % 3])
        paid.local.clock.forward(HOUR // 2)
    return paid.ask().unusual.codes


def _at_night(paid: Payments) -> frozenset[Code]:
    paid.local.clock.forward(12 * HOUR)
    return paid.compare().unusual.codes


def _at_another_resource(paid: Payments) -> frozenset[Code]:
    return paid.at("https://other.example").compare().unusual.codes


FRAUDS = {
    "another word in the payee": ("other_name", _signal_codes({"payee": f"{PAYEE} International"})),
    "another legal form": ("other_name", _signal_codes({"payee": "Nordwind Logistik Ltd"})),
    "another payee altogether": ("other_name", _signal_codes({"payee": "Somebody"})),
    "a known payee, known account of another": (
        "other_name",
        _signal_codes({"payee": "Müller & Söhne"}),
    ),
    "Cyrillic letters in the payee": (
        "lookalike",
        _signal_codes({"payee": "N\u043erdwind L\u043egistik"}),
    ),
    "Cyrillic letters mixed in": ("mixed_scripts", _signal_codes({"payee": "Log\u0456stik"})),
    "a site that looks like a known one": (
        "lookalike",
        _signal_codes({"payee": "\u0440\u0430ypal.com", "account": "LT99 9999"}),
    ),
    "a digit one for a letter": ("lookalike", _signal_codes({"payee": "Nordwind Log1stik"})),
    "mixed letters in the reference": (
        "mixed_scripts",
        _signal_codes({"reference": "Inv\u043eice 7"}),
    ),
    "ten times the amount": ("large_amount", _signal_codes({"amount": euro(990_000)})),
    "a hundred times the only one before": (
        "large_amount",
        _signal_codes({**OTHERS[3], "amount": euro(482_000)}),
    ),
    "much for a new payee": (
        "large_amount",
        _signal_codes({"payee": "Neu GmbH", "account": "LT00 5", "amount": euro(9_900_000)}),
    ),
    "a known payee with a new account": ("other_target", _signal_codes({"account": "LT00 6"})),
    "several payments in one request": ("large_amount", _signal_codes(*[{}] * 9)),
    "five payments of the usual size on one day": ("split_amount", _split),
    "five payments to a new account": ("split_amount", _split_to_a_new_account),
    "at night": ("unusual_hour", _at_night),
    "a renamed agent": ("renamed_agent", _with_new_name("weather-helper")),
    "an agent with letters of two alphabets": ("mixed_scripts", _with_new_name("inv\u043eice-bot")),
    "an agent that looks like another": ("lookalike", _with_new_name("invo1ce-bot")),
    "a new currency": (
        "new_currency",
        _signal_codes({"amount": {"minor": 99_000, "currency": "USD"}}),
    ),
    "a new scope": ("new_scope", _signal_codes(scope=("payments:read",))),
    "a new resource": ("new_resource", _at_another_resource),
    "eight requests within minutes": ("burst", _burst),
    "eleven requests on one day": ("burst", _flood_of_a_day),
    "an unknown account": ("new_target", _signal_codes({"payee": "Neu GmbH", "account": "LT00 7"})),
}

HONEST = {
    "the same again": _signal_codes(),
    "half the amount": _signal_codes({"amount": euro(49_500)}),
    "twice the amount": _signal_codes({"amount": euro(198_000)}),
    "an amount as approved before": _signal_codes({**KNOWN[2]}),
    "a cent less": _signal_codes({"amount": euro(98_999)}),
    "twice the only one before": _signal_codes({**OTHERS[3], "amount": euro(9_640)}),
    "half the only one before": _signal_codes({**OTHERS[3], "amount": euro(2_410)}),
    "another reference": _signal_codes({"reference": "Rechnung 4711"}),
    "a reference in German": _signal_codes({"reference": "Prüfung für März"}),
    "a reference in Greek": _signal_codes({"reference": "τιμολόγιο 12"}),
    "a reference in Japanese and Latin": _signal_codes({"reference": "ABC請求書 カタカナ 12"}),
    "a reference in Russian": _signal_codes({"reference": "счёт № 15"}),
    "words in two languages": _signal_codes({"reference": "Invoice счёт 15"}),
    "a payee in Russian": _signal_codes(KNOWN[1]),
    "a payee in Japanese": _signal_codes(KNOWN[2]),
    "a payee in German": _signal_codes(OTHERS[0]),
    "a payee in Greek": _signal_codes(OTHERS[1]),
    "a payee in capitals": _signal_codes({"payee": PAYEE.upper()}),
    "an account without spaces": _signal_codes({"account": ACCOUNT.replace(" ", "")}),
    "another cut-off time": _signal_codes({"cut_off": "2027-01-01T09:00:00Z"}),
    "two known payees in one request": _signal_codes({}, KNOWN[1]),
    "a payee with two spaces": _signal_codes({"payee": PAYEE.replace(" ", "  ")}),
}


def _an_hour_later(paid: Payments) -> frozenset[Code]:
    paid.local.clock.forward(HOUR)
    return paid.compare().unusual.codes


def _a_second_one_today(paid: Payments) -> frozenset[Code]:
    paid.ask()
    return paid.ask({"reference": "Order 2"}).unusual.codes


def _all_payees_today(paid: Payments) -> frozenset[Code]:
    for payment in KNOWN:
        paid.ask(payment)
    return paid.compare(OTHERS[0]).unusual.codes


HONEST |= {
    "an hour later": _an_hour_later,
    "a second one on one day": _a_second_one_today,
    "one to each payee on one day": _all_payees_today,
}


@pytest.mark.parametrize("name", FRAUDS)
def test_a_fraud_shows_its_signal(paid, name):
    """A fraud shows at least the expected signal, and may show others."""
    code, ask = FRAUDS[name]
    assert code in ask(paid)


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_payment_shows_no_signal(paid, name):
    """An honest payment is compared with the history above and shows nothing unusual."""
    assert HONEST[name](paid) == frozenset()


def test_a_payment_is_called_usual_only_without_signals(paid):
    """The text states the number of compared approvals."""
    assert paid.compare().unusual.compared.startswith("Nothing unusual, compared with 76 earlier")
    fraud = paid.compare({"payee": "Somebody"}).unusual
    assert fraud.compared.startswith("Compared with 76 earlier")
    assert DETAIL["account"] not in "".join(signal.text for signal in fraud.signals)
