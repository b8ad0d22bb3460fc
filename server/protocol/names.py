"""Registered names: grant types, claims, algorithms, and the prefixes of IDs and secrets."""

import hashlib
import re
from typing import Final, NamedTuple

_LABEL: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}(=[A-Za-z0-9][A-Za-z0-9._/@:-]{0,62})?")

GRANT_CIBA: Final = "urn:openid:params:grant-type:ciba"
GRANT_CLIENT_CREDENTIALS: Final = "client_credentials"
GRANT_TOKEN_EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
GRANT_REFRESH_TOKEN: Final = "refresh_token"
GRANT_AUTHORIZATION_CODE: Final = "authorization_code"
GRANT_DEVICE_CODE: Final = "urn:ietf:params:oauth:grant-type:device_code"
GRANT_ENROLLMENT: Final = "urn:sayso:grant-type:enrollment"
"""Sayso's own grant: exchanges an enrollment code for a terminal's session."""

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

CLAIM_AUTH_REQ_ID: Final = "urn:openid:params:jwt:claim:auth_req_id"

APPROVER_CLIENT: Final = "sayso-approver"
"""The client_id of the terminal app (a public client; its proof is DPoP)."""

AUTH_METHODS: Final = ("client_secret_basic", "client_secret_post", "private_key_jwt")
AUTH_NONE: Final = "none"
"""A public app, which has no secret and uses PKCE (OAuth 2.1 2.1)."""
APP_AUTH_METHODS: Final = (*AUTH_METHODS, AUTH_NONE)
SIGNING_ALGS: Final = ("ES256", "EdDSA", "RS256")
"""Algorithms of the server's keys (RFC 7518, RFC 8037)."""
CLIENT_ALGS: Final = (*SIGNING_ALGS, "PS256")
"""Algorithms of agents' keys, for assertions and signed requests."""
ED25519: Final = "Ed25519"
"""The newer name of EdDSA with the curve Ed25519 (RFC 9864); both names are accepted."""

DELIVERIES: Final = ("poll", "ping", "push")
"""The token delivery modes (CIBA 5)."""


class GrantType(NamedTuple):
    """A grant type that clients may have."""

    name: str
    word: str
    """Its name on the command line."""
    label: str
    """Its label in forms."""
    parameters: str = ""
    """The parameters that it adds at the token endpoint, separated by spaces."""


AGENT_GRANT_TYPES: Final = (
    GrantType(GRANT_CIBA, "ciba", "approval requests (CIBA)", "auth_req_id"),
    GrantType(
        GRANT_CLIENT_CREDENTIALS,
        "client_credentials",
        "client credentials",
    ),
    GrantType(
        GRANT_TOKEN_EXCHANGE,
        "token_exchange",
        "token exchange",
        "subject_token subject_token_type actor_token actor_token_type audience "
        "requested_token_type",
    ),
)
APP_GRANT_TYPES: Final = (
    GrantType(
        GRANT_AUTHORIZATION_CODE,
        GRANT_AUTHORIZATION_CODE,
        "authorization code",
        "code redirect_uri code_verifier",
    ),
    GrantType(GRANT_REFRESH_TOKEN, GRANT_REFRESH_TOKEN, "refresh token", "refresh_token"),
    GrantType(GRANT_DEVICE_CODE, "device_code", "device code", "device_code"),
)
AGENT_GRANTS: Final = tuple(grant.name for grant in AGENT_GRANT_TYPES)
APP_GRANTS: Final = tuple(grant.name for grant in APP_GRANT_TYPES)
USUAL_APP_GRANTS: Final = (GRANT_AUTHORIZATION_CODE, GRANT_REFRESH_TOKEN)
"""The default grants of an app."""

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
"""The hosts of this machine."""

