"""The OpenAPI document, generated from the table of routes and their models."""

import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from server.http import wire
from server.http.route import ID_PATTERN, STATEMENT, Caller, Route

_PARAMETER = re.compile(r"<(\w+)>")
_REF = "#/components/schemas/{model}"


def document(issuer: str, routes: Sequence[Route]) -> dict[str, object]:
    """The OpenAPI 3.1 document of these routes."""
    paths: dict[str, dict[str, object]] = {}
    for route in routes:
        path = _PARAMETER.sub(r"{\1}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Sayso", "version": "1"},
        "servers": [{"url": issuer}],
        "paths": paths,
        "components": {"schemas": _schemas(routes), "securitySchemes": _SECURITY},
    }


_SECURITY: dict[str, object] = {
    "client": {"type": "http", "scheme": "basic"},
    "resource": {"type": "http", "scheme": "basic"},
    "person": {"type": "http", "scheme": "DPoP"},
    "browser": {"type": "apiKey", "in": "cookie", "name": "sayso-passkey"},
}


def _schemas(routes: Sequence[Route]) -> dict[str, dict[str, Any]]:
    models: set[type[BaseModel]] = {wire.Problem, wire.OAuthError}
    for route in routes:
        models |= {model for model in (route.body, route.answer) if model is not None}
    ordered = sorted(models, key=lambda model: model.__name__)
    _, schema = models_json_schema([(m, "validation") for m in ordered], ref_template=_REF)
    definitions: dict[str, dict[str, Any]] = schema["$defs"]
    for definition in definitions.values():
        for member in definition.get("properties", {}).values():
            if {"minLength", "minItems"} & member.keys() and not member.get("default", True):
                del member["default"]  # it means that the member is omitted
    return definitions


def _operation(route: Route) -> dict[str, object]:
    operation: dict[str, object] = {
        "summary": route.summary,
        "responses": _responses(route),
        "parameters": _parameters(route),
    }
    if route.caller is not Caller.ANYBODY:
        operation["security"] = [{caller: []} for caller in _callers(route)]
    if route.rule is not None:
        operation["x-sayso-roles"] = [str(role) for role in route.rule.roles]
    if route.body is not None:
        operation["requestBody"] = _required_body("application/json", _reference(route.body))
    if route.form:
        operation["requestBody"] = _required_body("application/x-www-form-urlencoded", _form(route))
    return operation


def _callers(route: Route) -> tuple[str, ...]:
    caller = str(route.caller.value)
    return (caller, "browser") if route.browsers else (caller,)


def _form(route: Route) -> dict[str, object]:
    properties = {name: {"type": "string"} for name in route.form}
    form: dict[str, object] = {"type": "object", "properties": properties}
    return form | (
        {"required": list(route.required_parameters)} if route.required_parameters else {}
    )


def _parameters(route: Route) -> list[object]:
    id_schema = {"type": "string", "pattern": f"^{ID_PATTERN}$"}
    path = [
        {"name": name, "in": "path", "required": True, "schema": id_schema}
        for name in _PARAMETER.findall(route.path)
    ]
    optional = [("query", name) for name in route.query]
    optional += [("header", name) for name in (*route.headers, *administration_headers(route))]
    return [
        *path,
        *(
            {"name": name, "in": location, "required": False, "schema": {"type": "string"}}
            for location, name in optional
        ),
    ]


def administration_headers(route: Route) -> tuple[str, ...]:
    """The headers of a change: the signed statement, and the version that it applies to."""
    if route.rule is None or route.method == "GET":
        return ()
    return ("If-Match", STATEMENT) if route.rule.versioned else (STATEMENT,)


def _responses(route: Route) -> dict[str, object]:
    success: dict[str, object] = {"description": route.summary}
    if route.answer is not None:
        success |= _content("application/json", _reference(route.answer))
    refusal = wire.Problem if route.as_problem else wire.OAuthError
    media = "application/problem+json" if refusal is wire.Problem else "application/json"
    refusals = {
        str(status): {"description": "Refused.", **_content(media, _reference(refusal))}
        for status in sorted({*route.errors, *_common_errors(route)})
    }
    return {str(route.status): success, **refusals}


def _common_errors(route: Route) -> tuple[int, ...]:
    """The errors of every route: unknown ID, body too large, database unavailable."""
    not_found = (404,) if _PARAMETER.search(route.path) else ()
    too_large = (413,) if route.body is not None or route.form else ()
    return (*not_found, *too_large, 503)


def _reference(model: type[BaseModel]) -> dict[str, object]:
    return {"$ref": _REF.format(model=model.__name__)}


def _required_body(media_type: str, schema: dict[str, object]) -> dict[str, object]:
    return {"required": True, **_content(media_type, schema)}


def _content(media_type: str, schema: dict[str, object]) -> dict[str, object]:
    return {"content": {media_type: {"schema": schema}}}
