"""What a person would be shown of an action type, before anybody asks for it."""

import json

import pytest

from server.protocol.approvals.ceremonies import Step
from server.services.policy import builtin_action_types
from server.services.policy.previews import Previews
from server.services.refusals import Invalid
from tests.support.builders.installation import PAYMENT, Desk


@pytest.fixture
def previews(desk: Desk) -> Previews:
    """Of an installation in which no type is registered."""
    return Previews(desk.store)


@pytest.mark.parametrize(
    "name", sorted(set(builtin_action_types.documents()) - {builtin_action_types.GENERIC})
)
def test_every_type_that_is_shipped_can_be_looked_at(previews: Previews, name: str) -> None:
    """Its headline is filled in, and every leaf is there."""
    found = previews.of(builtin_action_types.document(name))
    display = json.loads(found.display)
    assert "{" not in display["headline"]
    assert display["headline"]
    assert display["facts"]


def test_the_details_that_are_given_are_those_that_are_shown(previews: Previews) -> None:
    """The type itself need not be written."""
    details = {"amount": {"minor": 100, "currency": "EUR"}, "payee": "Ana", "account": "DE0212345"}
    found = previews.of(builtin_action_types.document("payment.transfer"), details)
    assert json.loads(found.display)["headline"] == "Pay EUR 1.00 to Ana"
    assert found.details["type"] == "payment.transfer"


def test_what_is_of_high_risk_says_what_is_typed_back(previews: Previews) -> None:
    """As the request would."""
    found = previews.of(builtin_action_types.document("payment.transfer"))
    assert found.ceremony == {Step.PIN, Step.TYPE_BACK}
    assert json.loads(found.display)["type_back"]["label"]


def test_hostile_details_are_as_harmless_as_in_a_request(previews: Previews) -> None:
    """It is the same rendering."""
    bad = "\u202eevil\x1b]0;x\x07[@click=app.quit]"
    details = {"amount": {"minor": 1, "currency": "EUR"}, "payee": bad, "account": "DE0212345"}
    text = previews.of(builtin_action_types.document("payment.transfer"), details).display
    assert "\u202e" not in json.loads(text)["headline"]
    assert "\x1b" not in json.loads(text)["headline"]


@pytest.mark.parametrize(
    ("document", "details", "member", "says"),
    [
        ("{", None, "document", "The file"),
        (json.dumps({**PAYMENT, "headline": "Pay {nothing}"}), None, "document", "/headline"),
        (json.dumps(PAYMENT), {"amount": 1}, "details", "/payee is required"),
    ],
)
def test_what_is_wrong_is_said_of_the_file_or_of_the_details(
    previews: Previews, document: str, details: dict[str, object] | None, member: str, says: str
) -> None:
    """With its place."""
    with pytest.raises(Invalid, match=says) as refused:
        previews.of(document, details)  # type: ignore[arg-type]  # details are JSON
    assert refused.value.member == member


def test_a_type_whose_example_nobody_could_read_wants_details(previews: Previews) -> None:
    """Nothing endless is made."""
    many = {"type": "array", "items": {"type": "string"}, "minItems": 600}
    schema = {"type": "object", "additionalProperties": False, "properties": {"all": many}}
    file = json.dumps({"type": "too.much", "title": "Much", "schema": schema})
    with pytest.raises(Invalid, match="Provide the details"):
        previews.of(file)
