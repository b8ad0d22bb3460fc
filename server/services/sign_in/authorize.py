"""The authorization endpoint: validates a request, and stores it until the person has answered.

`flows.py` has the pages that follow.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from server.model import display_names
from server.model.audit import Entry
from server.model.clients import App
from server.model.ports import Secrets
from server.model.sign_in import Flow, PushedRequest
from server.model.store import Store, Unit, View
from server.protocol import errors, json_text, names
from server.protocol.clients import redirects
from server.protocol.forms import Form
from server.protocol.sign_in import authorize
from server.protocol.sign_in.authorize import AuthorizationRequest, ReturnTo
from server.protocol.sign_in.handles import handle_hash
from server.services.approvals.app_actions import AppActions, CheckedAppAction
from server.services.audit import audit, floods
from server.services.clients import client_auth
from server.services.clients.client_documents import ClientDocuments
from server.services.policy.refusals import DeniedByPolicy
from server.services.resources import targets
from server.services.server_policy import ServerPolicy
from server.services.users.dpop_proofs import Proofs

PUSHED_SECONDS: Final = 60
MAX_PER_MINUTE: Final = 600
"""Maximum requests from one address, which many people may share."""
_WINDOW_MS = 60_000
_FLOODED = "Too many sign-in requests from this address. Wait a minute."
FLOW_MS: Final = 30 * 60 * 1000
"""How long a person may take to sign in and answer."""


@dataclass(frozen=True, slots=True)
class AuthorizationResponse:
    """The response to the app, sent through the browser."""

    back: ReturnTo
    parameters: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ConsentNeeded:
    """A consent that a code requires."""

    client_id: str
    """The app itself, or the agent that will act."""
    resource: str
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AuthorizationPlan:
    """A valid request, and what it requires now."""

    app: App
    request: AuthorizationRequest
    resource: str
    """"" if the scopes are only about the person."""
    asks: tuple[ConsentNeeded, ...]
    action: CheckedAppAction | None = None
    """The action to allow once; it is signed as a whole and gives no consent."""

    @property
    def signed(self) -> tuple[ConsentNeeded, ...]:
        """Return the consents for a resource, which a person signs on a device."""
        return tuple(ask for ask in self.asks if ask.resource == self.resource)


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

        It is validated as the authorization endpoint would. The code is bound to the key of its
        DPoP proof (RFC 9449 10.1). Raises errors.ProtocolError.
        """
        if form.get("request_uri") is not None:
            raise errors.InvalidRequest("A pushed request has no request_uri.")
        handle = self.secrets.new_secret("")
        self._count(peer)
        with self.store.write() as tx:
            app = client_auth.current_app(tx, app)
            form = Form({**form.values, "client_id": (app.id,), **self._key(tx, form, proofs)})
            back = _registered(app, authorize.return_to(form))
            self.plan(tx, app, authorize.parse(form, back))
            until = tx.now + PUSHED_SECONDS * 1000
            tx.flows.push(PushedRequest(handle_hash(handle), app.id, _dumped(form), until))
        return {"request_uri": names.PREFIX_PUSHED + handle, "expires_in": PUSHED_SECONDS}

    def _key(self, tx: Unit, form: Form, proofs: Sequence[str]) -> dict[str, tuple[str, ...]]:
        if not proofs:
            return {}
        jkt = self.proofs.of_client(tx, proofs, path="/par")
        if form.get("dpop_jkt") not in {None, jkt}:
            raise errors.InvalidDpopProof("dpop_jkt names another key than the one of the proof.")
        return {"dpop_jkt": (jkt,)}

    def begin(self, form: Form, *, peer: str) -> str | AuthorizationResponse:
        """Accept a browser's request; returns the handle of the next page, or an error response.

        1. The app is known, or has a metadata document. 2. It pushed the request, if it says so.
        3. The redirect URI is registered. Errors up to here are shown to the person: raises
        errors.ProtocolError. 4. Later errors are sent to the redirect URI.
        """
        handle = self.secrets.new_secret(names.PREFIX_FLOW)
        self._count(peer)
        client_id = form.require("client_id")
        self.documents.check(client_id, on_sight=True)
        with self.store.write() as tx:
            app = tx.directory.app(client_id)
            if app is None:
                raise errors.InvalidRequest("Unknown client_id.")
            client_auth.check_enabled(app, tx.now)
            form = self._pushed(tx, app, form)
            back = _registered(app, authorize.return_to(form))
            try:
                self.plan(tx, app, authorize.parse(form, back))
            except errors.ProtocolError as error:
                _record_forbidden(tx, app, error)
                return self.refusal(back, error)
            flow = Flow(handle_hash(handle), app.id, _dumped(form), tx.now, tx.now + FLOW_MS)
            tx.flows.add(flow)
        return handle

    def plan(self, view: View, app: App, request: AuthorizationRequest) -> AuthorizationPlan:
        """Return what the request requires now.

        1. The app may use codes. 2. A supported sign-in meets its requirements. 3. Scopes are
        within its permissions, and details match their types. 4. So are the scopes for the agent
        that it names. Raises errors.ProtocolError.
        """
        if names.GRANT_AUTHORIZATION_CODE not in app.grant_types:
            raise errors.UnauthorizedClient("This app may not ask for codes.")
        essential = request.claims_request.acr
        if essential is not None and not set(names.SIGN_IN_ACRS) & set(essential):
            raise errors.UnmetAuthenticationRequirements(
                "No sign-in method meets the requested acr."
            )
        asks = []
        if request.openid:
            asks.append(ConsentNeeded(app.id, self.server_policy.userinfo_audience, request.openid))
        if request.openid and not request.scope and not request.details:
            if request.resource not in {None, self.server_policy.userinfo_audience}:
                raise errors.InvalidTarget("A resource needs scopes of its own.")
            return AuthorizationPlan(app, request, "", tuple(asks))
        action = self._act(view, app, request)
        if action is None:
            target = targets.resolve_or_default(
                view.directory, app, request.resource, request.scope
            )
            request = replace(request, scope=target.scope)
            targets.check_required_types(target, frozenset())
            asks.append(ConsentNeeded(app.id, target.resource.uri, request.scope))
        else:
            target = action.target
        uri = target.resource.uri
        if request.actor is not None:
            asks.append(_for_actor(view, request.actor, uri, request.scope))
        return AuthorizationPlan(app, request, uri, tuple(asks), action)

    def _act(self, view: View, app: App, request: AuthorizationRequest) -> CheckedAppAction | None:
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
        back = _registered(app, authorize.return_to(form))
        return self.plan(view, app, authorize.parse(form, back))

    def refusal(self, back: ReturnTo, error: errors.ProtocolError) -> AuthorizationResponse:
        """Return an error response to the app (RFC 6749 4.1.2.1)."""
        members = {"error": error.code, "error_description": error.description}
        return AuthorizationResponse(
            back, authorize.answer(self.server_policy.issuer, back, members)
        )

    def _count(self, peer: str) -> None:
        """Count a request from this address, because each adds a row."""
        with self.store.write() as tx:
            many = tx.counters.count(f"authorize:{peer}", _WINDOW_MS) > MAX_PER_MINUTE
        if many:
            raise errors.TemporarilyUnavailable(_FLOODED, retry_after=60)

    def _pushed(self, tx: Unit, app: App, form: Form) -> Form:
        named = form.get("request_uri")
        if named is None:
            return form
        pushed = tx.flows.take(handle_hash(named.removeprefix(names.PREFIX_PUSHED)), app.id, tx.now)
        if pushed is None or not named.startswith(names.PREFIX_PUSHED):
            raise errors.InvalidRequestUri("This request was used or has expired. Start again.")
        return authorize.from_stored(json.loads(pushed.parameters))


def _registered(app: App, back: ReturnTo) -> ReturnTo:
    if not redirects.is_registered(back.redirect_uri, app.redirect_uris):
        raise errors.InvalidRequest("redirect_uri is not registered for this app.")
    return back


def _for_actor(view: View, agent_id: str, uri: str, scope: tuple[str, ...]) -> ConsentNeeded:
    party = display_names.find(view.directory, agent_id, view.now)
    if party is None or party.kind != "agent":
        raise errors.InvalidRequest("requested_actor is not an enabled agent.")
    if not all(party.may(uri, name) for name in scope):
        raise errors.InvalidScope("The agent may not have all of these scopes at this resource.")
    return ConsentNeeded(party.id, uri, scope)


def _dumped(form: Form) -> str:
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
