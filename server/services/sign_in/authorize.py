"""The authorization endpoint's beginning: a request is checked, and waits for its person.

What follows on the pages is `flows.py`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from server.model import display_names
from server.model.audit import Entry
from server.model.clients import App
from server.model.ports import Secrets
from server.model.sign_in import Flow, Pushed
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
from server.services.policy.refusals import DeniedByPolicy
from server.services.resources import targets
from server.services.server_policy import ServerPolicy
from server.services.users.proofs import Proofs

PUSHED_SECONDS: Final = 60
MOST_PER_MINUTE: Final = 600
"""Requests from one address, behind which many people may be."""
_WINDOW_MS = 60_000
_FLOODED = "Too many requests to sign in come from this address. Wait a minute."
FLOW_MS: Final = 30 * 60 * 1000
"""How long somebody may take to sign in and answer."""


@dataclass(frozen=True, slots=True)
class AuthorizationResponse:
    """What the app is told, by way of the browser."""

    back: ReturnTo
    parameters: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ConsentNeeded:
    """A consent that must be in force before a code may go out."""

    client_id: str
    """The app itself, or the agent that it wants to let act."""
    resource: str
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AuthorizationPlan:
    """A request that its app may make as things are now."""

    app: App
    request: AuthorizationRequest
    resource: str
    """"" when the scopes are about the person alone."""
    asks: tuple[ConsentNeeded, ...]
    act: CheckedAppAction | None = None
    """What it asks to do once; it is signed as a whole, and no consent comes of it."""

    @property
    def signed(self) -> tuple[ConsentNeeded, ...]:
        """Those that give power over a resource, which a person signs on a device."""
        return tuple(ask for ask in self.asks if ask.resource == self.resource)


@dataclass(frozen=True, slots=True)
class AuthorizeService:
    """Takes requests in, pushed or through the browser."""

    store: Store
    secrets: Secrets
    proofs: Proofs
    actions: AppActions
    rules: ServerPolicy

    def push(
        self, app: App, form: Form, proofs: Sequence[str] = (), *, peer: str
    ) -> dict[str, object]:
        """Keep a request that its app sent by itself (RFC 9126 2).

        It is checked as the authorization endpoint would. The key that is proved with it is the one
        that the code is for (RFC 9449 10.1). Raises errors.ProtocolError.
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
            tx.flows.push(Pushed(handle_hash(handle), app.id, _dumped(form), until))
        return {"request_uri": names.PREFIX_PUSHED + handle, "expires_in": PUSHED_SECONDS}

    def _key(self, tx: Unit, form: Form, proofs: Sequence[str]) -> dict[str, tuple[str, ...]]:
        if not proofs:
            return {}
        jkt = self.proofs.of_client(tx, proofs, path="/par")
        if form.get("dpop_jkt") not in {None, jkt}:
            raise errors.InvalidDpopProof("dpop_jkt names another key than the one of the proof.")
        return {"dpop_jkt": (jkt,)}

    def begin(self, form: Form, *, peer: str) -> str | AuthorizationResponse:
        """Take a browser's request in; the handle under which the pages go on, or a refusal.

        1. The app is known.  2. It pushed the request, if it says so.  3. The address to answer to
        is its own. Whatever is wrong before that is told to the person and redirected nowhere:
        raises errors.ProtocolError.  4. Everything else is answered to that address.
        """
        handle = self.secrets.new_secret(names.PREFIX_FLOW)
        self._count(peer)
        with self.store.write() as tx:
            app = tx.directory.app(form.require("client_id"))
            if app is None:
                raise errors.InvalidRequest("There is no such app here.")
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
        """What the request needs, judged as things are now.

        1. The app may use codes.  2. Its sign-in is of a kind that there is.  3. Scopes lie within
        its ceiling, and details fit their types.  4. So do scopes for the agent that it names.
        Raises errors.ProtocolError.
        """
        if names.GRANT_AUTHORIZATION_CODE not in app.grant_types:
            raise errors.UnauthorizedClient("This app may not ask for codes.")
        essential = request.wanted.acr
        if essential is not None and not set(names.SIGN_IN_ACRS) & set(essential):
            raise errors.UnmetAuthenticationRequirements("No sign-in here is of that kind.")
        asks = []
        if request.openid:
            asks.append(ConsentNeeded(app.id, self.rules.userinfo_audience, request.openid))
        if not request.scope and not request.details:
            if request.resource not in {None, self.rules.userinfo_audience}:
                raise errors.InvalidTarget("A resource needs scopes of its own.")
            return AuthorizationPlan(app, request, "", tuple(asks))
        act = self._act(view, app, request)
        if act is None:
            target = targets.resolve(view.directory, app, request.resource, request.scope)
            targets.check_required_types(target, frozenset())
            asks.append(ConsentNeeded(app.id, target.resource.uri, request.scope))
        else:
            target = act.target
        uri = target.resource.uri
        if request.actor is not None:
            asks.append(_for_actor(view, request.actor, uri, request.scope))
        return AuthorizationPlan(app, request, uri, tuple(asks), act)

    def _act(self, view: View, app: App, request: AuthorizationRequest) -> CheckedAppAction | None:
        if not request.details:
            return None
        return self.actions.check(view, app, request.resource, request.scope, request.details)

    def reread(self, view: View, flow: Flow) -> AuthorizationPlan:
        """The plan of a request that waits. Raises errors.ProtocolError when it may no more be."""
        app = view.directory.app(flow.app_id)
        if app is None:
            raise errors.UnauthorizedClient("This app was deleted meanwhile.")
        client_auth.check_enabled(app, view.now)
        form = authorize.reread(json.loads(flow.parameters))
        back = _registered(app, authorize.return_to(form))
        return self.plan(view, app, authorize.parse(form, back))

    def refusal(self, back: ReturnTo, error: errors.ProtocolError) -> AuthorizationResponse:
        """An error as the app is told it (RFC 6749 4.1.2.1)."""
        members = {"error": error.code, "error_description": error.description}
        return AuthorizationResponse(back, authorize.answer(self.rules.issuer, back, members))

    def _count(self, peer: str) -> None:
        """Count one more request from this address: each leaves a row until it runs out."""
        with self.store.write() as tx:
            many = tx.counters.count(f"authorize:{peer}", _WINDOW_MS) > MOST_PER_MINUTE
        if many:
            raise errors.TemporarilyUnavailable(_FLOODED, retry_after=60)

    def _pushed(self, tx: Unit, app: App, form: Form) -> Form:
        named = form.get("request_uri")
        if named is None:
            return form
        pushed = tx.flows.take(handle_hash(named.removeprefix(names.PREFIX_PUSHED)), app.id, tx.now)
        if pushed is None or not named.startswith(names.PREFIX_PUSHED):
            raise errors.InvalidRequestUri("This request was used or is too old. Start again.")
        return authorize.reread(json.loads(pushed.parameters))


def _registered(app: App, back: ReturnTo) -> ReturnTo:
    if not redirects.is_registered(back.redirect_uri, app.redirect_uris):
        raise errors.InvalidRequest("redirect_uri is not registered for this app.")
    return back


def _for_actor(view: View, agent_id: str, uri: str, scope: tuple[str, ...]) -> ConsentNeeded:
    party = display_names.find(view.directory, agent_id, view.now)
    if party is None or party.kind != "agent":
        raise errors.InvalidRequest("requested_actor names no agent that may act.")
    if not all(party.may(uri, name) for name in scope):
        raise errors.InvalidScope("The agent may not have every one of these scopes there.")
    return ConsentNeeded(party.id, uri, scope)


def _dumped(form: Form) -> str:
    kept: Mapping[str, list[str]] = authorize.kept(form)
    return json_text.compact(kept)


def _record_forbidden(tx: Unit, app: App, error: errors.ProtocolError) -> None:
    """Write down by which rule an app may not do what it asks for."""
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