PREFIX_USER: Final = "sayso_us_"
PREFIX_GROUP: Final = "sayso_gr_"
PREFIX_AGENT: Final = "sayso_ag_"
PREFIX_RESOURCE: Final = "sayso_rs_"
"""The client_id of a resource, for introspection."""
PREFIX_APP: Final = "sayso_app_"
DOCUMENT_URL: Final = "https://"
"""The start of an app's client_id that is the URL of a metadata document."""
PREFIX_SIGN_IN: Final = "sayso_si_"
PREFIX_FLOW: Final = "sayso_fl_"
PREFIX_BROWSER: Final = "sayso_br_"
"""The value of a browser's session cookie."""
PREFIX_PUSH: Final = "sayso_ps_"
PREFIX_CODE: Final = "sayso_ac_"
PREFIX_FAMILY: Final = "sayso_rf_"
PREFIX_PUSHED: Final = "urn:ietf:params:oauth:request_uri:"
PREFIX_DEVICE: Final = "sayso_dv_"
PREFIX_APPROVAL: Final = "sayso_ap_"
PREFIX_CONSENT: Final = "sayso_co_"
PREFIX_STANDING_GRANT: Final = "sayso_sg_"
PREFIX_DEVICE_REQUEST: Final = "sayso_dr_"
PREFIX_SESSION: Final = "sayso_se_"
PREFIX_CLIENT_SECRET: Final = "sayso_cs_"
PREFIX_RESOURCE_SECRET: Final = "sayso_rk_"
PREFIX_REFRESH_TOKEN: Final = "sayso_rt_"
PREFIX_AUTH_REQ_ID: Final = "sayso_ar_"
PREFIX_INVITATION: Final = "sayso_in_"
PREFIX_INCIDENT: Final = "sayso_ic_"
PREFIX_DEPUTY: Final = "sayso_dy_"
PREFIX_INITIAL_TOKEN: Final = "sayso_it_"
PREFIX_REGISTRATION_TOKEN: Final = "sayso_ra_"
PREFIX_DEVICE_CODE: Final = "sayso_dc_"
SECRET_PREFIXES: Final = (
    PREFIX_FLOW,
    PREFIX_BROWSER,
    PREFIX_CODE,
    PREFIX_CLIENT_SECRET,
    PREFIX_RESOURCE_SECRET,
    PREFIX_REFRESH_TOKEN,
    PREFIX_AUTH_REQ_ID,
    PREFIX_INITIAL_TOKEN,
    PREFIX_REGISTRATION_TOKEN,
    PREFIX_DEVICE_CODE,
)
"""The prefixes of secrets, which are never logged. The other prefixes are for IDs."""

SUB_PROFILE_USER: Final = "user"
SUB_PROFILE_AGENT: Final = "ai_agent"

ACR_PASSWORD: Final = "urn:sayso:acr:password"
"""The person entered their password on a page of the server."""
ACR_SIGNED: Final = "urn:sayso:acr:signed"
"""The person signed with a device key of the unlocked terminal app."""
ACR_SIGNED_PIN: Final = "urn:sayso:acr:signed-pin"
"""The person entered the PIN for this approval."""
ACR_PASSKEY: Final = "urn:sayso:acr:passkey"
"""The person verified themselves to a passkey, which signed this approval or sign-in.

It is phishing-resistant, because a passkey signs only for its own site (WebAuthn 4, RP ID).
"""
SIGN_IN_ACRS: Final = (ACR_PASSWORD, ACR_PASSKEY)
"""The methods by which people sign in to apps."""


def name_id(name: str) -> str:
    """Return the ID of a resource or action type for URL paths, which cannot contain its name."""
    return hashlib.sha256(name.encode()).hexdigest()[:32]


def handle_hash(handle: str) -> bytes:
    """Return the hash of a handle, which is stored instead of the handle."""
    return hashlib.sha256(handle.encode()).digest()


def is_label(text: str) -> bool:
    """Return whether this is a valid label of an agent."""
    return _LABEL.fullmatch(text) is not None


def is_app(client_id: str) -> bool:
    """Return whether a client_id belongs to an app."""
    return client_id.startswith((PREFIX_APP, DOCUMENT_URL))


def path_id(client_id: str) -> str:
    """Return the ID of an app for URL paths, which cannot contain a URL."""
    return name_id(client_id) if client_id.startswith(DOCUMENT_URL) else client_id


def is_group(name: str) -> bool:
    """Return whether an ID belongs to a group."""
    return name.startswith(PREFIX_GROUP)
