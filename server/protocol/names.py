"""Registered names, spelled once: grant types, token types, claims, prefixes of handles."""

import hashlib
from typing import Final

GRANT_CIBA: Final = "urn:openid:params:grant-type:ciba"
GRANT_CLIENT_CREDENTIALS: Final = "client_credentials"
GRANT_TOKEN_EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
GRANT_REFRESH_TOKEN: Final = "refresh_token"
GRANT_AUTHORIZATION_CODE: Final = "authorization_code"
GRANT_DEVICE_CODE: Final = "urn:ietf:params:oauth:grant-type:device_code"
GRANT_ENROLMENT: Final = "urn:sayso:grant-type:enrolment"
"""Ours: a one-time code becomes a terminal's session."""

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

CLAIM_AUTH_REQ_ID: Final = "urn:openid:params:jwt:claim:auth_req_id"

APPROVER_CLIENT: Final = "sayso-approver"
"""The client_id of the terminal app (a public client; its proof is DPoP)."""

AUTH_METHODS: Final = ("client_secret_basic", "client_secret_post", "private_key_jwt")
AUTH_NONE: Final = "none"
"""A public app: it keeps no secret, and PKCE stands in for one (OAuth 2.1 2.1)."""
APP_AUTH_METHODS: Final = (*AUTH_METHODS, AUTH_NONE)
SIGNING_ALGS: Final = ("ES256", "EdDSA", "RS256")
"""Algorithms of our own keys (RFC 7518, RFC 8037)."""
CLIENT_ALGS: Final = (*SIGNING_ALGS, "PS256")
"""Algorithms of agents' keys: of assertions and of signed requests."""
ED25519: Final = "Ed25519"
"""The newer name of EdDSA on that curve (RFC 9864); what is signed under it is checked alike."""

DELIVERIES: Final = ("poll", "ping", "push")
"""How an answer reaches an agent (CIBA 5)."""
AGENT_GRANTS: Final = (GRANT_CIBA, GRANT_CLIENT_CREDENTIALS, GRANT_TOKEN_EXCHANGE)
APP_GRANTS: Final = (GRANT_AUTHORIZATION_CODE, GRANT_REFRESH_TOKEN, GRANT_DEVICE_CODE)
USUAL_APP_GRANTS: Final = (GRANT_AUTHORIZATION_CODE, GRANT_REFRESH_TOKEN)
"""Of an app that was registered without a word about them; most have a browser to use."""

PREFIX_USER: Final = "sayso_us_"
PREFIX_GROUP: Final = "sayso_gr_"
PREFIX_AGENT: Final = "sayso_ag_"
PREFIX_RESOURCE: Final = "sayso_rs_"
"""The client_id with which a resource asks about tokens for it."""
PREFIX_APP: Final = "sayso_app_"
PREFIX_SIGN_IN: Final = "sayso_si_"
PREFIX_FLOW: Final = "sayso_fl_"
PREFIX_BROWSER: Final = "sayso_br_"
"""What a browser's cookie holds."""
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

SUB_PROFILE_USER: Final = "user"
SUB_PROFILE_AGENT: Final = "ai_agent"

ACR_PASSWORD: Final = "urn:sayso:acr:password"
"""The person typed a password into a page of ours."""
ACR_SIGNED: Final = "urn:sayso:acr:signed"
"""The person signed with a device key that an unlocked app held."""
ACR_SIGNED_PIN: Final = "urn:sayso:acr:signed-pin"
"""The person entered the PIN for this very approval."""
ACR_PASSKEY: Final = "urn:sayso:acr:passkey"
"""The person verified themselves to a passkey, which signed this very approval or sign-in.

No other site can have it signed (WebAuthn 4, RP ID), so phishing has nothing to ask for.
"""
SIGN_IN_ACRS: Final = (ACR_PASSWORD, ACR_PASSKEY)
"""How people sign in to apps."""


def name_id(name: str) -> str:
    """What a path calls a resource or an action type, whose own names do not fit into one."""
    return hashlib.sha256(name.encode()).hexdigest()[:32]


def is_group(name: str) -> bool:
    """Reports whether an id is that of a group."""
    return name.startswith(PREFIX_GROUP)
