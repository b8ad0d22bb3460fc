"""Administration of agents, by administrators and by their owners."""

import json

from server.http import admin_bodies as bodies
from server.http import admin_documents as documents
from server.http import admin_wire as wire
from server.http.endpoints import audit, listing
from server.http.message import NO_STORE, HttpRequest, HttpResponse, as_json
from server.http.site import Site
from server.http.wire import Named, read
from server.protocol import base64url, names
from server.services.administration import Desk
from server.services.agent_auth import AuthChange
from server.services.agent_forms import AgentChanges, NewAgent
from server.services.displays import rfc3339
from server.services.records import Agent
from server.services.refusals import Invalid
from server.services.searches import EntrySearch

_REQUEST_ALG = "backchannel_authentication_request_signing_alg"


def listed(_site: Site, request: HttpRequest, desk: Desk) -> HttpResponse:
    """GET /api/agents: all of them, or those that the caller owns."""
    where, limit = listing.cursor(request), listing.limit(request)
    part = desk.agents.page(where, limit, owner=desk.only_of)
    called = desk.names(_people(*part.items))
    items = [documents.agent(agent, called) for agent in part.items]
    answer = wire.ManagedAgents(items=items, next=documents.write_cursor(part.next))
    return as_json(200, answer.model_dump())


def add(_site: Site, request: HttpRequest, desk: Desk) -> HttpResponse:
    """POST /api/agents."""
    body = read(bodies.NewAgent, request.body)
    given = desk.agents.add(_new(body), by=desk.by)
    answer = wire.GivenSecret(
        agent=_document(desk, given.agent), client_secret=given.secret or None
    )
    return as_json(201, answer.model_dump())


def show(_site: Site, request: HttpRequest, desk: Desk) -> HttpResponse:
    """GET /api/agents/<id>."""
    agent, _ = desk.agents.show(request.params["id"])
    document = _document(desk, agent)
    sheet = wire.AgentSheet(
        **document.model_dump(),
        pauses=_pauses(desk, agent),
        quarantine_at=documents.moment(desk.orphans.grace_of(agent.id)),
    )
    return as_json(200, sheet.model_dump(), documents.tag(document.version))


def update(_site: Site, request: HttpRequest, desk: Desk) -> HttpResponse:
    """PATCH /api/agents/<id>."""
    body = read(bodies.AgentChanges, request.body)
    agent = desk.agents.update(request.params["id"], _changes(body), by=desk.by)
    document = _document(desk, agent)
    return as_json(200, document.model_dump(), documents.tag(document.version))


def delete(_site: Site, request: HttpRequest, desk: Desk) -> HttpResponse:
    """DELETE /api/agents/<id>."""
    desk.agents.delete(request.params["id"], by=desk.by)
    return HttpResponse(204, headers=NO_STORE)


def enable(_site: Site, request: HttpRequest, desk: Desk) -> HttpResponse:
    """POST /api/agents/<id>/enable."""
    agent = desk.agents.enable(request.params["id"], by=desk.by)
    return as_json(200, _document(desk, agent).model_dump())


def rotate(_site: Site, request: HttpRequest, desk: Desk) -> HttpResponse:
    """POST /api/agents/<id>/secret."""
    body = read(bodies.Rotation, request.body)
    given = desk.agents.rotate_secret(
        request.params["id"], by=desk.by, overlap_ms=body.overlap * 1000
    )
    answer = wire.GivenSecret(agent=_document(desk, given.agent), client_secret=given.secret)
    return as_json(200, answer.model_dump())


def change_auth(_site: Site, request: HttpRequest, desk: Desk) -> HttpResponse:
    """POST /api/agents/<id>/auth."""
    body = read(bodies.AuthChange, request.body)
    keys = "" if body.jwks is None else json.dumps(body.jwks)
    wanted = AuthChange(body.method, keys, body.overlap * 1000)
    given = desk.agent_auth.change(request.params["id"], wanted, by=desk.by)
    answer = wire.GivenSecret(
        agent=_document(desk, given.agent), client_secret=given.secret or None
    )
    return as_json(200, answer.model_dump())


