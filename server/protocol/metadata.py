"""The discovery document (RFC 8414 2, OpenID Connect Discovery 3, CIBA 4)."""

from collections.abc import Sequence

from server.protocol import names
from server.protocol.resources import scopes
from server.protocol.sign_in import authorize, pkce
from server.protocol.users import claims

AUTHORIZATION_SERVER = "/.well-known/oauth-authorization-server"
OPENID = "/.well-known/openid-configuration"
_CLIENT_ALGS = (*names.CLIENT_ALGS, names.ED25519)


def document(
    issuer: str,
    action_types: Sequence[str],
    algs: Sequence[str],
    *,
    introspection_alg: str,
    client_documents: bool = False,
) -> dict[str, object]:
    """Return the server metadata, which lists only features that the endpoints support."""
    members: dict[str, object] = {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "pushed_authorization_request_endpoint": f"{issuer}/par",
        "token_endpoint": f"{issuer}/token",
        "userinfo_endpoint": f"{issuer}/userinfo",
        "end_session_endpoint": f"{issuer}/logout",
        "backchannel_authentication_endpoint": f"{issuer}/bc-authorize",
        "introspection_endpoint": f"{issuer}/introspect",
        "introspection_endpoint_auth_methods_supported": [*names.AUTH_METHODS],
        "introspection_endpoint_auth_signing_alg_values_supported": [*_CLIENT_ALGS],
        "introspection_signing_alg_values_supported": [introspection_alg],
        "revocation_endpoint": f"{issuer}/revoke",
        "revocation_endpoint_auth_methods_supported": [*names.APP_AUTH_METHODS],
        "revocation_endpoint_auth_signing_alg_values_supported": [*_CLIENT_ALGS],
        "device_authorization_endpoint": f"{issuer}/device_authorization",
        "registration_endpoint": f"{issuer}/register",
        "client_id_metadata_document_supported": client_documents or None,
        "jwks_uri": f"{issuer}/jwks",
        "grant_types_supported": [
            *names.AGENT_GRANTS,
            *names.APP_GRANTS,
            names.GRANT_ENROLLMENT,
        ],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "form_post"],
        "code_challenge_methods_supported": [pkce.METHOD],
        "authorization_response_iss_parameter_supported": True,
        "prompt_values_supported": list(authorize.PROMPTS),
        "claims_parameter_supported": True,
        "claims_supported": list(claims.SUPPORTED),
        "subject_types_supported": ["public"],
        "scopes_supported": sorted(scopes.OPENID_SCOPES),
        "token_endpoint_auth_methods_supported": [*names.APP_AUTH_METHODS],
        "token_endpoint_auth_signing_alg_values_supported": [*_CLIENT_ALGS],
        "id_token_signing_alg_values_supported": list(algs),
        "backchannel_token_delivery_modes_supported": ["poll", "ping", "push"],
        "backchannel_authentication_request_signing_alg_values_supported": [*_CLIENT_ALGS],
        "backchannel_user_code_parameter_supported": True,
        "request_parameter_supported": False,  # at the authorization endpoint
        "request_uri_parameter_supported": False,  # the default is true
        "acr_values_supported": [*names.SIGN_IN_ACRS, names.ACR_SIGNED, names.ACR_SIGNED_PIN],
        "dpop_signing_alg_values_supported": ["ES256"],
        "authorization_details_types_supported": list(action_types),
    }
    return {name: value for name, value in members.items() if value not in ([], None)}
