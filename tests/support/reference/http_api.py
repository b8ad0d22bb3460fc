"""The reference page of the HTTP API, generated from the routes, models and application."""

import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from server import app
from server.http import openapi
from server.http.route import Caller, Route
from server.http.routes import ROUTES
from server.settings import Settings
from tests.support.builders.clock import MovableClock
from tests.support.reference.markdown import GENERATED, code, member_docs, table

_HEAD = """\
# HTTP API

{generated}
For developers. This page lists the routes with their callers, parameters and responses, the JSON
objects, and the pages for browsers. For tasks, start with [ask for
approval](../ask-for-approval.md), [accept tokens](../accept-tokens.md), [sign people
in](../sign-in-people.md), [build an approver client](../approver-api.md) or [administer through the
API](../administration-api.md).

```
curl http://localhost:8470/api/openapi.json       # the OpenAPI 3.1 document
```

- All paths are relative to the issuer URL. If the issuer is on the loopback interface,
  `localhost`, `127.0.0.1` and `[::1]` are the same host.
- OAuth endpoints accept forms (`application/x-www-form-urlencoded`). `/register` and `/api/`
  accept JSON. Bodies are in UTF-8. A JSON body has at most 128 KiB, and a form has at most 64 KiB
  and 100 parameters.
- Request headers can have at most 32 KiB and 100 fields. Larger headers get 431. A request
  that does not conform to RFC 9112 gets 400, and the connection is closed.
- Every JSON response has `Cache-Control: no-store` and `X-Correlation-Id`. Style sheets, scripts
  and icons have `Cache-Control: no-cache` and a strong `ETag`.
- An unknown path gets 404, and an unsupported method gets 405 with `Allow`. Both responses are
  JSON.
- If 256 requests of a client are waiting in a server process, its next request gets 503 with
  `Retry-After`. Every route can return 503, and every route with a body can return 413.
- [Errors and events](errors.md) explains the error codes. [Signed documents](signing.md) explains
  what a device signs.

**Callers.** A *client* sends its client authentication in the request. A *resource* uses HTTP
Basic. A *person* uses an enrolled terminal (`Authorization: DPoP` and a proof). If the route says
*a terminal or a browser*, a person can also use a browser with a passkey (a session cookie, and the
`Sayso-Csrf` header for changes).
"""
_CALLERS: Mapping[Caller, str] = {
    Caller.ANYBODY: "anyone",
    Caller.CLIENT: "a client",
    Caller.RESOURCE: "a resource",
    Caller.PERSON: "a person",
}
_FILE = re.compile(r"\.\w+$")
_REF = "$ref"


def page() -> str:
    """Return the page with its routes by path segment, objects by name, and pages by path."""
    schemas = _schemas()
    return "\n".join(
        [
            _HEAD.format(generated=GENERATED),
            *_routes(),
            "## Objects\n",
            *(_object(name, schema, schemas) for name, schema in sorted(schemas.items())),
            *_pages(),
        ]
    )


def _routes() -> Iterator[str]:
    for group, routes in groupby(sorted(ROUTES, key=_group), key=_group):
        yield f"## {group[1]}\n"
        yield from (_route(route) for route in routes)


def _group(route: Route) -> tuple[int, str]:
    first, *rest = route.path.strip("/").split("/")
    if first != "api":
        return 0, "OAuth, OpenID and health"
    if rest[0] == "admin":
        return 2, "`/api/admin`"
    return 1, f"`/api/{rest[0]}`"


def placeholders(path: str) -> str:
    """Return the path as the page writes it: `/r/<string:approval>` becomes `/r/<id>`."""
    return re.sub(r"<[^>]+>", "<id>", path)


def _route(route: Route) -> str:
    name = f"{route.method} {placeholders(route.path)}"
    lines = [
        f"### `{name}`\n",
        f"{route.summary}\n",
        *(f"- {detail}" for detail in _details(route)),
    ]
    return "\n".join(lines) + "\n"


def _details(route: Route) -> Iterator[str]:
    yield f"Caller: {_caller(route)}."
    required, optional = (
        route.required_parameters,
        [name for name in route.form if name not in route.required_parameters],
    )
    if required:
        yield f"Form, required: {_code_list(required)}."
    if optional:
        yield f"Form, optional: {_code_list(optional)}."
    if route.query:
        yield f"Query: {_code_list(route.query)}."
    if headers := (*route.headers, *openapi.administration_headers(route)):
        yield f"Headers: {_code_list(headers)}."
    if route.body is not None:
        yield f"Body: {_link(route.body)}."
    yield f"Response: {route.status}{'' if route.answer is None else f' {_link(route.answer)}'}."
    if route.errors:
        yield f"Errors: {', '.join(str(error) for error in sorted(set(route.errors)))}."


