"""Previews of action types: what a person would see."""

import json
from datetime import datetime

import pytest

from server.protocol.approvals.ceremonies import Step
from server.protocol.policy.risks import TIME_TO_LIVE, Risk
from server.services.policy import builtin_action_types
from server.services.policy.previews import Previews
from server.services.refusals import Invalid
from tests.support.builders.installation import PAYMENT, LocalAdmin


@pytest.fixture
def previews(admin_services: LocalAdmin) -> Previews:
    """Previews of an installation without registered types."""
    return Previews(admin_services.store)


@pytest.mark.parametrize(
    "name", sorted(set(builtin_action_types.documents()) - {builtin_action_types.GENERIC})
)
def test_every_built_in_type_can_be_previewed(previews: Previews, name: str) -> None:
    """The preview has facts and a headline without unfilled fields."""
    preview = previews.preview(builtin_action_types.document(name))
    display = json.loads(preview.display)
    assert "{" not in display["headline"]
    assert display["headline"]
    assert display["facts"]


def test_a_preview_displays_the_given_details(previews: Previews) -> None:
    """The details do not have to contain the type."""
    details = {"amount": {"minor": 100, "currency": "EUR"}, "payee": "Ana", "account": "DE0212345"}
    preview = previews.preview(builtin_action_types.document("payment.transfer"), details)
    assert json.loads(preview.display)["headline"] == "Pay EUR 1.00 to Ana"
    assert preview.details["type"] == "payment.transfer"


def test_a_high_risk_preview_contains_type_back_and_lifetime(previews: Previews) -> None:
    """A real request would have them too."""
    preview = previews.preview(builtin_action_types.document("payment.transfer"))
    assert preview.ceremony == {Step.PIN, Step.TYPE_BACK}
    display = json.loads(preview.display)
    assert display["type_back"]["label"]
    asked_at, expires_at = (
        datetime.fromisoformat(display[name]) for name in ("asked_at", "expires_at")
    )
    assert (expires_at - asked_at).total_seconds() == TIME_TO_LIVE[Risk.HIGH]


def test_hostile_details_are_displayed_safely(previews: Previews) -> None:
    """Control characters are escaped, as in a real request."""
    hostile = "\u202eevil\x1b]0;x\x07[@click=app.quit]"
    details = {
        "amount": {"minor": 1, "currency": "EUR"},
        "payee": hostile,
        "account": "DE0212345",
    }
    text = previews.preview(builtin_action_types.document("payment.transfer"), details).display
    assert "\u202e" not in json.loads(text)["headline"]
    assert "\x1b" not in json.loads(text)["headline"]


@pytest.mark.parametrize(
    ("document", "details", "member", "message"),
    [
        ("{", None, "document", "The file"),
        (json.dumps({**PAYMENT, "headline": "Pay {nothing}"}), None, "document", "/headline"),
        (json.dumps(PAYMENT), {"amount": 1}, "details", "payee is required by payment.transfer"),
    ],
)
def test_a_preview_error_names_the_document_or_the_details(
    previews: Previews, document: str, details: dict[str, object] | None, member: str, message: str
) -> None:
    """The error names the invalid member in the document or in the details."""
    with pytest.raises(Invalid, match=message) as refused:
        previews.preview(document, details)  # type: ignore[arg-type]  # details are JSON
    assert refused.value.member == member


def test_a_type_without_a_displayable_example_needs_details(previews: Previews) -> None:
    """A generated example would have more values than can be displayed."""
    long_list = {"type": "array", "items": {"type": "string"}, "minItems": 600}
    schema = {"type": "object", "additionalProperties": False, "properties": {"all": long_list}}
    file = json.dumps({"type": "too.much", "title": "Much", "schema": schema})
    with pytest.raises(Invalid, match="Provide the details"):
        previews.preview(file)