def entries(_site: Site, request: HttpRequest, desk: Desk) -> HttpResponse:
    """GET /api/agents/<id>/audit: what the log says of it, newest first."""
    return audit.answer(request, desk, EntrySearch(agent_id=request.params["id"]))


def _pauses(desk: Desk, agent: Agent) -> list[wire.Pause]:
    return [
        wire.Pause(
            user=Named(id=one.user_id, name=one.user_name),
            type=one.type or None,
            until=rfc3339(one.until),
        )
        for one in desk.pauses.of(agent.id)
    ]


def _document(desk: Desk, agent: Agent) -> wire.ManagedAgent:
    return documents.agent(agent, desk.names(_people(agent)))


def _people(*agents: Agent) -> set[str]:
    return {user_id for agent in agents for user_id in (*agent.owners, *(agent.asks or ()))}


def _new(body: bodies.NewAgent) -> NewAgent:
    return NewAgent(
        name=body.name,
        owners=tuple(body.owners),
        description=body.description,
        auth_method=body.auth_method,
        jwks="" if body.jwks is None else json.dumps(body.jwks),
        grant_types=names.AGENT_GRANTS if body.grant_types is None else tuple(body.grant_types),
        delivery=body.delivery,
        notification_endpoint=body.backchannel_client_notification_endpoint or "",
        resources=tuple(body.resources),
        scopes=tuple(body.scopes),
        only={uri: tuple(may) for uri, may in body.only.items()},
        serves=tuple(body.serves),
        token_seconds=body.token_seconds,
        action_types=_optional(body.action_types),
        asks=_optional(body.asks),
        id_token_alg=body.id_token_signed_response_alg,
        expires_at=_milliseconds(body.expires_at),
        dpop_bound=body.dpop_bound_access_tokens,
        takes_user_code=body.backchannel_user_code_parameter,
        high_grants=body.high_grants,
        interactive=body.interactive,
        request_alg=body.backchannel_authentication_request_signing_alg or "",
        labels=tuple(body.labels),
        external_id=body.external_id or "",
        review_at=_milliseconds(body.review_at),
        icon=_icon(body.icon or ""),
    )


def _changes(body: bodies.AgentChanges) -> AgentChanges:
    nulls = {name for name in body.model_fields_set if getattr(body, name) is None}
    return AgentChanges(
        name=body.name,
        description=body.description,
        add_owners=tuple(body.add_owners),
        remove_owners=tuple(body.remove_owners),
        jwks=None if body.jwks is None else json.dumps(body.jwks),
        grant_types=_optional(body.grant_types),
        delivery=body.delivery,
        notification_endpoint=body.backchannel_client_notification_endpoint,
        resources=_optional(body.resources),
        scopes=_optional(body.scopes),
        only=None if body.only is None else {at: tuple(may) for at, may in body.only.items()},
        serves=_optional(body.serves),
        token_seconds=body.token_seconds,
        usual_token_seconds="token_seconds" in nulls,
        action_types=_optional(body.action_types),
        any_action="action_types" in nulls,
        asks=_optional(body.asks),
        asks_everybody="asks" in nulls,
        id_token_alg=body.id_token_signed_response_alg,
        expires_at=_milliseconds(body.expires_at),
        never_expires="expires_at" in nulls,
        dpop_bound=body.dpop_bound_access_tokens,
        takes_user_code=body.backchannel_user_code_parameter,
        high_grants=body.high_grants,
        interactive=body.interactive,
        request_alg="" if _REQUEST_ALG in nulls else getattr(body, _REQUEST_ALG),
        labels=_optional(body.labels),
        external_id="" if "external_id" in nulls else body.external_id,
        review_at=_milliseconds(body.review_at),
        never_reviewed="review_at" in nulls,
        icon=b"" if "icon" in nulls else None if body.icon is None else _icon(body.icon),
    )


def _optional(values: list[str] | None) -> tuple[str, ...] | None:
    return None if values is None else tuple(values)


def _milliseconds(text: str | None) -> int | None:
    return None if text is None else bodies.milliseconds(text)


def _icon(text: str) -> bytes:
    try:
        return base64url.decode(text)
    except ValueError:
        raise Invalid(
            "The icon must be a file as base64url without padding.", member="icon"
        ) from None