def _caller(route: Route) -> str:
    words = _CALLERS[route.caller]
    if route.caller is Caller.PERSON:
        words += " with a terminal or a browser" if route.browsers else " with a terminal"
    if route.rule is None:
        return words
    roles = ", ".join(str(role) for role in route.rule.roles)
    signed = "; needs a signature" if route.rule.signed else ""
    return f"{words}; roles: {roles}{signed}"


def _code_list(names: Iterable[str]) -> str:
    return ", ".join(code(name) for name in names)


def _link(model: type[BaseModel]) -> str:
    return f"[`{model.__name__}`](#{model.__name__.lower()})"


def _schemas() -> dict[str, dict[str, Any]]:
    document: Any = openapi.document("http://localhost:8470", ROUTES)
    schemas: dict[str, dict[str, Any]] = document["components"]["schemas"]
    return schemas


def _models() -> dict[str, type[BaseModel]]:
    """Return the models of the server by name."""
    models: dict[str, type[BaseModel]] = {}
    pending = list(BaseModel.__subclasses__())
    while pending:
        model = pending.pop()
        pending.extend(model.__subclasses__())
        if model.__module__.startswith("server."):
            models[model.__name__] = model
    return models


def _object(name: str, schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    model = _models().get(name)
    docs = {} if model is None else member_docs(model)
    required = set(schema.get("required", ()))
    rows = [
        (
            code(member),
            _type_text(value, schemas) + ("" if member in required else ", optional"),
            docs.get(member, ""),
        )
        for member, value in schema.get("properties", {}).items()
    ]
    columns = 3 if any(meaning for *_, meaning in rows) else 2
    words = " ".join(str(schema.get("description", "")).split())
    if not rows:
        words = " ".join(filter(None, (words, _type_text(schema, schemas))))
    members = table(("member", "type", "description")[:columns], [row[:columns] for row in rows])
    return f"### `{name}`\n\n{words}\n\n{members}"


def _type_text(value_schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    """Return a description of the type of a value."""
    if _REF in value_schema:
        name = str(value_schema[_REF]).rpartition("/")[2]
        return f"[`{name}`](#{name.lower()})" if name in schemas else code(name)
    if "anyOf" in value_schema:
        return " or ".join(
            dict.fromkeys(_type_text(option, schemas) for option in value_schema["anyOf"])
        )
    if "enum" in value_schema or "const" in value_schema:
        return ", ".join(
            code(str(value)) for value in value_schema.get("enum", [value_schema.get("const")])
        )
    if value_schema.get("type") == "array":
        return f"list of {_type_text(value_schema.get('items', {}), schemas)}"
    return _simple_type_text(value_schema)


def _simple_type_text(value_schema: Mapping[str, Any]) -> str:
    names = {
        "string": "string",
        "integer": "number",
        "number": "number",
        "boolean": "true or false",
    }
    kind = str(value_schema.get("type", "any"))
    words = names.get(kind, kind)
    if "maxLength" in value_schema:
        words += f", up to {value_schema['maxLength']} characters"
    if "minimum" in value_schema and "maximum" in value_schema:
        words += f", {value_schema['minimum']} to {value_schema['maximum']}"
    return words


def _pages() -> Iterator[str]:
    yield "## Pages\n"
    yield (
        "These paths are for browsers. You can do the same tasks with the API. Forms require a "
        "CSRF token from their page, so programs must use the API.\n"
    )
    rows = sorted(_page_routes(), key=lambda row: (_page_group(row[1]), row[1], row[0]))
    for part, group in groupby(rows, key=lambda row: _page_group(row[1])):
        yield f"### {part}\n"
        yield "\n".join(f"- `{method} {path}`" for method, path in group) + "\n"


def _page_group(path: str) -> str:
    if path.startswith("/api/"):
        return "WebSocket"
    return "Pages of the console" if path.startswith("/admin") else "Pages for users"


def _page_routes() -> set[tuple[str, str]]:
    """Return method and path of each route that is not in the route table of the API."""
    known = {(route.method, placeholders(route.path)) for route in ROUTES}
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder) / "data", issuer="http://localhost:8470")
        services = app.build(settings, MovableClock())
        rules = list(app.create_app(app.create_site(services)).url_map.iter_rules())
        services.store.close()
    served = {
        (method, placeholders(rule.rule))
        for rule in rules
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if not _FILE.search(rule.rule)
    }
    return served - known
