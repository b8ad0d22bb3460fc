"""What the pages between a request and its code show, and how it is put together."""

from dataclasses import dataclass

from server.model import display_names
from server.model.store import View
from server.protocol import names
from server.protocol.policy.risks import Risk
from server.services.approvals.app_actions import CheckedAppAction
from server.services.consents.consents import DEFAULT_MS
from server.services.policy import displays
from server.services.policy.displays import ActionTexts
from server.services.sign_in.authorize import AuthorizationPlan, ConsentNeeded
from server.services.sign_in.sign_ins import SignedIn


@dataclass(frozen=True, slots=True)
class SignInPage:
    """Somebody has to sign in. `leads_to` is the address that the browser is sent to in the end."""

    app_name: str
    name: str
    """What the form begins with."""
    leads_to: str
    ways: tuple[str, ...] = names.SIGN_IN_ACRS
    """How they may; the app can insist on one (OpenID Connect Core 5.5.1.1)."""


@dataclass(frozen=True, slots=True)
class AskedConsent:
    """One consent: who, where, which scopes with their risk, until when."""

    kind: str
    name: str
    client_id: str
    owners: tuple[str, ...]
    resource: str
    scopes: tuple[tuple[str, Risk], ...]
    until: int


@dataclass(frozen=True, slots=True)
class AskedOnce:
    """What an app wants to do once: as the device will show it."""

    words: ActionTexts
    risk: Risk
    resource: str
    scopes: tuple[tuple[str, Risk], ...]


@dataclass(frozen=True, slots=True)
class ConsentPage:
    """Somebody has to say yes or no."""

    app_name: str
    user_name: str
    about_you: tuple[str, ...]
    """The scopes about the person, which the page alone answers."""
    asked: tuple[AskedConsent, ...]
    """What is signed on a device."""
    once: AskedOnce | None
    """What is signed there for this code alone."""
    has_device: bool
    leads_to: str

    @property
    def to_sign(self) -> bool:
        """Reports whether a device is asked."""
        return bool(self.asked) or self.once is not None


@dataclass(frozen=True, slots=True)
class WaitingPage:
    """Somebody has to answer on a device; so many requests wait there."""

    app_name: str
    user_name: str
    waiting: int
    leads_to: str


def sign_in_page(plan: AuthorizationPlan, name: str) -> SignInPage:
    """Who shall sign in to what."""
    return SignInPage(
        app_name=plan.app.name, name=name, leads_to=plan.request.back.redirect_uri, ways=ways(plan)
    )


def ways(plan: AuthorizationPlan) -> tuple[str, ...]:
    """In which of the ways there are an app lets people sign in."""
    essential = plan.request.wanted.acr
    return tuple(one for one in names.SIGN_IN_ACRS if essential is None or one in essential)


def consent_page(
    view: View, plan: AuthorizationPlan, signed_in: SignedIn, missing: list[ConsentNeeded]
) -> ConsentPage:
    """What is not consented to yet, in words."""
    about = [ask for ask in missing if ask not in plan.signed]
    return ConsentPage(
        app_name=plan.app.name,
        user_name=signed_in.user.name,
        about_you=tuple(name for ask in about for name in ask.scopes),
        asked=tuple(_asked(view, ask) for ask in missing if ask in plan.signed),
        once=None if plan.act is None else _once(plan.act),
        has_device=view.devices.active_count(signed_in.user.id, view.now) > 0,
        leads_to=plan.request.back.redirect_uri,
    )


def waiting_page(plan: AuthorizationPlan, signed_in: SignedIn, waiting: int) -> WaitingPage:
    """How much is still to be answered."""
    back = plan.request.back.redirect_uri
    return WaitingPage(plan.app.name, signed_in.user.name, waiting, back)


def _once(act: CheckedAppAction) -> AskedOnce:
    resource = act.target.resource
    scopes = tuple((name, resource.scopes[name]) for name in act.target.scope)
    return AskedOnce(displays.action_texts(act), act.risk, resource.uri, scopes)


def _asked(view: View, ask: ConsentNeeded) -> AskedConsent:
    party = display_names.find(view.directory, ask.client_id, view.now)
    resource = view.directory.resource(ask.resource)
    risks = {} if resource is None else resource.scopes
    return AskedConsent(
        kind="app" if party is None else party.kind,
        name=display_names.name_of(view.directory, ask.client_id),
        client_id=ask.client_id,
        owners=() if party is None else party.owners,
        resource=ask.resource,
        scopes=tuple((name, risks.get(name, Risk.MEDIUM)) for name in ask.scopes),
        until=view.now + DEFAULT_MS,
    )
