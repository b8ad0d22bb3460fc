"""The OpenAPI document describes exactly the existing routes."""

import pytest
from jsonschema import Draft202012Validator
from pydantic.json_schema import models_json_schema

from server.http import openapi
from server.http.routes import ROUTES
from tests.support.builders.site import ISSUER


@pytest.fixture
def document(local):
    """The OpenAPI document as the server returns it."""
    answer = local.send("GET", "/api/openapi.json")
    assert answer.status == 200
    return answer.json


def test_every_route_is_described_by_path_and_method(document):
    """The operations of the document are exactly the routes."""
    described = {
        (method.upper(), path) for path, item in document["paths"].items() for method in item
    }
    rows = {(r.method, r.path.replace("<", "{").replace(">", "}")) for r in ROUTES}
    assert described == rows
    assert (document["openapi"], document["servers"]) == ("3.1.0", [{"url": ISSUER}])


def test_every_schema_is_referenced_and_every_reference_resolves(document):
    """The schemas are exactly the referenced ones."""
    named = set(document["components"]["schemas"])
    text = str(document)
    referenced = {part.split("'")[0] for part in text.split("#/components/schemas/")[1:]}
    assert referenced == named


def test_every_default_is_a_value_of_its_member(document):
    """Validators refuse a document with an invalid default."""
    for schema in document["components"]["schemas"].values():
        for member in schema.get("properties", {}).values():
            if "default" in member:
                described = {**member, "components": document["components"]}
                Draft202012Validator(described).validate(member["default"])


def test_the_limit_for_user_codes_is_described(document):
    """A person who sets their code too often gets 429."""
    assert "429" in document["paths"]["/api/user-code"]["post"]["responses"]


def _member_names(document):
    """Return the members of each schema."""
    return {name: set(schema.get("properties", ())) for name, schema in document.items()}


def test_answers_are_described_with_the_names_in_which_they_are_sent(document):
    """A member that Python cannot name, such as `from`, has its own name in the document."""
    answers = {route.answer for route in ROUTES if route.answer is not None}
    _, sent = models_json_schema([(model, "serialization") for model in answers])
    described = _member_names(document["components"]["schemas"])
    assert _member_names(sent["$defs"]).items() <= described.items()


def test_forms_bodies_paths_and_queries_are_described(document):
    """The document names the parameters of each kind."""
    form = document["paths"]["/token"]["post"]["requestBody"]["content"]
    schema = form["application/x-www-form-urlencoded"]["schema"]
    assert "grant_type" in schema["properties"]
    assert schema["required"] == ["grant_type"]
    headers = [p for p in document["paths"]["/token"]["post"]["parameters"] if p["in"] == "header"]
    assert [p["name"] for p in headers] == ["DPoP", "Idempotency-Key", "Prefer"]
    decision = document["paths"]["/api/approvals/{id}/decision"]["post"]
    assert decision["requestBody"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/SignedDecision"
    }
    assert [p["name"] for p in decision["parameters"]] == ["id"]
    assert decision["requestBody"]["required"] is True
    listed = document["paths"]["/api/approvals"]["get"]
    assert [p["name"] for p in listed["parameters"]] == [
        "state",
        "agent",
        "result",
        "since",
        "until",
        "limit",
        "cursor",
    ]


def test_security_and_errors_are_described(document):
    """User routes refuse with problems, and client routes with OAuth errors."""
    me = document["paths"]["/api/me"]["get"]
    assert me["security"] == [{"person": []}, {"browser": []}]
    assert "application/problem+json" in me["responses"]["401"]["content"]
    token = document["paths"]["/token"]["post"]
    assert token["security"] == [{"client": []}]
    assert "application/json" in token["responses"]["400"]["content"]
    assert "security" not in document["paths"]["/jwks"]["get"]


def test_a_route_without_inputs_describes_only_its_answers():
    """The route has no body, but like any route it may be unavailable."""
    (metrics,) = [route for route in ROUTES if route.path == "/metrics"]
    operation = openapi.document(ISSUER, [metrics])["paths"]["/metrics"]["get"]
    refused = {"schema": {"$ref": "#/components/schemas/OAuthError"}}
    assert operation == {
        "summary": "Get metrics for Prometheus.",
        "responses": {
            "200": {"description": "Get metrics for Prometheus."},
            "503": {"description": "Refused.", "content": {"application/json": refused}},
        },
        "parameters": [],
    }


def test_413_is_described_exactly_where_there_is_a_body(document):
    """Only a body or a form can be too large."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            assert ("413" in operation["responses"]) == ("requestBody" in operation), (path, method)
