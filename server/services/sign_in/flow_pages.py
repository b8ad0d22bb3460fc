"""The contents of the pages between an authorization request and its code."""

from dataclasses import dataclass

from server.model import display_names
from server.model.store import View
from server.protocol import names
from server.protocol.clients import redirects
from server.protocol.policy.risks import Risk
from server.services.approvals.app_actions import CheckedAppAction
from server.services.clients import unknown_apps
from server.services.consents.offers import DEFAULT_MS
from server.services.policy import displays
from server.services.policy.displays import ActionTexts
from server.services.sign_in.authorize import AuthorizationPlan, ConsentNeeded
from server.services.sign_in.sign_ins import SignedIn


@dataclass(frozen=True, slots=True)
class SignInPage:
    """The sign-in page."""

    app_name: str
    name: str
    """The initial value of the name field."""
    redirect_uri: str
    methods: tuple[str, ...] = names.SIGN_IN_ACRS
    """The allowed sign-in methods; the app can require one (OpenID Connect Core 5.5.1.1)."""


@dataclass(frozen=True, slots=True)
class DisplayedConsent:
    """One requested consent: the client, resource, scopes with their risk, and expiry."""

    kind: str
    name: str
    client_id: str
    owners: tuple[str, ...]
    resource: str
    scopes: tuple[tuple[str, Risk], ...]
    until: int


@dataclass(frozen=True, slots=True)
class RequestedAction:
    """An action that an app wants to do once, as shown on the device."""

    words: ActionTexts
    risk: Risk
    resource: str
    scopes: tuple[tuple[str, Risk], ...]


@dataclass(frozen=True, slots=True)
class UnknownClient:
    """Details of an unregistered app."""

    url: str
    """Its client_id if that is a URL, else ""."""
    claimed_name: str | None
    name_withheld: bool
    """Whether its claimed name is not shown, because it looks like an existing name."""
    is_local: bool
    """Whether the response goes to a program on the person's own machine."""


@dataclass(frozen=True, slots=True)
class ConsentPage:
    """The consent page."""

    app_name: str
    user_name: str
    about_you: tuple[str, ...]
    """Scopes about the person, which are granted on the page, without a device."""
    consents: tuple[DisplayedConsent, ...]
    """Consents that are signed on a device."""
    action: RequestedAction | None
    """An action that is signed for this code only."""
    has_device: bool
    redirect_uri: str
    unknown: UnknownClient | None = None

    @property
    def to_sign(self) -> bool:
        """Whether the person must sign on a device."""
        return bool(self.consents) or self.action is not None


@dataclass(frozen=True, slots=True)
class WaitingPage:
    """The page shown until the person answers on a device; `waiting` counts open requests."""

    app_name: str
    user_name: str
    waiting: int
    redirect_uri: str


def sign_in_page(plan: AuthorizationPlan, name: str) -> SignInPage:
    """Return the sign-in page for a plan."""
    return SignInPage(
        app_name=plan.app.name,
        name=name,
        redirect_uri=plan.request.return_to.redirect_uri,
        methods=sign_in_methods(plan),
    )


def sign_in_methods(plan: AuthorizationPlan) -> tuple[str, ...]:
    """Return the sign-in methods that the app allows."""
    essential = plan.request.claims_request.acr
    return tuple(acr for acr in names.SIGN_IN_ACRS if essential is None or acr in essential)


def consent_page(
    view: View, plan: AuthorizationPlan, signed_in: SignedIn, missing: list[ConsentNeeded]
) -> ConsentPage:
    """Return the page for the missing consents."""
    identity_consents = [consent for consent in missing if consent not in plan.consents_to_sign]
    return ConsentPage(
        app_name=plan.app.name,
        user_name=signed_in.user.name,
        about_you=tuple(name for consent in identity_consents for name in consent.scopes),
        consents=tuple(
            _displayed_consent(view, consent)
            for consent in missing
            if consent in plan.consents_to_sign
        ),
        action=None if plan.action is None else _requested_action(plan.action),
        has_device=view.devices.active_count(signed_in.user.id, view.now) > 0,
        redirect_uri=plan.request.return_to.redirect_uri,
        unknown=None if plan.app.verified else _unknown_client(view, plan),
    )


def _unknown_client(view: View, plan: AuthorizationPlan) -> UnknownClient:
    name, withheld = unknown_apps.shown_claim(view, plan.app)
    return UnknownClient(
        url=plan.app.id if plan.app.origin == "document" else "",
        claimed_name=name,
        name_withheld=withheld,
        is_local=redirects.is_local(plan.request.return_to.redirect_uri),
    )


def _requested_action(action: CheckedAppAction) -> RequestedAction:
    resource = action.target.resource
    scopes = tuple((name, resource.scopes[name]) for name in action.target.scope)
    return RequestedAction(displays.action_texts(action), action.risk, resource.uri, scopes)


def _displayed_consent(view: View, consent: ConsentNeeded) -> DisplayedConsent:
    client = display_names.find(view.directory, consent.client_id, view.now)
    resource = view.directory.resource(consent.resource)
    risks = {} if resource is None else resource.scopes
    return DisplayedConsent(
        kind="app" if client is None else client.kind,
        name=display_names.name_of(view.directory, consent.client_id),
        client_id=consent.client_id,
        owners=() if client is None else client.owners,
        resource=consent.resource,
        scopes=tuple((name, risks.get(name, Risk.MEDIUM)) for name in consent.scopes),
        until=view.now + DEFAULT_MS,
    )
