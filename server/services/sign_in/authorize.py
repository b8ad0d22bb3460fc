"""The authorization endpoint: validates a request, and stores it until the person answers.

`flows.py` handles the later steps, and `flow_pages.py` their pages.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from server.model import display_names
from server.model.audit import Entry
from server.model.clients import App
from server.model.operations import CountedLimit
from server.model.ports import Secrets
from server.model.sign_in import Flow, PushedRequest
from server.model.store import Store, Unit, View
from server.protocol import errors, json_text, names
from server.protocol.clients import redirects
from server.protocol.forms import Form
from server.protocol.names import handle_hash
from server.protocol.resources import uris
from server.protocol.sign_in import authorize
from server.protocol.sign_in.authorize import AuthorizationRequest, ReturnTo
from server.services.approvals.app_actions import AppActions, CheckedAppAction
from server.services.audit import audit, floods
from server.services.clients import client_auth
from server.services.clients.client_auth import ClientDocuments
from server.services.policy.refusals import DeniedByPolicy
from server.services.resources import targets
from server.services.server_policy import ServerPolicy
from server.services.users.dpop_proofs import Proofs

PUSHED_SECONDS: Final = 60
REQUESTS: Final = CountedLimit(
    "authorize", "address", "Sign-in requests", 600, 60_000, "authorize:"
)
"""The limit per address, which is high because many people may share one address."""
_RATE_LIMITED = "Too many sign-in requests from this address. Wait a minute."
_NOT_PUSHED = "This app must push its authorization requests to /par."
FLOW_MS: Final = 30 * 60 * 1000
"""How long a person may take to sign in and answer."""


@dataclass(frozen=True, slots=True)
class AuthorizationResponse:
    """The response to the app, sent through the browser."""

    return_to: ReturnTo
    parameters: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ConsentNeeded:
    """A consent that is required before a code is issued."""

    client_id: str
    """The app itself, or the agent that will act."""
    resource: str
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AuthorizationPlan:
    """A validated request, and the consents and action that it currently requires."""

    app: App
    request: AuthorizationRequest
    resource: str
    """"" for OpenID scopes only."""
    consents: tuple[ConsentNeeded, ...]
    action: CheckedAppAction | None = None
    """The action to allow once; the person signs all of it, and no consent is created."""

    @property
    def consents_to_sign(self) -> tuple[ConsentNeeded, ...]:
        """The consents for a resource, which a person signs on a device."""
        return tuple(consent for consent in self.consents if consent.resource == self.resource)


@dataclass(frozen=True, slots=True)
class AuthorizeService:
    """Accepts authorization requests, pushed or from a browser."""

    store: Store
    secrets: Secrets
    proofs: Proofs
    actions: AppActions
    server_policy: ServerPolicy
    documents: ClientDocuments

    def push(
        self, app: App, form: Form, proofs: Sequence[str] = (), *, peer: str
    ) -> dict[str, object]:
        """Store a pushed request (RFC 9126 2).

        It is validated like a request to the authorization endpoint. If it has a DPoP proof, the
        code is bound to the key of the proof (RFC 9449 10.1). Raises errors.ProtocolError.
        """
        if form.get("request_uri") is not None:
            raise errors.InvalidRequest("request_uri is not allowed in a pushed request.")
        handle = self.secrets.new_secret("")
        self._check_rate_limit(peer)
        with self.store.write() as tx:
            app = client_auth.current_app(tx, app)
            form = Form(
                {**form.values, "client_id": (app.id,), **self._dpop_binding(tx, form, proofs)}
            )
            back = _check_registered(app, authorize.return_to(form))
            self.plan(tx, app, authorize.parse(form, back))
            until = tx.now + PUSHED_SECONDS * 1000
            tx.flows.push(PushedRequest(handle_hash(handle), app.id, _serialize(form), until))
        return {"request_uri": names.PREFIX_PUSHED + handle, "expires_in": PUSHED_SECONDS}

    def _dpop_binding(
        self, tx: Unit, form: Form, proofs: Sequence[str]
    ) -> dict[str, tuple[str, ...]]:
        if not proofs:
            return {}
        jkt = self.proofs.of_client(tx, proofs, path="/par")
        if form.get("dpop_jkt") not in {None, jkt}:
            raise errors.InvalidDpopProof("dpop_jkt does not match the key of the DPoP proof.")
        return {"dpop_jkt": (jkt,)}

    def begin(self, form: Form, *, peer: str) -> str | AuthorizationResponse:
        """Accept a browser's request; return the handle of the next page, or an error response.

        Checks 1 to 3 raise errors.ProtocolError, which is shown to the user: 1. The app is
        registered, or has a metadata document. 2. request_uri refers to a pushed request. 3. The
        redirect URI is registered. Later errors are returned to the redirect URI.
        """
        handle = self.secrets.new_secret(names.PREFIX_FLOW)
        self._check_rate_limit(peer)
        client_id = form.require("client_id")
        self.documents.check(client_id, register_unknown=True)
        with self.store.write() as tx:
            app = tx.directory.app(client_id)
            if app is None:
                raise errors.InvalidRequest("Unknown client_id.")
            client_auth.check_enabled(app, tx.now)
            is_pushed = form.get("request_uri") is not None
            form = self._load_pushed(tx, app, form)
            back = _check_registered(app, authorize.return_to(form))
            try:
                if app.requires_par and not is_pushed:
                    raise errors.InvalidRequest(_NOT_PUSHED)
                self.plan(tx, app, authorize.parse(form, back))
            except errors.ProtocolError as error:
                _record_forbidden(tx, app, error)
                return self.refusal(back, error)
            flow = Flow(handle_hash(handle), app.id, _serialize(form), tx.now, tx.now + FLOW_MS)
            tx.flows.add(flow)
        return handle

    def plan(self, view: View, app: App, request: AuthorizationRequest) -> AuthorizationPlan:
        """Return the current requirements of the request.

        Checks, in order, that: 1. the app is registered for the authorization code grant; 2. a
        sign-in method meets the requested acr; 3. the scopes are within the app's permissions, and
        the details match their types; 4. if the request names an agent, the scopes are within the
        agent's permissions. Raises errors.ProtocolError.
        """
        if names.GRANT_AUTHORIZATION_CODE not in app.grant_types:
            raise errors.UnauthorizedClient(
                "This app is not registered for the authorization code grant."
            )
        essential = request.claims_request.acr
        if essential is not None and not set(names.SIGN_IN_ACRS) & set(essential):
            raise errors.UnmetAuthenticationRequirements(
                "No sign-in method meets the requested acr."
            )
        consents, userinfo = [], self.server_policy.userinfo_audience
        if request.openid:
            consents.append(ConsentNeeded(app.id, userinfo, request.openid))
        if request.openid and not request.scope and not request.details:
            if not uris.may_name(request.resource, userinfo):
                raise errors.InvalidTarget("Add at least one scope of the resource.")
            return AuthorizationPlan(app, request, "", tuple(consents))
        action = self._check_action(view, app, request)
        if action is None:
            target = targets.resolve_or_default(
                view.directory, app, request.resource, request.scope
            )
            request = replace(request, scope=target.scope)
            targets.check_required_types(target, frozenset())
            consents.append(ConsentNeeded(app.id, target.resource.uri, request.scope))
        else:
            target = action.target
        uri = target.resource.uri
        if request.actor is not None:
            consents.append(_actor_consent(view, request.actor, uri, request.scope))
        return AuthorizationPlan(app, request, uri, tuple(consents), action)

    def _check_action(
        self, view: View, app: App, request: AuthorizationRequest
    ) -> CheckedAppAction | None:
        if not request.details:
            return None
        return self.actions.check(view, app, request.resource, request.scope, request.details)

    def current_plan(self, view: View, flow: Flow) -> AuthorizationPlan:
        """Return the current plan of a stored request.

        Raises errors.ProtocolError if it is no longer valid.
        """
        app = view.directory.app(flow.app_id)
        if app is None:
            raise errors.UnauthorizedClient("This app was deleted.")
        client_auth.check_enabled(app, view.now)
        form = authorize.from_stored(json.loads(flow.parameters))
        back = _check_registered(app, authorize.return_to(form))
        return self.plan(view, app, authorize.parse(form, back))

    def refusal(self, back: ReturnTo, error: errors.ProtocolError) -> AuthorizationResponse:
        """Return an error response to the app (RFC 6749 4.1.2.1)."""
        members = {"error": error.code, "error_description": error.description}
        return AuthorizationResponse(
            back, authorize.answer(self.server_policy.issuer, back, members)
        )

    def _check_rate_limit(self, peer: str) -> None:
        """Count a request from this address, because each request adds a row."""
        with self.store.write() as tx:
            is_limited = tx.counters.count_subject(REQUESTS, peer) > REQUESTS.value
        if is_limited:
            raise errors.TemporarilyUnavailable(_RATE_LIMITED, retry_after=60)

    def _load_pushed(self, tx: Unit, app: App, form: Form) -> Form:
        request_uri = form.get("request_uri")
        if request_uri is None:
            return form
        handle = request_uri.removeprefix(names.PREFIX_PUSHED)
        pushed = tx.flows.take(handle_hash(handle), app.id, tx.now)
        if pushed is None or not request_uri.startswith(names.PREFIX_PUSHED):
            raise errors.InvalidRequestUri("This request was used or has expired. Start again.")
        return authorize.from_stored(json.loads(pushed.parameters))


def _check_registered(app: App, back: ReturnTo) -> ReturnTo:
    if not redirects.is_registered(back.redirect_uri, app.redirect_uris):
        raise errors.InvalidRequest("redirect_uri is not registered for this app.")
    return back


def _actor_consent(view: View, agent_id: str, uri: str, scope: tuple[str, ...]) -> ConsentNeeded:
    client = display_names.find(view.directory, agent_id, view.now)
    if client is None or client.kind != "agent":
        raise errors.InvalidRequest("requested_actor is not an enabled agent.")
    if not all(client.allows(uri, name) for name in scope):
        raise errors.InvalidScope("The agent cannot use all of these scopes at this resource.")
    return ConsentNeeded(client.id, uri, scope)


def _serialize(form: Form) -> str:
    parameters: Mapping[str, list[str]] = authorize.to_stored(form)
    return json_text.compact(parameters)


def _record_forbidden(tx: Unit, app: App, error: errors.ProtocolError) -> None:
    """Record the rule that forbids an app's request."""
    if isinstance(error, DeniedByPolicy):
        entry = Entry(
            type=audit.Type.GRANT_REFUSED,
            actor=audit.by_client(app.id),
            decision="refused",
            posture=error.verdict.risk,
            cause=error.detail,
            facts={"app": app.id, "policy": error.verdict.facts()},
        )
        floods.record_refusal(tx, entry)
